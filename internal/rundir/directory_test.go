package rundir_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"pgregory.net/rapid"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/rundir/rundirtest"
)

func TestARunReadsBackAsItWasRecorded(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	want := rundirtest.Record(t, dir, 1)
	got, err := rundir.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	rundirtest.SameTotals(t, want, got.Totals)
	if len(got.Seconds) != 11 || got.Elapsed != 10*time.Second+137*time.Millisecond+31*time.Microsecond {
		t.Errorf("%d seconds, %s", len(got.Seconds), got.Elapsed)
	}
	if s := got.Seconds[6]; s.Stage != "peak" || !s.At.Equal(rundirtest.Started.Add(s.End)) {
		t.Errorf("second 6: %+v", s)
	}
	if len(got.Notes) != 1 || !strings.HasPrefix(got.Notes[0], "summary.json: missing") || !got.Incomplete {
		t.Errorf("a run without a summary: incomplete %v, notes %q", got.Incomplete, got.Notes)
	}
	if got.Info.Profile != "load" || !got.Info.Started.Equal(rundirtest.Started) || len(got.Info.Stages) != 3 {
		t.Errorf("run.json came back as %+v", got.Info)
	}
}

func TestSeriesOverTimeHaveAPointForEachSecond(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	rundirtest.Record(t, dir, 1)
	run, err := rundir.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	l := run.Line("response_time{scenario:tasks,stage:peak}")
	if l == nil || len(l.At) != 4 || run.Seconds[l.At[0]].Stage != "peak" {
		t.Fatalf("got %+v", l)
	}
	for i, p := range l.Trend {
		if !p.Whole || p.N == 0 || p.Min > p.P50 || p.P50 > p.P95 || p.P95 > p.Max || p.P99 != -1 {
			t.Errorf("point %d: %+v (2 %% of the arrivals were dropped: no 99th percentile)", i, p)
		}
	}
	if g := run.Line("rabbitmq_queue_length{scenario:tasks,stage:steady}"); g == nil || g.Value[0] != 10.5 {
		t.Errorf("gauge: %+v", g)
	}
	if run.Line("none") != nil {
		t.Error("a series that does not exist was found")
	}
}

func TestHdrToolsReadTheLog(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	totals := rundirtest.Record(t, dir, 1)
	text, err := os.ReadFile(filepath.Join(dir, rundir.LogFile))
	if err != nil {
		t.Fatal(err)
	}
	r := hdrhistogram.NewHistogramLogReader(bytes.NewReader(text))
	var n int64
	for {
		h, err := r.NextIntervalHistogram()
		if err != nil {
			t.Fatal(err)
		}
		if h == nil {
			break
		}
		if strings.HasPrefix(h.Tag(), "response_time{") {
			n += h.TotalCount()
		}
	}
	if want := totals.Trend(metrics.Selector{Name: "response_time"}).N; n != want {
		t.Fatalf("the log holds %d response times, want %d", n, want)
	}
}

func TestAKilledRunIsReadUpToItsLastWholeSecond(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	rundirtest.Record(t, dir, 1)
	whole := map[string][]byte{}
	for _, f := range []string{rundir.SeriesFile, rundir.LogFile} {
		text, err := os.ReadFile(filepath.Join(dir, f))
		if err != nil {
			t.Fatal(err)
		}
		whole[f] = text
	}
	rapid.Check(t, func(t *rapid.T) {
		series := whole[rundir.SeriesFile][:rapid.IntRange(0, len(whole[rundir.SeriesFile])).Draw(t, "series")]
		rundirtest.Write(t, filepath.Join(dir, rundir.SeriesFile), series)
		// A second's line follows its histograms, so that of a killed run all
		// histograms of the lines that are there are there.
		rundirtest.Write(t, filepath.Join(dir, rundir.LogFile), whole[rundir.LogFile])
		run, err := rundir.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		seconds := bytes.Count(series, []byte{'\n'})
		want := metrics.NewTotals()
		rundirtest.NewRecorder(1).Seconds(func(s *metrics.Snapshot) {
			if s.Number < seconds {
				want.Add(s)
			}
		})
		if !run.Incomplete || len(run.Seconds) != seconds {
			t.Fatalf("incomplete: %v; %d seconds, want %d", run.Incomplete, len(run.Seconds), seconds)
		}
		rundirtest.SameTotals(t, want, run.Totals)
	})
}

func TestDamageIsNotedAndNothingInvented(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	full := rundirtest.Flatten(rundirtest.Record(t, dir, 1))
	whole := map[string][]byte{}
	for _, f := range []string{rundir.SeriesFile, rundir.LogFile} {
		whole[f], _ = os.ReadFile(filepath.Join(dir, f))
	}
	rapid.Check(t, func(t *rapid.T) {
		for f, text := range whole {
			at := rapid.IntRange(0, len(text)).Draw(t, "from")
			to := min(at+rapid.IntRange(0, 2000).Draw(t, "bytes"), len(text))
			cut := append(append([]byte{}, text[:at]...), text[to:]...)
			rundirtest.Write(t, filepath.Join(dir, f), cut)
		}
		run, err := rundir.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		for key, got := range rundirtest.Flatten(run.Totals) {
			want, known := full[key]
			if !known {
				continue // a cut through a key can leave another one, which the next check bounds
			}
			if got.N > want.N || got.Censor > want.Censor {
				t.Fatalf("%s: %d values of %d", key, got.N, want.N)
			}
			for i, n := range got.Buckets {
				if n > want.Buckets[i] {
					t.Fatalf("%s: bucket %d holds %d, recorded were %d", key, i, n, want.Buckets[i])
				}
			}
		}
	})
}

