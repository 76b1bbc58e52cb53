package summary

import (
	"fmt"
	"slices"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/states"
)

// Merge makes one run directory of those of all shards of a run, as rundir.Merge
// does, and returns beside the merged run what the shards' summaries know beyond
// the recorded data, for Summarise.
//
// weigh, where it is not nil, is given what the shards counted: one of each that left
// it, and how many are missing. It returns the checks of the whole, and the values that
// only the whole tells.
func Merge(dirs []string, out string, weigh Weigher) (*rundir.Run, Inputs, error) {
	var checks []Check
	var notes []string
	run, shards, err := rundir.Merge(dirs, out, func(parts []*rundir.Run) []rundir.Addition {
		counted, missing := accountsOf(parts)
		if weigh == nil || len(counted) == 0 {
			return nil
		}
		if missing > 0 {
			notes = []string{fmt.Sprintf("of the consistency checks only those are told that failed for certain: %d of %d shards left no account of what they did", missing, parts[0].Info.Shards)}
		}
		var more []rundir.Addition
		checks, more = weigh(&parts[0].Info, counted, missing)
		return more
	})
	if err != nil {
		return nil, Inputs{}, err
	}
	in := mergeInputs(run, shards)
	in.Checks, in.Notes = append(checks, in.Checks...), append(in.Notes, notes...)
	return run, in, nil
}

// Weigher judges what the shards of a run counted, by scenario, as one.
type Weigher func(info *rundir.RunInfo, counted []map[string]*Account, missing int) ([]Check, []rundir.Addition)

// accountsOf returns what each shard counted, and how many of the run left nothing.
func accountsOf(parts []*rundir.Run) (counted []map[string]*Account, missing int) {
	for _, p := range parts {
		if sm := Read(p); sm != nil && sm.Accounts != nil {
			counted = append(counted, sm.Accounts)
		}
	}
	return counted, parts[0].Info.Shards - len(counted)
}

// mergeInputs puts together what the shards' summaries say beyond the recorded
// data: the run was interrupted if every shard was, and the generator is as
// trustworthy as its worst part, which is named first. Of a shard that ended before
// the others something is missing.
func mergeInputs(run *rundir.Run, shards []*rundir.Run) Inputs {
	in := Inputs{Checks: []Check{}, Failures: []Failure{}, Generator: &GeneratorHealth{Status: states.GeneratorValid}}
	interrupted := 0
	ended := endings{}
	var generators []shardHealth
	var unjudged []string
	for _, n := range run.Info.Merged.Doubled {
		in.Generator.blame(states.GeneratorInvalid, fmt.Sprintf("shard %d ran twice: its arrivals were offered twice", n))
	}
	in.Generator.blameApart(&run.Info)
	for _, s := range shards {
		n := s.Info.Shard
		sm := Read(s)
		if sm == nil {
			unjudged = append(unjudged, fmt.Sprintf("shard %d was not judged: it has no summary", n))
			continue
		}
		if sm.Verdict == VerdictInterrupted {
			interrupted++
			run.Lose(fmt.Sprintf("shard %d was interrupted after %s of %s", n, figure.Length(sm.Run.Duration), figure.Length(sm.Run.Planned)))
		}
		ended.add(n, sm)
		for _, c := range sm.Checks {
			c.Name = fmt.Sprintf("shard %d: %s", n, c.Name)
			in.Checks = append(in.Checks, c)
		}
		for _, f := range sm.Failures {
			in.Failures = addFailure(in.Failures, f)
		}
		in.Generator.addFigures(&sm.Generator)
		generators = append(generators, shardHealth{n, &sm.Generator})
	}
	// The worst decides and stands first.
	for _, status := range []string{states.GeneratorInvalid, states.GeneratorSuspect} {
		for _, g := range generators {
			if g.Status == status {
				in.Generator.blame(status, g.reasons()...)
			}
		}
	}
	if len(unjudged) > 0 {
		in.Generator.blame(states.GeneratorSuspect, unjudged...)
	}
	all := interrupted+len(ended.texts) == run.Info.Merged.Shards
	in.Interrupted = all && interrupted > 0 // which ended the others
	switch {
	case all:
		in.Stopped, in.AbortedBy = ended.stopped, ended.abortedBy
	default:
		for _, text := range ended.texts {
			run.Lose(text)
		}
	}
	return in
}

// Shards that started further apart than this part of the profile's length, and than a
// second, did not offer the profile's load together: its peak was another one.
const (
	apartSuspect = 0.01
	apartInvalid = 0.1
)

// blameApart blames shards that did not start together.
func (g *GeneratorHealth) blameApart(info *rundir.RunInfo) {
	var planned float64
	for _, s := range info.Stages {
		planned += s.Duration
	}
	var last rundir.ShardStart
	for _, s := range info.Merged.Starts {
		if s.Offset > last.Offset {
			last = s
		}
	}
	seconds := last.Offset / 1e3
	if seconds <= 1 || seconds <= apartSuspect*planned {
		return
	}
	status := states.GeneratorSuspect
	if seconds > apartInvalid*planned {
		status = states.GeneratorInvalid
	}
	g.blame(status, fmt.Sprintf("shard %d started %s after the first one, of %s planned: their loads did not add up; give all shards one --start-at", last.Shard, figure.Length(seconds), figure.Length(planned)))
}

// endings are how shards were ended before their time: where all were, the whole was,
// and nothing of it is missing.
type endings struct {
	stopped   *sla.Breach
	abortedBy string
	texts     []string
}

func (e *endings) add(shard int, s *Summary) {
	switch {
	case s.Stopped != nil:
		e.stopped = s.Stopped
		e.texts = append(e.texts, fmt.Sprintf("shard %d was stopped early by %s", shard, *s.Stopped))
	case s.AbortedBy != "":
		e.abortedBy = s.AbortedBy
		e.texts = append(e.texts, fmt.Sprintf("shard %d was stopped early: %s", shard, s.AbortedBy))
	}
}

func addFailure(all []Failure, f Failure) []Failure {
	i := slices.IndexFunc(all, func(o Failure) bool { return o.Scenario == f.Scenario && o.Kind == f.Kind })
	if i < 0 {
		return append(all, f)
	}
	all[i].Count += f.Count
	if all[i].Example == "" {
		all[i].Example = f.Example
	}
	return all
}

// blame lowers the status, where it is not lower already.
func (g *GeneratorHealth) blame(status string, reasons ...string) {
	if status == states.GeneratorInvalid || g.Status == states.GeneratorValid {
		g.Status = status
	}
	g.Reasons = append(g.Reasons, reasons...)
}

// shardHealth is a shard's generator.
type shardHealth struct {
	shard int
	*GeneratorHealth
}

// reasons are its reasons with the shard before them.
func (h shardHealth) reasons() []string {
	out := make([]string, len(h.Reasons))
	for i, r := range h.Reasons {
		out[i] = fmt.Sprintf("shard %d: %s", h.shard, r)
	}
	return out
}

// addFigures adds the figures of a shard's generator: CPU is that of the busiest,
// memory and pauses are the largest. The lag is not added; it is in the merged
// histogram.
func (g *GeneratorHealth) addFigures(o *GeneratorHealth) {
	g.CPU = larger(g.CPU, o.CPU)
	g.MaxRSS = larger(g.MaxRSS, o.MaxRSS)
	g.GCPauseMax = larger(g.GCPauseMax, o.GCPauseMax)
}

func larger[T float64 | int64](a, b *T) *T {
	if a == nil || b != nil && *b > *a {
		return b
	}
	return a
}
