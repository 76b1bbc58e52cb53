package cli

import (
	"github.com/spf13/cobra"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/report"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/rundir/exemplars"
	"github.com/perfctl/perfctl/internal/summary"
)

func (a *app) slowCommand() *cobra.Command {
	var q report.SlowQuery
	var asJSON bool
	c := &cobra.Command{
		Use:   "slow <run directory>",
		Short: "Show the slowest and the failed arrivals of a run, and why",
		Long: `Slow shows single arrivals of a finished run: of each second the slowest, the
failed and a sample are kept (exemplars.ndjson in the run directory). It says where
their time went, what the servers did meanwhile where that explains it, and draws
each arrival from when it was due until it was done.`,
		Example: `  perfctl slow runs/load-20260102-150405
  perfctl slow runs/load-20260102-150405 --failed -n 3
  perfctl slow runs/load-20260102-150405 --scenario crud --operation update
  perfctl slow runs/load-20260102-150405 --stage peak --json`,
		Args: oneArg("a run directory"),
		RunE: func(_ *cobra.Command, args []string) error {
			if q.Most < 1 {
				return exitcode.UsageError("-n %d: want at least 1", q.Most)
			}
			return a.slow(args[0], q, asJSON)
		},
	}
	fs := c.Flags()
	fs.BoolVar(&q.Failed, "failed", false, "show arrivals that failed")
	fs.StringVar(&q.Stage, "stage", "", "only those of a `STAGE`")
	fs.StringVar(&q.Scenario, "scenario", "", "only those of a `SCENARIO`")
	fs.StringVar(&q.Operation, "operation", "", "only those with an `OPERATION` or step of that name")
	fs.IntVarP(&q.Most, "number", "n", 5, "show so many")
	fs.StringVar(&q.TraceURL, "trace-url", "", "print for each arrival that was traced this `URL`, in which {id} stands for its trace, as in http://jaeger:16686/trace/{id}")
	fs.BoolVar(&asJSON, "json", false, "print JSON on stdout")
	return c
}

// slow shows the arrivals of a run that were kept.
func (a *app) slow(dir string, q report.SlowQuery, asJSON bool) error {
	recorded, err := rundir.Open(dir)
	if err != nil {
		return exitcode.UsageError("%w", err)
	}
	set := exemplars.Read(dir)
	if len(set.Exemplars) == 0 {
		return exitcode.UsageError("%s holds no records of single arrivals: it was recorded with --no-exemplars, by an older perfctl, or nothing was done in it\n  next: run it again", dir)
	}
	why := run.Summarise(recorded, dir, summary.Inputs{}, nil).Slow()
	if asJSON {
		l := &report.SlowList{Run: recorded.Info.ID, Kept: len(set.Exemplars), Notes: set.Notes, Analysis: why}
		l.Exemplars, l.Matching = q.Choose(set.Exemplars)
		return report.SlowJSON(a.Stdout, l)
	}
	var sentences []string
	if why != nil {
		sentences = why.Sentences
		if !why.Known {
			sentences = []string{"why they are slow cannot be said: " + why.Because}
		}
	}
	return report.Slow(a.Stdout, set, q, sentences, a.writer().TextOptions(dir))
}
