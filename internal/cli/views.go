package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"

	"github.com/perfctl/perfctl/internal/cli/terminal"
	"github.com/perfctl/perfctl/internal/compare"
	"github.com/perfctl/perfctl/internal/exitcode"
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
func (a *app) views() []view {
	return []view{
		{"text", "what a terminal shows; with -v everything", func(out io.Writer, r *rundir.Run, s *summary.Summary) error {
			o := report.Options{Dir: r.Dir, Full: a.verbose}
			if out == a.Stdout {
				o = a.textOptions(r.Dir)
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
		{"k6-summary", "what k6 writes with --summary-export", func(out io.Writer, r *rundir.Run, s *summary.Summary) error {
			return report.K6(out, s, r.Totals)
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
func (a *app) findView(name string) (view, error) {
	all := a.views()
	names := make([]string, len(all))
	for i, v := range all {
		if v.name == name {
			return v, nil
		}
		names[i] = v.name
	}
	return view{}, unknownFormat(name, names)
}

func (a *app) isView(name string) bool {
	_, err := a.findView(name)
	return err == nil
}

// writeView writes one view of a run to a file, or to stdout for "-". The file
// is written only when the view is whole.
func (a *app) writeView(o output, r *rundir.Run, s *summary.Summary) error {
	v, err := a.findView(o.Format)
	if err != nil {
		return err
	}
	if o.Where == "-" {
		return v.write(a.Stdout, r, s)
	}
	var b bytes.Buffer
	if err := v.write(&b, r, s); err != nil {
		return fmt.Errorf("write the %s view: %w", o.Format, err)
	}
	if err := rundir.Replace(o.Where, b.Bytes()); err != nil {
		return fmt.Errorf("write the %s view: %w", o.Format, err)
	}
	return nil
}

// writeViews writes the views that --out asked for once the run is over, and returns
// the exit code for those that could not be: what was measured is in the run
// directory, but who asked for a file relies on it.
func (a *app) writeViews(outs []output, dir string, s *summary.Summary, show *terminal.Progress) int {
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
		if o.Where == "-" {
			show.Done() // the live view may be on the same terminal
		}
		if err := a.writeView(o, r, s); err != nil {
			show.Warn(fmt.Sprintf("warning: %v\n  next: perfctl report %s --format %s -o FILE writes it again", err, dir, o.Format))
			code = exitcode.Unexpected
		}
	}
	return code
}

// pageFile is the HTML report in a run directory.
const pageFile = "report.html"

// withPage adds the HTML report of the run directory to the views.
func withPage(views []output, dir string) []output {
	return append(views, output{Format: "html", Where: filepath.Join(dir, pageFile)})
}

// writeText writes the summary for a terminal, and below it how the run differs from
// its baseline, where it has one.
func writeText(w io.Writer, s *summary.Summary, o report.Options) error {
	if err := report.Text(w, s, o); err != nil || s.Comparison == nil || !o.Full {
		return err
	}
	fmt.Fprintln(w)
	return compare.Text(w, s.Comparison, false)
}

func (a *app) textOptions(dir string) report.Options {
	return report.Options{Color: a.Colour(a.OutTTY), Width: a.OutWidth(), Dir: dir, Full: a.verbose}
}

// present prints the summary and turns its exit code, and that for outputs that were
// lost, into the command's.
func (a *app) present(s *summary.Summary, dir string, asJSON bool, lost int) error {
	var err error
	if asJSON {
		err = report.JSON(a.Stdout, s)
	} else {
		err = writeText(a.Stdout, s, a.textOptions(dir))
	}
	code := exitcode.Worst(s.ExitCode, lost)
	if err != nil {
		// Who reads stdout may be gone: what the run came to stands above that.
		return exitcode.With(exitcode.Worst(code, exitcode.Unexpected), err)
	}
	return verdict(code)
}

// writeJSON prints a value as JSON for people to read, too.
func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
