package cli

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/perfctl/perfctl/internal/cli/terminal"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/outputs"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/rundir"
)

// mergeFlags are the flags of merge.
type mergeFlags struct {
	runDir      string
	out         []string
	json, quiet bool
}

func (a *app) mergeCommand() *cobra.Command {
	f := &mergeFlags{}
	c := &cobra.Command{
		Use:   "merge <run directory>...",
		Short: "Make one run of the run directories of its shards, and judge it",
		Long: `Merge adds up what the shards of a run recorded, second by second: histograms,
counters and rates. Percentiles are those of the merged histograms. The whole is
judged by the SLA tables and thresholds that the shards were given. The exit code
is the merged run's.

Merge takes what is there. A shard that is missing, that was killed or interrupted,
that came late to --start-at or whose files are cut makes the run INCOMPLETE, which
ends with 111 and never passes: a rule that is missed whatever the rest was fails,
all others are undecided. Only what cannot be of one run is refused.`,
		Example: `  # On one machine, and on the other
  perfctl run load --shard 0/2 --run-id r1 --run-dir s0 \
      --start-at 2026-01-02T15:04:05Z
  perfctl run load --shard 1/2 --run-id r1 --run-dir s1 \
      --start-at 2026-01-02T15:04:05Z

  # The two directories on one machine, put together
  perfctl merge s0 s1 --run-dir whole`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) < 1 {
				return exitcode.UsageError("%s takes the run directories of all shards, got %d\n  usage: %s", c.CommandPath(), len(args), c.UseLine())
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return a.merge(args, f) },
	}
	fs := c.Flags()
	fs.StringVar(&f.runDir, "run-dir", "", "write the merged run to this new `DIR` (default: runs/merged-TIME)")
	fs.StringArrayVar(&f.out, "out", nil, "also write `FORMAT=WHERE`, as in html=report.html (repeatable; the formats of perfctl report)")
	fs.BoolVar(&f.json, "json", false, "print the summary as JSON on stdout")
	fs.BoolVarP(&f.quiet, "quiet", "q", false, "print no progress")
	return c
}

func (a *app) merge(dirs []string, f *mergeFlags) error {
	views, err := outputs.Views(f.out, f.json, "a merged run has nothing to stream; give it to the shards")
	if err != nil {
		return err
	}
	out := f.runDir
	if out == "" {
		out = rundir.Free("merged", time.Now())
	}
	place, err := run.Reserve(out)
	if err != nil {
		return err
	}
	defer place.Release()
	if err := outputs.Check(views); err != nil {
		return err
	}
	show := a.Progress(terminal.Options{Quiet: f.quiet})
	defer show.Done()
	s, err := run.Merge(dirs, out, show)
	if err != nil {
		return err
	}
	lost := a.writer().Views(outputs.WithPage(views, out), out, s, show)
	show.Done()
	return a.present(s, out, f.json, lost)
}