func TestATornLineCostsOneSecond(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	rundirtest.Record(t, dir, 1)
	path := filepath.Join(dir, rundir.SeriesFile)
	text, _ := os.ReadFile(path)
	lines := bytes.SplitAfter(text, []byte{'\n'})
	lines[3] = append(lines[3][:len(lines[3])/2:len(lines[3])/2], '\n')
	rundirtest.Write(t, path, bytes.Join(lines, nil))
	run, err := rundir.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(run.Seconds) != 10 || !run.Incomplete {
		t.Fatalf("%d seconds, incomplete %v", len(run.Seconds), run.Incomplete)
	}
	all := strings.Join(run.Notes, "\n")
	for _, want := range []string{"line 4 is torn", "nothing is known of the 1s before it", "belong to no second"} {
		if !strings.Contains(all, want) {
			t.Errorf("no note says %q:\n%s", want, all)
		}
	}
}

func TestAHistogramThatContradictsItsLineIsLeftOut(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	rundirtest.Record(t, dir, 1)
	path := filepath.Join(dir, rundir.SeriesFile)
	text, _ := os.ReadFile(path)
	rundirtest.Write(t, path, bytes.Replace(text, []byte(`"n":44,`), []byte(`"n":45,`), 1))
	run, err := rundir.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if all := strings.Join(run.Notes, "\n"); !strings.Contains(all, "it holds 44 values, series.ndjson says 45") || !run.Incomplete {
		t.Fatalf("notes: %s", all)
	}
}

func TestWhatIsNoRunDirectorySaysWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	if _, err := rundir.Open(dir); err == nil || !strings.Contains(err.Error(), "no run directory: it has no run.json") {
		t.Errorf("an empty folder: %v", err)
	}
	rundirtest.Write(t, filepath.Join(dir, rundir.InfoFile), []byte("{}"))
	if _, err := rundir.Open(dir); err == nil || !strings.Contains(err.Error(), "its run.json is not perfctl's") {
		t.Errorf("a folder with somebody else's run.json: %v", err)
	}
	if _, err := rundir.Open(filepath.Join(dir, "none")); err == nil {
		t.Error("a folder that does not exist was opened")
	}
}

func TestARunDirectoryIsNotOverwritten(t *testing.T) {
	dir := t.TempDir()
	rundirtest.Record(t, dir, 1)
	if _, err := rundir.Create(dir, rundirtest.Info(), nil); err == nil || !strings.Contains(err.Error(), "already holds a run") {
		t.Fatalf("got %v", err)
	}
}

func TestAFullDiskDoesNotStopTheRun(t *testing.T) {
	dir := t.TempDir()
	w, err := rundir.Create(dir, rundirtest.Info(), nil)
	if err != nil {
		t.Fatal(err)
	}
	// /dev/full takes no byte.
	if err := rundir.Redirect(w, "/dev/full"); err != nil {
		t.Skipf("needs /dev/full: %v", err)
	}
	rundirtest.NewRecorder(1).Seconds(w.Snapshot)
	if err := w.Err(); err == nil || !strings.Contains(err.Error(), "no space left") || !strings.Contains(err.Error(), "seconds lost: 11") {
		t.Fatalf("got %v", err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	run, err := rundir.Open(dir)
	if err != nil || !run.Incomplete || len(run.Seconds) != 0 {
		t.Fatalf("%+v, %v", run, err)
	}
}

func BenchmarkSnapshot(b *testing.B) {
	w, err := rundir.Create(b.TempDir(), rundirtest.Info(), nil)
	if err != nil {
		b.Fatal(err)
	}
	r := rundirtest.NewRecorder(1)
	s := &metrics.Snapshot{End: time.Second, At: rundirtest.Started}
	for i := range 30 {
		tags := metrics.Tags{Scenario: "tasks", Operation: string(rune('a' + i))}
		s.Trends = append(s.Trends, metrics.TrendValue{Series: r.Of(rundirtest.Query, tags), Hist: r.Hist(1000, 5e6, 0)})
		s.Counters = append(s.Counters, metrics.CounterValue{Series: r.Of(rundirtest.Sent, tags), Delta: 9})
	}
	b.ReportAllocs()
	for b.Loop() {
		w.Snapshot(s)
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	w, err := rundir.Create(dir, rundirtest.Info(), nil)
	if err != nil {
		b.Fatal(err)
	}
	r := rundirtest.NewRecorder(1)
	s := &metrics.Snapshot{At: rundirtest.Started}
	for i := range 30 {
		tags := metrics.Tags{Scenario: "tasks", Operation: string(rune('a' + i))}
		s.Trends = append(s.Trends, metrics.TrendValue{Series: r.Of(rundirtest.Query, tags), Hist: r.Hist(200, 5e6, 0)})
	}
	for range 300 {
		s.Start, s.End = s.End, s.End+time.Second
		w.Snapshot(s)
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if run, err := rundir.Open(dir); err != nil || len(run.Seconds) != 300 {
			b.Fatal(err)
		}
	}
}
