package html

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"strings"

	"github.com/perfctl/perfctl/internal/report/document"
)

//go:embed document.html
var documentText string

//go:embed document.js
var documentScript string

var documentPage = template.Must(template.New("document").Funcs(template.FuncMap{"line": line}).Parse(documentText))

// Document writes a report about more than one run as one HTML file, of the same hand as
// a run's page and under the same policy.
func Document(w io.Writer, d *document.Document) error {
	class := map[document.Tone]string{document.Good: "pass", document.Bad: "fail", document.Warn: "interrupted"}[d.Tone]
	var b bytes.Buffer
	err := documentPage.Execute(&b, struct {
		*document.Document
		Class, Policy string
		Style         template.CSS
		Script        template.JS
	}{d, class, policy(styleText, documentScript), template.CSS(styleText), template.JS(documentScript)}) // its own files, no data
	if err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	if _, err := b.WriteTo(w); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}

// The size of a small line, in pixels.
const (
	lineStep   = 9
	lineHeight = 44
)

// line draws values from 0 to the highest, each as a point with its place.
func line(values []float64) template.HTML {
	top := 0.0
	for _, v := range values {
		if !math.IsNaN(v) {
			top = max(top, v)
		}
	}
	var path, dots strings.Builder
	open := false
	for i, v := range values {
		if math.IsNaN(v) || top == 0 {
			open = false
			continue
		}
		x, y := float64(i*lineStep+4), 4+(1-v/top)*(lineHeight-8)
		command := "M"
		if open {
			command = "L"
		}
		open = true
		fmt.Fprintf(&path, "%s%.1f %.1f", command, x, y)
		fmt.Fprintf(&dots, `<circle cx="%.1f" cy="%.1f" r="2.2"/>`, x, y)
	}
	width := max(len(values), 1) * lineStep
	// Of numbers alone.
	return template.HTML(fmt.Sprintf(`<svg class="spark" role="img" aria-label="%d values" width="%d" height="%d" viewBox="0 0 %d %d"><path class="line s0" d="%s"/>%s</svg>`,
		len(values), width, lineHeight, width, lineHeight, path.String(), dots.String()))
}
