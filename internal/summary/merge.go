package summary

import (
	"fmt"
	"slices"

	"github.com/perfctl/perfctl/internal/rundir"
)

// Merge makes one run directory of those of all shards of a run, as rundir.Merge
// does, and returns beside the merged run what the shards' summaries know beyond
// the recorded data, for Summarise.
func Merge(dirs []string, out string) (*rundir.Run, Inputs, error) {
	run, shards, err := rundir.Merge(dirs, out)
	if err != nil {
		return nil, Inputs{}, err
	}
	return run, mergeInputs(shards), nil
}

// mergeInputs puts together what the shards' summaries say beyond the recorded
// data: the run was interrupted if a shard was, and the generator is as
// trustworthy as its worst part.
func mergeInputs(shards []*rundir.Run) Inputs {
	in := Inputs{Checks: []Check{}, Failures: []Failure{}, Generator: &GeneratorHealth{Status: "valid"}}
	for _, s := range shards {
		n := s.Info.Shard
		sm := Read(s)
		if sm == nil {
			in.Interrupted = true
			in.Generator.blame("suspect", fmt.Sprintf("shard %d was not judged: it has no summary", n))
			continue
		}
		in.Interrupted = in.Interrupted || sm.Verdict == VerdictInterrupted
		for _, c := range sm.Checks {
			c.Name = fmt.Sprintf("shard %d: %s", n, c.Name)
			in.Checks = append(in.Checks, c)
		}
		for _, f := range sm.Failures {
			in.Failures = addFailure(in.Failures, f)
		}
		in.Generator.addShard(n, &sm.Generator)
	}
	return in
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
	if status == "invalid" || g.Status == "valid" {
		g.Status = status
	}
	g.Reasons = append(g.Reasons, reasons...)
}

// addShard adds a shard's generator: CPU is that of the busiest, memory and
// pauses are the largest. The lag is not added; it is in the merged histogram.
func (g *GeneratorHealth) addShard(n int, o *GeneratorHealth) {
	if o.Status != "valid" {
		reasons := make([]string, len(o.Reasons))
		for i, r := range o.Reasons {
			reasons[i] = fmt.Sprintf("shard %d: %s", n, r)
		}
		g.blame(o.Status, reasons...)
	}
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
