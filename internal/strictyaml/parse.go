package strictyaml

import (
	"bytes"
	"errors"
	"io"

	"go.yaml.in/yaml/v4"
)

// maxSize bounds a file: what is longer was not written by hand.
const maxSize = 1 << 20

// Parse reads the one document of a file and hands its root to read, which
// picks what it needs by means of the methods of Value. It returns nil, or an
// *Errors with every problem: of the syntax, found by the methods of Value, or
// added by read to the collector. A file that is empty, that holds more than
// one document, or that is longer than 1 MiB is an error. What read has stored
// is to be used only when Parse returned nil.
func Parse(file string, data []byte, read func(root Value, c *Collector)) error {
	var c Collector
	if root := parse(file, data, &c); root != nil {
		read(Value{node: root, c: &c, file: file, name: "the file"}, &c)
	}
	return c.Err()
}

// parse returns the root of the one document, or nil after adding why not.
func parse(file string, data []byte, c *Collector) *yaml.Node {
	if len(data) > maxSize {
		c.Add(Pos{File: file}, "the file is %d bytes long: at most %d are read", len(data), maxSize)
		return nil
	}
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		c.Add(Pos{File: file}, "%v", err)
		return nil
	}
	var doc, next yaml.Node
	if err := loader.Load(&doc); err != nil {
		addSyntax(file, err, c)
		return nil
	}
	switch err := loader.Load(&next); {
	case err == nil:
		c.Add(Pos{file, next.Line, next.Column}, "a second document starts here: a file holds one")
		return nil
	case !errors.Is(err, io.EOF):
		addSyntax(file, err, c)
		return nil
	}
	if len(doc.Content) == 0 || doc.Content[0].ShortTag() == nullTag {
		c.Add(Pos{File: file}, "the file is empty")
		return nil
	}
	return doc.Content[0]
}

// addSyntax adds what the YAML library says about a file it cannot read.
func addSyntax(file string, err error, c *Collector) {
	var one *yaml.LoadError
	var many *yaml.LoadErrors
	switch {
	case errors.Is(err, io.EOF):
		c.Add(Pos{File: file}, "the file is empty")
	case errors.As(err, &many):
		for _, e := range many.Errors {
			addLoadError(file, e, c)
		}
	case errors.As(err, &one):
		addLoadError(file, one, c)
	default:
		c.Add(Pos{File: file}, "not YAML: %v", err)
	}
}

func addLoadError(file string, e *yaml.LoadError, c *Collector) {
	at := Pos{file, e.Mark.Line, e.Mark.Column}
	if e.ContextMsg != "" {
		c.Add(at, "not YAML: %s: %s", e.ContextMsg, e.Message)
		return
	}
	c.Add(at, "not YAML: %s", e.Message)
}
