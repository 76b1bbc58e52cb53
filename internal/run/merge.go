package run

import (
	"fmt"
	"slices"
	"time"

	"github.com/perfctl/perfctl/internal/config"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/scenarios/all"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/summary"
)

// Merge makes one run of the run directories of its shards, in a new directory, and
// judges it by the rules that the shards were given.
func Merge(dirs []string, out string, show Observer) (*summary.Summary, error) {
	return merge(dirs, out, show, nil)
}

// merge is Merge, judged by other rules than the shards were given where rules is not nil.
func merge(dirs []string, out string, show Observer, rules *config.Rules) (*summary.Summary, error) {
	show.Step(fmt.Sprintf("merging %d run directories …", len(dirs)), nil)
	run, in, err := summary.Merge(dirs, out, weighParts)
	if err != nil {
		return nil, exitcode.UsageError("%w", err)
	}
	judge, err := judgeOf(run, rules, 0)
	if err != nil {
		return nil, err
	}
	if run.Incomplete {
		judge.Incomplete()
	}
	if err := replay(run, judge); err != nil {
		return nil, err
	}
	in.SLA = judge.Evaluate(run.Totals)
	if in.Stopped != nil || in.AbortedBy != "" {
		in.SLA = sla.Unreached(in.SLA)
	}
	if in.AbortedBy != "" && in.Stopped == nil && !slices.ContainsFunc(in.SLA, sla.Result.Breaches) {
		run.Lose("stopped early: " + in.AbortedBy)
	}
	show.Step("analysing …", nil)
	s := Summarise(run, out, in, judge)
	if err := summary.Write(out, s); err != nil {
		s.Lose(err.Error())
		show.Warn(fmt.Sprintf("warning: %v", err))
	}
	return s, nil
}

// replay gives a judge the seconds of a recorded run, for the rules that have a
// window.
func replay(run *rundir.Run, judge *sla.Judge) error {
	if !judge.Windowed() {
		return nil
	}
	seconds := make([]metrics.Snapshot, len(run.Seconds))
	for i, s := range run.Seconds {
		stage := slices.IndexFunc(run.Info.Stages, func(o rundir.StageInfo) bool { return o.Name == s.Stage })
		seconds[i] = metrics.Snapshot{Number: i, Start: s.Start, End: s.End, At: s.At, Stage: stage}
	}
	for _, l := range run.Lines {
		for n, at := range l.At {
			s := &seconds[at]
			switch l.Series.Kind {
			case metrics.KindCounter:
				s.Counters = append(s.Counters, metrics.CounterValue{Series: &l.Series, Delta: int64(l.Value[n])})
			case metrics.KindRate:
				s.Rates = append(s.Rates, metrics.RateValue{Series: &l.Series, Hits: int64(l.Value[n]), Total: int64(l.Of[n])})
			case metrics.KindGauge:
				s.Gauges = append(s.Gauges, metrics.GaugeValue{Series: &l.Series, Value: l.Value[n]})
			}
		}
	}
	err := run.Intervals(func(l *rundir.Line) bool { return judge.Watches(&l.Series) }, func(at int, l *rundir.Line, h *metrics.Hist) {
		own := new(metrics.Hist)
		own.Merge(h)
		seconds[at].Trends = append(seconds[at].Trends, metrics.TrendValue{Series: &l.Series, Hist: own})
	})
	for i := range seconds {
		judge.Second(&seconds[i])
	}
	return err
}

// judgeOf returns the judge of a recorded run, made of what it was given, or of other
// rules; it ends no run before abortAfter.
func judgeOf(run *rundir.Run, rules *config.Rules, abortAfter time.Duration) (*sla.Judge, error) {
	info := &run.Info
	if rules == nil {
		given, err := rulesOf(info)
		if err != nil {
			return nil, err
		}
		rules = given
	}
	in := sla.Plan{Known: all.Registry().Names(), Metrics: metrics.Standard(), Own: info.Judging.OwnTable,
		Options: sla.Options{Confidence: info.Judging.Confidence, AllowUndecided: info.Judging.AllowUndecided, AbortAfter: abortAfter}}
	for _, m := range info.Metrics {
		in.Metrics = append(in.Metrics, metrics.Desc{Name: m.Name, Kind: m.Kind, Unit: m.Unit, Help: m.Help})
	}
	for _, s := range info.Scenarios {
		in.Scenarios = append(in.Scenarios, s.Name)
	}
	for _, f := range info.Faults {
		in.Faults = append(in.Faults, f.Name)
	}
	for _, l := range run.Lines {
		in.Series = append(in.Series, l.Series)
	}
	for _, s := range info.Stages {
		in.Stages = append(in.Stages, sla.Stage{
			Name: s.Name, Class: s.Class, Judged: s.Judged, Duration: time.Duration(s.Duration * float64(time.Second)), Planned: s.Planned, OpenEnded: s.OpenEnded,
		})
	}
	j, err := sla.NewJudge(in, rules.Table, rules.Own)
	return j, exitcode.ConfigError(err)
}

// rulesOf are the rules that a recorded run was given.
func rulesOf(info *rundir.RunInfo) (*config.Rules, error) {
	if info.Table.Text == "" {
		return nil, exitcode.ConfigError(fmt.Errorf("run %s does not hold the SLA tables that it was judged by; it was recorded by perfctl %s", info.ID, info.Version))
	}
	return config.DecodeRules(info.Table.Name, info.Table.Text, info.Rules)
}
