package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/report/document"
	"github.com/perfctl/perfctl/internal/report/html"
	"github.com/perfctl/perfctl/internal/rundir"
)

// writeDocument shows a document as text, markdown or html; anything else is not one of
// its formats.
func (a *app) writeDocument(w io.Writer, format string, d *document.Document) error {
	switch format {
	case "markdown":
		return document.Markdown(w, d)
	case "html":
		return html.Document(w, d)
	}
	l := document.Layout{All: a.verbose}
	if w == a.Stdout {
		l.Color, l.Width = a.Colour(a.OutTTY), a.OutWidth()
	}
	return document.WriteText(w, d, l)
}

// toFile writes a view to a file, or to stdout for "-". A file is written only when the
// view is whole.
func (a *app) toFile(o output, write func(io.Writer) error) error {
	if o.Where == "-" {
		return write(a.Stdout)
	}
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return fmt.Errorf("write the %s view: %w", o.Format, err)
	}
	if err := rundir.Replace(o.Where, b.Bytes()); err != nil {
		return fmt.Errorf("write the %s view: %w", o.Format, err)
	}
	return nil
}

// documentFormats are the views of what is about more than one run.
var documentFormats = []string{"text", "json", "markdown", "html"}

// writeDocuments writes the views that --out names, of a value and of the document of
// it, which is made for where it is to be.
func (a *app) writeDocuments(outs []output, value any, of func(where string) *document.Document) error {
	for _, o := range outs {
		err := a.toFile(o, func(w io.Writer) error {
			if o.Format == "json" {
				return writeJSON(w, value)
			}
			return a.writeDocument(w, o.Format, of(o.Where))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// onStdout says whether a view has stdout.
func onStdout(outs []output) bool {
	return slices.ContainsFunc(outs, func(o output) bool { return o.Where == "-" })
}

// viewsOf reads the --out flags of a command that has those formats. asJSON says that
// stdout is taken by JSON.
func viewsOf(list []string, asJSON bool, formats []string) (out []output, err error) {
	var errs []error
	stdout := 0
	if asJSON {
		stdout++
	}
	for _, text := range list {
		o, err := parseOutput(text)
		if err == nil && !slices.Contains(formats, o.Format) {
			err = fmt.Errorf("--out %q: %w", text, unknownFormat(o.Format, formats))
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if o.Where == "-" {
			stdout++
		}
		out = append(out, o)
	}
	if stdout > 1 {
		errs = append(errs, fmt.Errorf("only one of --json and the outputs %s can have stdout", strings.Join(list, ", ")))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, exitcode.UsageError("%w", err)
	}
	return out, nil
}
