package outputs

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/perfctl/perfctl/internal/compare"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/report"
	"github.com/perfctl/perfctl/internal/report/document"
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
	write func(w *Writer, to io.Writer, r *rundir.Run, s *summary.Summary) error
}

// plain is the view of a summary that is the same wherever it goes.
func plain(write func(io.Writer, *summary.Summary) error) func(*Writer, io.Writer, *rundir.Run, *summary.Summary) error {
	return func(_ *Writer, to io.Writer, _ *rundir.Run, s *summary.Summary) error { return write(to, s) }
}

// views returns every view, in the order in which help lists them.
func views() []view {
	return []view{
		{"text", "what a terminal shows; with -v everything", func(w *Writer, to io.Writer, r *rundir.Run, s *summary.Summary) error {
			return writeText(to, s, w.textOptions(to, r.Dir))
		}},
		{"json", "the summary as JSON", plain(report.JSON)},
		{"html", "one file with charts that opens offline", func(_ *Writer, to io.Writer, r *rundir.Run, s *summary.Summary) error {
			return writeHTML(to, r, s)
		}},
		{"junit", "JUnit XML: a rule is a test case", plain(report.JUnit)},
		{"markdown", "for a pull request or a CI job's summary page", plain(report.Markdown)},
		{"github", "annotations of GitHub Actions, ::error and ::warning", plain(report.Annotations)},
		{"codequality", "GitLab's code-quality report: what was missed, beside a merge request", plain(report.CodeQuality)},
		{"k6-summary", "what k6 writes with --summary-export", func(_ *Writer, to io.Writer, r *rundir.Run, s *summary.Summary) error {
			return report.K6(to, s, r.Totals)
		}},
	}
}

// writeHTML writes the page, with the lines of the first run of the baseline behind
// its own where that run still is where it was.
func writeHTML(to io.Writer, r *rundir.Run, s *summary.Summary) error {
	var base *rundir.Run
	if c := s.Comparison; c != nil && len(c.Base) > 0 {
		if b, err := rundir.Open(c.Base[0]); err == nil {
			base = b
		}
	}
	return html.Write(to, r, s, base)
}

// findView returns the view of that name; the error names the nearest one.
func findView(name string) (view, error) {
	all := views()
	names := make([]string, len(all))
	for i, v := range all {
		if v.name == name {
			return v, nil
		}
		names[i] = v.name
	}
	return view{}, unknown(name, names)
}

func isView(name string) bool { return CheckView(name) == nil }

// CheckView refuses a word that is no view of a run; the error names the nearest one.
func CheckView(name string) error {
	_, err := findView(name)
	return err
}

// View writes one view of a run to a file, or to stdout for "-". A file is written only
// when the view is whole.
func (w *Writer) View(o Output, r *rundir.Run, s *summary.Summary) error {
	v, err := findView(o.Format)
	if err != nil {
		return err
	}
	return w.file(o, func(to io.Writer) error { return v.write(w, to, r, s) })
}

// Progress is told how the writing goes.
type Progress interface {
	Minor(text string)
	Idle()
	Warn(text string)
	// Done leaves stdout alone from now on.
	Done()
}

// Views writes the views that --out asked for once the run is over, and returns
// the exit code for those that could not be: what was measured is in the run
// directory, but who asked for a file relies on it.
func (w *Writer) Views(outs []Output, dir string, s *summary.Summary, show Progress) int {
	if len(outs) == 0 {
		return exitcode.Pass
	}
	show.Minor("writing the views of the run …")
	defer show.Idle()
	r, err := rundir.Open(dir)
	if err != nil {
		show.Warn(fmt.Sprintf("warning: no view of the run was written: %v", err))
		return exitcode.Unexpected
	}
	code := exitcode.Pass
	for _, o := range outs {
		if o.Where == Stdout {
			show.Done() // the live view may be on the same terminal
		}
		if err := w.View(o, r, s); err != nil {
			show.Warn(fmt.Sprintf("warning: %v\n  next: perfctl report %s --format %s -o FILE writes it again", err, dir, o.Format))
			code = exitcode.Unexpected
		}
	}
	return code
}

// pageFile is the HTML report in a run directory.
const pageFile = "report.html"

// WithPage puts the HTML report of the run directory before the views, some of which
// name it where it is there.
func WithPage(views []Output, dir string) []Output {
	return append([]Output{{Format: "html", Where: filepath.Join(dir, pageFile)}}, views...)
}

// Summary prints the summary of a run to stdout: as JSON, or for people.
func (w *Writer) Summary(s *summary.Summary, dir string, asJSON bool) error {
	if asJSON {
		return report.JSON(w.Stdout, s)
	}
	return writeText(w.Stdout, s, w.textOptions(w.Stdout, dir))
}

// writeText writes the summary for a terminal, and below it how the run differs from
// its baseline, where it has one.
func writeText(to io.Writer, s *summary.Summary, o report.Options) error {
	if err := report.Text(to, s, o); err != nil || s.Comparison == nil || !o.Full {
		return err
	}
	fmt.Fprintln(to)
	if o.Width > 0 { // it fits a terminal
		return document.WriteText(to, document.Comparison(s.Comparison), document.Layout{Color: o.Color, Width: o.Width})
	}
	return compare.Text(to, s.Comparison, false)
}

// textOptions are how a text is laid out: only stdout may be a terminal.
func (w *Writer) textOptions(to io.Writer, dir string) report.Options {
	o := report.Options{Dir: dir, Full: w.Full}
	if page := filepath.Join(dir, pageFile); isFile(page) {
		o.Page = page
	}
	if to == w.Stdout {
		o.Color, o.Width = w.Color, w.Width
	}
	return o
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// TextOptions are how a text about a run is laid out on stdout.
func (w *Writer) TextOptions(dir string) report.Options { return w.textOptions(w.Stdout, dir) }
