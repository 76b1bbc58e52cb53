package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/perfctl/perfctl/internal/cli/flags"
	"github.com/perfctl/perfctl/internal/compare"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/outputs"
	"github.com/perfctl/perfctl/internal/report/document"
	"github.com/perfctl/perfctl/internal/rundir"
)

type compareFlags struct {
	flags.Gate
	turnFlags
	json  bool
	force bool
	need  string
	out   []string
	outs  []outputs.Output
}

func (a *app) compareCommand() *cobra.Command {
	f := &compareFlags{}
	c := &cobra.Command{
		Use:   "compare <base> <new>",
		Short: "Tell whether a system is slower than before, and how sure that is",
		Long: `Compare sets the response times and error rates of runs beside each other: the
difference, the interval in which it lies, and one word.

  REGRESSED      the whole interval is beyond the least effect that matters
  IMPROVED       the same, for the better
  OK             the whole interval is within the least effect: shown to be equal
  INCONCLUSIVE   neither; what would settle it is said, as in "6 more runs a side"

The gate holds response time p50, p95, p99 and the error rate of each scenario in
each judged stage, what SLA rules and thresholds name, and what --gate names. Its
intervals hold together in 98 % of comparisons. Other figures are notes.

Each side is a run directory, several with commas between, or a folder that holds
run directories. From four runs a side their own spread decides; fewer tell only
large differences. With --run and --against, compare makes the runs itself, by
turns, so that a machine that drifts does so for both sides. With --need, it
tells from past runs how many a gate needs.

Exits with 112 where something regressed (see --fail-on), with 111 where a run is
INVALID and cannot be compared.`,
		Example: `  perfctl compare runs/main runs/branch  # two folders of five runs each
  perfctl compare runs/main-1,runs/main-2 runs/branch-1,runs/branch-2 \
      --fail-on inconclusive
  perfctl compare --against 'load -e API_BASE_URL=http://127.0.0.1:8080' \
      --run 'load -e API_BASE_URL=http://127.0.0.1:8081' --repeat 5
  perfctl compare runs/main runs/branch \
      --min-effect 3% --min-effect 'response_time p99=10%,5ms'
  perfctl compare runs/main runs/branch \
      --out markdown=comment.md --out html=compare.html
  perfctl compare --need 5% runs/main`,
		RunE: func(c *cobra.Command, args []string) error { return a.compareAny(c, args, f) },
	}
	fs := c.Flags()
	f.Gate.Register(fs)
	f.turnFlags.register(fs)
	fs.BoolVar(&f.json, "json", false, "print the comparison as JSON")
	fs.StringArrayVar(&f.out, "out", nil, "also write `FORMAT=WHERE`: text, json, markdown or html, as in markdown=comment.md (repeatable)")
	fs.BoolVar(&f.force, "force", false, "compare runs of different profiles or scenarios, too")
	fs.StringVar(&f.need, "need", "", "tell how many runs a gate with this least `EFFECT` needs, as in 5%, from the past runs of one folder")
	return c
}

// compareAny compares runs that there are, or makes them, or tells how many it
// takes.
func (a *app) compareAny(c *cobra.Command, args []string, f *compareFlags) error {
	turns := f.run != "" || f.against != ""
	want, what := 2, "a base and a new run"
	switch {
	case f.need != "" && len(f.out) > 0:
		return exitcode.UsageError("--need prints one number and takes no --out\n  next: --json prints it for scripts")
	case f.need != "" && turns:
		return exitcode.UsageError("--need is about past runs, and --run makes new ones: give one of them")
	case f.need != "":
		want, what = 1, "one folder of past runs with --need"
	case turns:
		want, what = 0, "no run directories with --run and --against"
	}
	if len(args) != want {
		return exitcode.UsageError("%s takes %s, got %d arguments\n  usage: %s", c.CommandPath(), what, len(args), c.UseLine())
	}
	if f.need != "" {
		f.Least = append(f.Least, f.need)
	}
	o, err := f.Options()
	if err != nil {
		return err
	}
	o.Force = f.force
	if f.outs, err = outputs.Of(f.out, f.json, outputs.DocumentFormats); err != nil {
		return err
	}
	switch {
	case f.need != "":
		return a.compareNeed(args[0], o, f.json)
	case turns:
		return a.compareTurns(c.Context(), o, f)
	}
	base, err := rundir.OpenAll(args[0])
	if err != nil {
		return exitcode.UsageError("%w", err)
	}
	next, err := rundir.OpenAll(args[1])
	if err != nil {
		return exitcode.UsageError("%w", err)
	}
	return a.compareRuns(base, next, o, f)
}

// compareRuns compares, prints, and returns the word as an exit code.
func (a *app) compareRuns(base, next []*rundir.Run, o compare.Options, f *compareFlags) error {
	c, err := compare.Runs(base, next, o)
	if errors.Is(err, compare.ErrInvalid) {
		return exitcode.With(exitcode.Invalid, err)
	}
	if err != nil {
		return exitcode.UsageError("%w", err)
	}
	switch {
	case f.json:
		err = outputs.WriteJSON(a.Stdout, c)
	case !outputs.HaveStdout(f.outs):
		err = a.writer().Comparison(c)
	}
	if err == nil {
		err = a.writer().Documents(f.outs, c, func(string) *document.Document { return document.Comparison(c) })
	}
	if err == nil && c.Fails {
		return verdictCode(exitcode.Regression)
	}
	return err
}

// compareNeed tells from past runs what a gate needs.
func (a *app) compareNeed(dir string, o compare.Options, asJSON bool) error {
	runs, err := rundir.OpenAll(dir)
	if err != nil {
		return exitcode.UsageError("%w", err)
	}
	n, err := compare.Needs(runs, o)
	if err != nil {
		return exitcode.UsageError("%w", err)
	}
	if asJSON {
		return outputs.WriteJSON(a.Stdout, n)
	}
	if a.OutWidth() > 0 { // it fits a terminal
		return a.writer().Document(a.Stdout, "text", document.Need(n))
	}
	return compare.NeedText(a.Stdout, n)
}
