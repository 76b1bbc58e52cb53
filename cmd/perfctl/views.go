package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/perfctl/perfctl/internal/report"
	"github.com/perfctl/perfctl/internal/report/html"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/summary"
)

// view is one way to show a run that is over. Its data is what the run
// directory holds, so that it can be had again at any time.
type view struct {
	// name is the word of report --format and of run --out.
	name string
	// about says in a few words what it is for.
	about string
	write func(w io.Writer, r *rundir.Run, s *summary.Summary) error
}

// views returns every view, in the order in which help lists them.
func (w *world) views() []view {
	return []view{
		{"text", "what a terminal shows", func(out io.Writer, r *rundir.Run, s *summary.Summary) error {
			o := report.Options{Dir: r.Dir}
			if out == w.stdout {
				o = w.textOptions(r.Dir)
			}
			return writeText(out, s, o)
		}},
		{"json", "the summary as JSON", func(out io.Writer, _ *rundir.Run, s *summary.Summary) error {
			return report.JSON(out, s)
		}},
		{"html", "one file with charts that opens offline", writeHTML},
		{"junit", "JUnit XML: a rule is a test case", func(out io.Writer, _ *rundir.Run, s *summary.Summary) error {
			return report.JUnit(out, s)
		}},
		{"markdown", "for a pull request or a CI job's summary page", func(out io.Writer, _ *rundir.Run, s *summary.Summary) error {
			return report.Markdown(out, s)
		}},
		{"github", "annotations of GitHub Actions, ::error and ::warning", func(out io.Writer, _ *rundir.Run, s *summary.Summary) error {
			return report.Annotations(out, s)
		}},
	}
}

// writeHTML writes the page, with the lines of the first run of the baseline behind
// its own where that run still is where it was.
func writeHTML(out io.Writer, r *rundir.Run, s *summary.Summary) error {
	var base *rundir.Run
	if c := s.Comparison; c != nil && len(c.Base) > 0 {
		if b, err := rundir.Open(c.Base[0]); err == nil {
			base = b
		}
	}
	return html.Write(out, r, s, base)
}

// findView returns the view of that name; the error names the nearest one.
func findView(all []view, name string) (view, error) {
	names := make([]string, len(all))
	for i, v := range all {
		if v.name == name {
			return v, nil
		}
		names[i] = v.name
	}
	return view{}, fmt.Errorf("unknown format %q%s; want one of %s", name, didYouMean(name, names), strings.Join(names, ", "))
}

// output is one --out FORMAT=WHERE; WHERE "-" is stdout.
type output struct{ format, where string }

func parseOutput(s string) (output, error) {
	format, where, ok := strings.Cut(s, "=")
	if !ok || format == "" || where == "" {
		return output{}, fmt.Errorf("--out %q: want FORMAT=WHERE, as in html=report.html", s)
	}
	return output{format, where}, nil
}

// writeView writes one view of a run to a file, or to stdout for "-". The file
// is written only when the view is whole.
func (w *world) writeView(o output, r *rundir.Run, s *summary.Summary) error {
	v, err := findView(w.views(), o.format)
	if err != nil {
		return err
	}
	if o.where == "-" {
		return v.write(w.stdout, r, s)
	}
	var b bytes.Buffer
	if err := v.write(&b, r, s); err != nil {
		return fmt.Errorf("write the %s view: %w", o.format, err)
	}
	if err := os.WriteFile(o.where, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write the %s view: %w", o.format, err)
	}
	return nil
}

// writeViews writes the views that --out asked for once the run is over. What
// was measured is in the run directory, so one that fails is a warning.
func (w *world) writeViews(outs []output, dir string, s *summary.Summary, pr *progress) {
	if len(outs) == 0 {
		return
	}
	pr.quietStep("writing the views of the run …")
	defer pr.idle()
	r, err := rundir.Open(dir)
	if err != nil {
		pr.say("warning: read the run for --out: %v", err)
		return
	}
	for _, o := range outs {
		if o.where == "-" {
			pr.done() // the live view may be on the same terminal
		}
		if err := w.writeView(o, r, s); err != nil {
			pr.say("warning: %v\n  next: perfctl report %s --format %s writes it again", err, dir, o.format)
		}
	}
}

// pageFile is the HTML report in a run directory.
const pageFile = "report.html"

// withPage adds the HTML report of the run directory to the views.
func withPage(views []output, dir string) []output {
	return append(views, output{format: "html", where: filepath.Join(dir, pageFile)})
}
