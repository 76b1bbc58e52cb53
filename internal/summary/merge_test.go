package summary_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/rundir/rundirtest"
	"github.com/perfctl/perfctl/internal/sla"
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
	var queued []float64 // which adds up
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
			case e.Series.Adds:
				for k, v := range e.Values {
					if i == 0 {
						queued = append(queued, 0)
					}
					queued[k] += v
				}
				if i == 2 {
					for _, v := range queued {
						want.AddGauge(&e.Series, v)
					}
				}
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
	run, in, err := summary.Merge(dirs, out, nil)
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
		info.Schedule = "abc"
		info.Settings = []rundir.Setting{{Name: "DB_HOST", Value: "one.test"}, {Name: "--vus", Value: "10"}, {Name: "--run-dir", Value: name}}
		change(&info)
		dir := filepath.Join(base, name)
		rundirtest.RecordAs(t, dir, info, 1)
		return dir
	}
	first := shard("first", func(*rundir.RunInfo) {})
	if err := os.MkdirAll(filepath.Join(base, "nothing"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, want string
		change     func(*rundir.RunInfo)
	}{
		{"seed", "not of one run: seeds 42 and 43", func(i *rundir.RunInfo) { i.Shard, i.Seed = 1, 43 }},
		{"id", "not of one run: ids r-4711 and other", func(i *rundir.RunInfo) { i.Shard, i.ID = 1, "other" }},
		{"stages", "their stages differ", func(i *rundir.RunInfo) { i.Shard, i.Stages[0].To = 1, 7 }},
		{"version", "not of one run: versions of perfctl", func(i *rundir.RunInfo) { i.Shard, i.Version = 1, "other" }},
		{"bounds", "not of one run: bounds (-u) 1000 and 7", func(i *rundir.RunInfo) { i.Shard, i.MaxInFlight = 1, 7 }},
		{"target", `DB_HOST is "one.test" and "two.test"`, func(i *rundir.RunInfo) { i.Shard, i.Settings[0].Value = 1, "two.test" }},
		{"setting", `--vus is "10" and "20"`, func(i *rundir.RunInfo) { i.Shard, i.Settings[1].Value = 1, "20" }},
		{"schedule", "fingerprints of the schedules abc and def", func(i *rundir.RunInfo) { i.Shard, i.Schedule = 1, "def" }},
		{"whole", "holds a whole run", nil},
		{"outside", "is shard 2 of 2, which cannot be", func(i *rundir.RunInfo) { i.Shard = 2 }},
	} {
		dirs := []string{first, ""}
		if c.change == nil { // a whole run, and nothing else
			c.change = func(i *rundir.RunInfo) { i.Shards = 1 }
			dirs = dirs[1:]
		}
		dirs[len(dirs)-1] = shard(c.name, c.change)
		_, _, err := summary.Merge(dirs, filepath.Join(base, "out-"+c.name), nil)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	if _, _, err := summary.Merge([]string{filepath.Join(base, "nothing")}, filepath.Join(base, "out"), nil); err == nil || !strings.Contains(err.Error(), "has no run.json") {
		t.Errorf("nothing: %v", err)
	}
	if _, err := os.Stat(filepath.Join(base, "out")); err == nil {
		t.Error("a merge that was refused left a directory")
	}
}

// TestAMergeTakesWhatIsThere leaves shards out, cuts them, and gives them twice.
func TestAMergeTakesWhatIsThere(t *testing.T) {
	base := t.TempDir()
	made := 0
	shard := func(n int, change func(*rundir.RunInfo)) string {
		info := shardInfo(n, 3)
		if change != nil {
			change(&info)
		}
		made++
		dir := filepath.Join(base, fmt.Sprint("s", made))
		rundirtest.RecordAs(t, dir, info, uint64(n))
		finish(t, dir)
		return dir
	}
	cut := func(dir, file string, part float64) string {
		path := filepath.Join(dir, file)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.SplitAfter(string(text), "\n")
		rundirtest.Write(t, path, []byte(strings.Join(lines[:int(float64(len(lines))*part)], "")))
		return dir
	}
	again := func(dir string) string { // what another process recorded that was given the same --start-at
		path := filepath.Join(dir, rundir.SeriesFile)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		at := rundirtest.Started.Add(time.Second + 31*time.Microsecond)
		other := strings.Replace(string(text), at.Format(time.RFC3339Nano), at.Add(time.Millisecond).Format(time.RFC3339Nano), 1)
		if other == string(text) {
			t.Fatal("the first second has another instant")
		}
		rundirtest.Write(t, path, []byte(other))
		return dir
	}
	late := func(i *rundir.RunInfo) { i.Late = 2.5 }
	after := func(d time.Duration) func(*rundir.RunInfo) {
		return func(i *rundir.RunInfo) { i.Started = i.Started.Add(d) }
	}
	for name, c := range map[string]struct {
		dirs       []string
		incomplete bool
		arrivals   int64 // as many as how many shards
		generator  string
		note       string
	}{
		"all":              {[]string{shard(2, nil), shard(0, nil), shard(1, nil)}, false, 3, "valid", ""},
		"one missing":      {[]string{shard(0, nil), shard(2, nil)}, true, 2, "valid", "of 3 shards 1 are missing: 1"},
		"only one":         {[]string{shard(1, nil)}, true, 1, "valid", "of 3 shards 2 are missing: 0, 2"},
		"one is no folder": {[]string{shard(0, nil), filepath.Join(base, "none"), shard(2, nil)}, true, 2, "valid", "left out: "},
		"a copy":           {[]string{shard(0, nil), shard(0, nil), shard(1, nil), shard(2, nil)}, false, 3, "valid", "it is shard 0 as"},
		"run twice":        {[]string{shard(0, nil), shard(0, after(700*time.Millisecond)), shard(1, nil), shard(2, nil)}, false, 3, "invalid", "its arrivals were offered twice"},
		"twice at once":    {[]string{shard(0, nil), again(shard(0, nil)), shard(1, nil), shard(2, nil)}, false, 3, "invalid", "its arrivals were offered twice"},
		"twice, one late":  {[]string{shard(0, late), shard(0, nil), shard(1, nil), shard(2, nil)}, false, 3, "valid", "too late for its instant and sent nothing"},
		"late":             {[]string{shard(0, nil), shard(1, nil), shard(2, late)}, true, 3, "valid", "shard 2: run.json: late: all was set up 2.5s after"},
		"apart":            {[]string{shard(0, nil), shard(1, after(700*time.Millisecond)), shard(2, nil)}, false, 3, "valid", "shard 1 started 700ms after the first one"},
		"far apart":        {[]string{shard(0, nil), shard(1, after(1050*time.Millisecond)), shard(2, nil)}, false, 3, "invalid", "shard 1 started 1.05s after the first one"},
		"series cut":       {[]string{shard(0, nil), shard(1, nil), cut(shard(2, nil), rundir.SeriesFile, 0.5)}, true, 0, "valid", "and summary.json says"},
		"run.json damaged": {[]string{shard(0, nil), shard(1, nil), cut(shard(2, nil), rundir.InfoFile, 0.5)}, true, 2, "valid", "run.json is damaged"},
		"other rules":      {[]string{shard(0, nil), shard(1, nil), shard(2, func(i *rundir.RunInfo) { i.Rules = []string{"arrivals: count>1"} })}, false, 3, "valid", "shard 2 was given other rules"},
	} {
		out := filepath.Join(base, "out-"+name)
		run, in, err := summary.Merge(c.dirs, out, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		s := summary.Summarise(run, in)
		all := strings.Join(run.Notes, "\n")
		if s.Run.Incomplete != c.incomplete || s.Generator.Status != c.generator || !strings.Contains(all, c.note) || c.note == "" && all != "" {
			t.Errorf("%s: incomplete %v, generator %s %q, notes:\n%s", name, s.Run.Incomplete, s.Generator.Status, s.Generator.Reasons, all)
		}
		want := summary.VerdictFail // a check of each shard fails
		switch {
		case c.incomplete:
			want = summary.VerdictIncomplete
		case c.generator == "invalid":
			want = summary.VerdictInvalid
		}
		if s.Verdict != want || want != summary.VerdictFail && s.ExitCode != 111 {
			t.Errorf("%s: %s, exit code %d", name, s.Verdict, s.ExitCode)
		}
		if c.arrivals > 0 && s.Arrivals.Succeeded != c.arrivals*4428 && s.Arrivals.Succeeded%c.arrivals != 0 {
			t.Errorf("%s: %d succeeded", name, s.Arrivals.Succeeded)
		}
		if s.Arrivals.Scheduled != 3*4510 {
			t.Errorf("%s: %d scheduled: what is missing was planned", name, s.Arrivals.Scheduled)
		}
		again, err := rundir.Open(out)
		if err != nil || c.incomplete && !again.Incomplete {
			t.Errorf("%s: opened again: %v, %+v", name, err, again)
		}
	}
}

// Shards that were all ended by one rule are a run that was; where one was not, something
// is missing.
func TestAMergeOfShardsThatWereEndedEarly(t *testing.T) {
	breach := &sla.Breach{Rule: "errors", Metric: "error_rate", Target: "RATE < 1%", Actual: "50%"}
	stop := func(in *summary.Inputs) { in.Stopped = breach }
	aborted := func(in *summary.Inputs) { in.AbortedBy = "shard 0: errors" }
	interrupted := func(in *summary.Inputs) { in.Interrupted = true }
	for name, c := range map[string]struct {
		ends []func(*summary.Inputs)
		want summary.Verdict
	}{
		"by a rule":            {[]func(*summary.Inputs){stop, aborted, aborted}, summary.VerdictFail},
		"by rules of each":     {[]func(*summary.Inputs){stop, stop, stop}, summary.VerdictFail},
		"one alone":            {[]func(*summary.Inputs){stop, nil, nil}, summary.VerdictIncomplete},
		"by a signal to one":   {[]func(*summary.Inputs){interrupted, aborted, aborted}, summary.VerdictInterrupted},
		"one alone, by signal": {[]func(*summary.Inputs){interrupted, nil, nil}, summary.VerdictIncomplete},
	} {
		base := t.TempDir()
		var dirs []string
		for n, end := range c.ends {
			dir := filepath.Join(base, fmt.Sprint(n))
			rundirtest.RecordAs(t, dir, shardInfo(n, 3), 1)
			run, err := rundir.Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			in := summarytest.Inputs()
			in.Checks = nil
			if end != nil {
				end(&in)
			}
			if err := summary.Write(dir, summary.Summarise(rundir.NewRun(run.Info, run.Totals, run.Elapsed), in)); err != nil {
				t.Fatal(err)
			}
			dirs = append(dirs, dir)
		}
		run, in, err := summary.Merge(dirs, filepath.Join(base, "out"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if s := summary.Summarise(run, in); s.Verdict != c.want {
			t.Errorf("%s: %s, want %s; %q", name, s.Verdict, c.want, s.Notes)
		}
	}
}

func TestGaugesOfShardsAddUpOrStandSideBySide(t *testing.T) {
	base := t.TempDir()
	var dirs []string
	started := time.Unix(1_750_000_000, 0).UTC()
	decided := metrics.Desc{Name: "decided", Kind: metrics.KindGauge, Unit: metrics.UnitCount, Adds: true}
	memory := metrics.Desc{Name: "memory", Kind: metrics.KindGauge, Unit: metrics.UnitBytes}
	server := metrics.Desc{Name: "server", Kind: metrics.KindGauge, Unit: metrics.UnitCount}
	for n := range 3 {
		info := shardInfo(n, 3)
		info.Started = started
		dir := filepath.Join(base, fmt.Sprint(n))
		w, err := rundir.Create(dir, info, []metrics.Desc{decided, memory, server})
		if err != nil {
			t.Fatal(err)
		}
		for second := range 4 {
			if second == 3 && n == 2 {
				continue // it ended a second before
			}
			s := metrics.Snapshot{Number: second, Start: time.Duration(second) * time.Second, End: time.Duration(second+1) * time.Second}
			s.At = started.Add(s.End)
			s.Gauges = []metrics.GaugeValue{{Series: &metrics.Series{Desc: decided}, Value: float64(10*second + n)}, {Series: &metrics.Series{Desc: memory}, Value: 5}}
			if n == 0 {
				s.Gauges = append(s.Gauges, metrics.GaugeValue{Series: &metrics.Series{Desc: server}, Value: 7})
			}
			w.Snapshot(&s)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, dir)
	}
	run, _, err := summary.Merge(dirs, filepath.Join(base, "out"), nil)
	if err != nil {
		t.Fatal(err)
	}
	gauge := func(name, operation string) []float64 {
		return run.Totals.Gauge(metrics.Selector{Name: name, Tags: metrics.Tags{Operation: operation}})
	}
	if d := cmp.Diff([]float64{3, 33, 63, 83}, gauge("decided", "")); d != "" {
		t.Errorf("readings that add up (-want +got):\n%s", d)
	}
	if got := gauge("memory", "shard-1"); len(got) != 4 || got[0] != 5 {
		t.Errorf("readings of each shard: %v", got)
	}
	if got := gauge("server", ""); len(got) != 4 || len(gauge("server", "shard-0")) != 0 {
		t.Errorf("readings of one shard for all: %v", got)
	}
}

func TestTheWorstShardDecidesAndStandsFirst(t *testing.T) {
	base := t.TempDir()
	var dirs []string
	for n, g := range []summary.GeneratorHealth{
		{Status: "suspect", Reasons: []string{"late"}}, {Status: "valid"}, {Status: "invalid", Reasons: []string{"throttled"}},
	} {
		dir := filepath.Join(base, fmt.Sprint(n))
		rundirtest.RecordAs(t, dir, shardInfo(n, 3), 1)
		run, err := rundir.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		in := summarytest.Inputs()
		in.Generator = &g
		if err := summary.Write(dir, summary.Summarise(rundir.NewRun(run.Info, run.Totals, run.Elapsed), in)); err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, dir)
	}
	_, in, err := summary.Merge(dirs, filepath.Join(base, "out"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"shard 2: throttled", "shard 0: late"}, in.Generator.Reasons); d != "" || in.Generator.Status != "invalid" {
		t.Errorf("%s %s", in.Generator.Status, d)
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
	run, in, err := summary.Merge([]string{a, b}, filepath.Join(base, "out"), nil)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(run.Notes, "\n")
	if !run.Incomplete || in.Interrupted || !strings.Contains(all, "shard 1: summary.json: missing") || !strings.Contains(all, "has no histogram for") {
		t.Fatalf("incomplete %v, interrupted %v, notes:\n%s", run.Incomplete, in.Interrupted, all)
	}
	again, err := rundir.Open(filepath.Join(base, "out"))
	if err != nil || !again.Incomplete || !strings.Contains(strings.Join(again.Notes, "\n"), "shard 1: ") {
		t.Fatalf("opened again: %v, %+v", err, again.Notes)
	}
}
