package summary

import (
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
)

// What was in flight when a run was killed does not vanish from its account.
func TestAKilledRunAccountsForWhatWasUnderWay(t *testing.T) {
	totals := metrics.NewTotals()
	add := func(d metrics.Desc, n int64) {
		totals.AddCounter(&metrics.Series{Desc: d, Tags: metrics.Tags{Scenario: "api", Stage: "main"}}, n)
	}
	add(metrics.Arrivals, 200)
	add(metrics.ArrivalsStarted, 120)
	add(metrics.ArrivalsSucceeded, 50)
	add(metrics.ArrivalsFailed, 3)
	for _, killed := range []bool{true, false} {
		run := rundir.NewRun(rundir.RunInfo{Planned: 500, Stages: []rundir.StageInfo{{Name: "main", Judged: true, Planned: 500}}}, totals, time.Second)
		run.Killed = killed
		a := Summarise(run, Inputs{}).Arrivals
		rest := a.Planned - a.Succeeded - a.Failed - a.Dropped - a.Unfinished
		if killed && (rest != 0 || a.Unfinished != 147) || !killed && a.Unfinished != 0 {
			t.Errorf("killed %t: %+v", killed, a)
		}
	}
}
