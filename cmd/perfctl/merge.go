package main

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/scenarios/all"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/summary"
)

func (w *world) mergeCommand() *cobra.Command {
	f := &runFlags{}
	c := &cobra.Command{
		Use:   "merge <run directory>...",
		Short: "Make one run of the run directories of its shards, and judge it",
		Long: `Merge adds up what the shards of a run recorded, second by second: histograms,
counters and rates. Percentiles are those of the merged histograms. The whole is
judged by the SLA tables and thresholds that the shards were given. The exit code
is the merged run's.`,
		Example: `  perfctl run load --shard 0/2 --run-id r1 --run-dir s0 --start-at 2026-01-02T15:04:05Z   # on one machine
  perfctl run load --shard 1/2 --run-id r1 --run-dir s1 --start-at 2026-01-02T15:04:05Z   # on the other
  perfctl merge s0 s1 --run-dir whole`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usageError("%s takes the run directories of all shards, got %d\n  usage: %s", c.CommandPath(), len(args), c.UseLine())
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return w.merge(args, f) },
	}
	fs := c.Flags()
	fs.StringVar(&f.runDir, "run-dir", "", "write the merged run to this new `DIR` (default: runs/PROFILE-merged-TIME)")
	fs.StringArrayVar(&f.out, "out", nil, "also write `FORMAT=WHERE`, as in html=report.html (repeatable; the formats of perfctl report)")
	fs.BoolVar(&f.json, "json", false, "print the summary as JSON on stdout")
	fs.BoolVarP(&f.quiet, "quiet", "q", false, "print no progress")
	return c
}

func (w *world) merge(dirs []string, f *runFlags) error {
	streams, views, err := w.splitOutputs(f)
	if err != nil {
		return err
	}
	if len(streams) > 0 {
		return usageError("--out %s=%s: a merged run has nothing to stream; give it to the shards", streams[0].format, streams[0].where)
	}
	first, err := rundir.Open(dirs[0])
	if err != nil {
		return usageError("%w", err)
	}
	out := f.runDir
	if out == "" {
		out = filepath.Join("runs", first.Info.Profile+"-merged-"+time.Now().Format("20060102-150405"))
	}
	pr := w.newProgress(f.quiet)
	defer pr.done()
	pr.step("merging %d run directories …", len(dirs))
	run, in, err := summary.Merge(dirs, out)
	if err != nil {
		return usageError("%w", err)
	}
	judge, err := judgeOf(run)
	if err != nil {
		return err
	}
	in.SLA = judge.Evaluate(run.Totals)
	pr.step("analysing …")
	s := conclude(run, out, in, judge)
	if err := summary.Write(out, s); err != nil {
		pr.say("warning: %v", err)
	}
	w.writeViews(withPage(views, out), out, s, pr)
	pr.done()
	return w.present(s, out, f)
}

// judgeOf returns the judge of a recorded run, made of what it was given.
func judgeOf(run *rundir.Run) (*sla.Judge, error) {
	info := &run.Info
	if info.Table.Text == "" {
		return nil, invalidConfig(fmt.Errorf("%s does not hold the SLA tables that it was judged by; it was recorded by perfctl %s", run.Dir, info.Version))
	}
	table, own, err := decodeRules(info.Table, info.Rules)
	if err != nil {
		return nil, err
	}
	in := sla.Plan{Known: all.Registry().Names(), Metrics: metrics.Standard(), Own: info.Judging.OwnTable,
		Options: sla.Options{Confidence: info.Judging.Confidence, AllowUndecided: info.Judging.AllowUndecided}}
	for _, m := range info.Metrics {
		in.Metrics = append(in.Metrics, metrics.Desc{Name: m.Name, Kind: m.Kind, Unit: m.Unit, Help: m.Help})
	}
	for _, s := range info.Scenarios {
		in.Scenarios = append(in.Scenarios, s.Name)
	}
	for _, l := range run.Lines {
		in.Series = append(in.Series, l.Series)
	}
	for _, s := range info.Stages {
		in.Stages = append(in.Stages, sla.Stage{
			Name: s.Name, Class: s.Class, Judged: s.Judged, Duration: time.Duration(s.Duration * float64(time.Second)), Planned: s.Planned, OpenEnded: s.OpenEnded,
		})
	}
	j, err := sla.NewJudge(in, table, own)
	return j, invalidConfig(err)
}
