package outputs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"

	"github.com/perfctl/perfctl/internal/compare"
	"github.com/perfctl/perfctl/internal/report"
	"github.com/perfctl/perfctl/internal/report/document"
	"github.com/perfctl/perfctl/internal/report/html"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/summary"
)

// Writer writes views to files, and to stdout.
type Writer struct {
	Stdout io.Writer
	// Color and Width are those of stdout; a width of 0 is unknown.
	Color bool
	Width int
	// Full writes everything that a text can say.
	Full bool
}

// Document shows a document as text, markdown or html; anything else is not one of
// its formats.
func (w *Writer) Document(to io.Writer, format string, d *document.Document) error {
	switch format {
	case "markdown":
		return document.Markdown(to, d)
	case "html":
		return html.Document(to, d)
	}
	l := document.Layout{All: w.Full}
	if to == w.Stdout {
		l.Color, l.Width = w.Color, w.Width
	}
	return document.WriteText(to, d, l)
}

// Comparison shows a comparison on stdout: within its width where that is a terminal.
func (w *Writer) Comparison(c *compare.Comparison) error {
	if w.Width > 0 {
		return w.Document(w.Stdout, "text", document.Comparison(c))
	}
	return compare.Text(w.Stdout, c, w.Full)
}

// file has a view written to a file, or to stdout for "-". A file is written only when
// the view is whole.
func (w *Writer) file(o Output, write func(io.Writer) error) error {
	if o.Where == Stdout {
		return write(w.Stdout)
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

// Documents writes the views that --out names, of a value, which is its own JSON, and of
// the document of it, which is made for where it is to be.
func (w *Writer) Documents(outs []Output, value any, of func(where string) *document.Document) error {
	for _, o := range outs {
		err := w.file(o, func(to io.Writer) error {
			if o.Format == "json" {
				return writeValue(to, value)
			}
			return w.Document(to, o.Format, alive(of(o.Where), o.Where))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// alive takes the links to pages that are not there out of a document that goes to a
// file: a run that was killed has none.
func alive(d *document.Document, where string) *document.Document {
	if where == Stdout {
		return d
	}
	for _, b := range d.Blocks {
		if b.Table == nil {
			continue
		}
		for _, row := range b.Table.Rows {
			for i := range row {
				if l := row[i].Link; l != "" && !isFile(filepath.Join(filepath.Dir(where), filepath.FromSlash(l))) {
					row[i].Link = ""
				}
			}
		}
	}
	return d
}

// Suite writes one view of a suite.
func (w *Writer) Suite(o Output, s *summary.Suite) error {
	return w.file(o, func(to io.Writer) error {
		switch o.Format {
		case "json":
			return writeValue(to, s)
		case "junit":
			return report.JUnitSuite(to, s)
		case "github":
			return report.AnnotationsSuite(to, s)
		}
		return w.Document(to, o.Format, alive(document.Suite(s), o.Where))
	})
}

// Repeated writes one view of repeated runs.
func (w *Writer) Repeated(o Output, r *summary.Repeated) error {
	return w.file(o, func(to io.Writer) error {
		switch o.Format {
		case "json":
			return WriteJSON(to, r)
		case "junit":
			return report.JUnitRepeated(to, r)
		case "github":
			return report.AnnotationsRepeated(to, r)
		}
		from := ""
		if o.Where != Stdout {
			from = filepath.Dir(o.Where)
		}
		return w.Document(to, o.Format, alive(document.Repeated(r, from), o.Where))
	})
}

// Encoder is a value that knows its own JSON.
type Encoder interface{ Encode() ([]byte, error) }

// AsRead is a text that was read, and is shown as it is.
type AsRead []byte

// Encode returns the text.
func (t AsRead) Encode() ([]byte, error) { return t, nil }

func writeValue(to io.Writer, value any) error {
	e, ok := value.(Encoder)
	if !ok {
		return WriteJSON(to, value)
	}
	text, err := e.Encode()
	if err == nil {
		_, err = to.Write(text)
	}
	return err
}

// WriteJSON prints a value as JSON for people to read, too.
func WriteJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
