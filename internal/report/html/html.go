// Package html shows a run directory as one HTML file that needs nothing else;
// it judges nothing and reads no run by itself.
package html

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/perfctl/perfctl/internal/report"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/summary"
)

//go:embed page.html
var pageText string

//go:embed style.css
var styleText string

//go:embed charts.js
var scriptText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"ms": optionalMillis, "share": optionalShare, "rate": optionalRate, "seconds": seconds, "count": count, "mark": mark,
	"labels": func(s *summary.Summary) string { return report.Labels(&s.Run) }, "between": between, "args": bound,
	"still": func(all map[string][]still, groups ...string) (out []still) {
		for _, g := range groups {
			out = append(out, all[g]...)
		}
		return out
	},
	"soft": soft,
	"ref":  func(v float64) *float64 { return &v },
}).Parse(pageText))

// Write writes the run as one HTML file with its charts. r was read by
// rundir.Open; s is its summary. base is the run that it was compared with, nil for
// none: its lines stand behind the run's own. The file asks nobody for anything: what it
// may load is forbidden by a policy in it, and texts that a target sent are
// texts in it.
func Write(w io.Writer, r *rundir.Run, s *summary.Summary, base *rundir.Run) error {
	charts, err := gather(r, s, base)
	if err != nil {
		return fmt.Errorf("write the HTML report: %w", err)
	}
	v := view{
		Summary: s, Run: r, Charts: charts, Operations: operations(r), Shares: shares(r), Tallies: tallies(r), Batches: batches(r), Behind: base, Slow: slowOf(r, s),
		Style: template.CSS(styleText), Script: template.JS(scriptText), // its own files, no data
		Policy: policy(styleText, scriptText),
	}
	v.fill()
	var b bytes.Buffer
	if err := page.Execute(&b, v); err != nil {
		return fmt.Errorf("write the HTML report: %w", err)
	}
	if _, err := b.WriteTo(w); err != nil {
		return fmt.Errorf("write the HTML report: %w", err)
	}
	return nil
}

// soft makes a text of which a narrow screen may break names where their words end.
func soft(text string) template.HTML {
	var b strings.Builder
	from := 0
	for i, r := range text {
		if strings.ContainsRune("_{,:/.(", r) {
			b.WriteString(template.HTMLEscapeString(text[from:i+1]) + "<wbr>")
			from = i + 1
		}
	}
	return template.HTML(b.String() + template.HTMLEscapeString(text[from:])) // escaped, piece by piece
}

// policy allows one style and one script, and nothing to be loaded.
func policy(style, script string) string {
	return fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'", hash(style), hash(script))
}

// hash is how a Content-Security-Policy names the one script and the one style
// that it allows.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
