package rundir_test

import (
	"path/filepath"
	"testing"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/rundir/rundirtest"
)

func TestIntervalsAddUpToTheTotals(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	rundirtest.Record(t, dir, 5)
	run, err := rundir.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	again := metrics.NewTotals()
	seen := map[*rundir.Line]int{}
	err = run.Intervals(func(*rundir.Line) bool { return true }, func(second int, l *rundir.Line, h *metrics.Hist) {
		if last, ok := seen[l]; ok && second <= last {
			t.Errorf("%s: second %d after %d", l.Series.Key(), second, last)
		}
		seen[l] = second
		again.AddTrend(&l.Series, h)
	})
	if err != nil {
		t.Fatal(err)
	}
	trends := metrics.NewTotals()
	for _, e := range run.Totals.All() {
		if e.Hist != nil {
			trends.AddTrend(&e.Series, e.Hist)
		}
	}
	rundirtest.SameTotals(t, trends, again)
}

func TestIntervalsOfARunWithoutADirectoryAreNone(t *testing.T) {
	run := rundir.NewRun(rundirtest.Info(), metrics.NewTotals(), 0)
	err := run.Intervals(func(*rundir.Line) bool { return true }, func(int, *rundir.Line, *metrics.Hist) { t.Error("an interval") })
	if err != nil {
		t.Fatal(err)
	}
}
