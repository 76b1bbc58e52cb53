package summary_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/rundir/rundirtest"
	"github.com/perfctl/perfctl/internal/summary"
	"github.com/perfctl/perfctl/internal/summary/summarytest"
)

func shardInfo(i, n int) rundir.RunInfo {
	info := rundirtest.Info()
	info.Shard, info.Shards = i, n
	return info
}

func TestShardsMergeIntoOneRunWithoutLoss(t *testing.T) {
	base := t.TempDir()
	want := metrics.NewTotals()
	var dirs []string
	for i := range 3 {
		dir := filepath.Join(base, fmt.Sprint(i))
		dirs = append([]string{dir}, dirs...) // in any order
		for _, e := range rundirtest.RecordAs(t, dir, shardInfo(i, 3), uint64(i)).All() {
			switch {
			case e.Hist != nil:
				want.AddTrend(&e.Series, e.Hist)
			case e.Series.Kind == metrics.KindCounter:
				want.AddCounter(&e.Series, e.Count)
			case e.Series.Kind == metrics.KindRate:
				want.AddRate(&e.Series, e.Hits, e.Count)
			default:
				s := e.Series
				s.Operation = fmt.Sprintf("shard-%d", i)
				for _, v := range e.Values {
					want.AddGauge(&s, v)
				}
			}
		}
		finish(t, dir)
	}
	out := filepath.Join(base, "whole")
	run, in, err := summary.Merge(dirs, out)
	if err != nil {
		t.Fatal(err)
	}
	rundirtest.SameTotals(t, want, run.Totals)
	if run.Incomplete || len(run.Notes) != 0 {
		t.Errorf("incomplete %v, notes %q", run.Incomplete, run.Notes)
	}
	if i := run.Info; i.Planned != 3*4510 || i.Stages[2].Planned != 3*4000 || i.Shards != 1 || i.MaxInFlight != 3000 || i.Merged.Shards != 3 {
		t.Errorf("run.json of the whole: %+v", i)
	}
	if len(in.Failures) != 2 || in.Failures[0].Count != 3*32 || len(in.Checks) != 3*2 || in.Generator.Status != "valid" {
		t.Errorf("failures %+v, checks %+v, generator %+v", in.Failures, in.Checks, in.Generator)
	}
	s := summary.Summarise(run, in)
	if s.Verdict != summary.VerdictFail { // a check of each shard failed
		t.Errorf("verdict %s", s.Verdict)
	}
	if err := summary.Write(out, s); err != nil {
		t.Fatal(err)
	}
	again, err := rundir.Open(out)
	if err != nil || again.Incomplete || cmp.Diff(s, summary.Read(again)) != "" {
		t.Errorf("opened again: %v, %+v", err, again)
	}
}

// finish gives a recorded run a summary.
func finish(t *testing.T, dir string) {
	t.Helper()
	run, err := rundir.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := summary.Summarise(rundir.NewRun(run.Info, run.Totals, run.Elapsed), summarytest.Inputs())
	if err := summary.Write(dir, s); err != nil {
		t.Fatal(err)
	}
}

func TestMergingSaysWhatDoesNotFit(t *testing.T) {
	base := t.TempDir()
	shard := func(name string, change func(*rundir.RunInfo)) string {
		info := shardInfo(0, 2)
		change(&info)
		dir := filepath.Join(base, name)
		rundirtest.RecordAs(t, dir, info, 1)
		return dir
	}
	first := shard("first", func(*rundir.RunInfo) {})
	for _, c := range []struct {
		name, want string
		change     func(*rundir.RunInfo)
	}{
		{"seed", "not of one run: seeds 42 and 43", func(i *rundir.RunInfo) { i.Shard, i.Seed = 1, 43 }},
		{"id", "not of one run: ids r-4711 and other", func(i *rundir.RunInfo) { i.Shard, i.ID = 1, "other" }},
		{"stages", "their stages differ", func(i *rundir.RunInfo) { i.Shard, i.Stages[0].To = 1, 7 }},
		{"twice", "are both shard 0", func(*rundir.RunInfo) {}},
		{"outside", "is shard 2 of 2, which cannot be", func(i *rundir.RunInfo) { i.Shard = 2 }},
	} {
		_, _, err := summary.Merge([]string{first, shard(c.name, c.change)}, filepath.Join(base, "out-"+c.name))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	if _, _, err := summary.Merge([]string{first}, filepath.Join(base, "out")); err == nil || !strings.Contains(err.Error(), "has 2 shards, of which these are missing: 1") {
		t.Errorf("a missing shard: %v", err)
	}
	if _, err := os.Stat(filepath.Join(base, "out")); err == nil {
		t.Error("a merge that was refused left a directory")
	}
}

func TestAMergeWithAKilledShardIsIncomplete(t *testing.T) {
	base := t.TempDir()
	a, b := filepath.Join(base, "a"), filepath.Join(base, "b")
	rundirtest.RecordAs(t, a, shardInfo(0, 2), 1)
	finish(t, a)
	rundirtest.RecordAs(t, b, shardInfo(1, 2), 2)
	path := filepath.Join(b, rundir.LogFile)
	log, _ := os.ReadFile(path)
	rundirtest.Write(t, path, log[:len(log)/2])
	run, in, err := summary.Merge([]string{a, b}, filepath.Join(base, "out"))
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(run.Notes, "\n")
	if !run.Incomplete || !in.Interrupted || !strings.Contains(all, "shard 1: summary.json: missing") || !strings.Contains(all, "has no histogram for") {
		t.Fatalf("incomplete %v, interrupted %v, notes:\n%s", run.Incomplete, in.Interrupted, all)
	}
	again, err := rundir.Open(filepath.Join(base, "out"))
	if err != nil || !again.Incomplete || !strings.Contains(strings.Join(again.Notes, "\n"), "shard 1: ") {
		t.Fatalf("opened again: %v, %+v", err, again.Notes)
	}
}
