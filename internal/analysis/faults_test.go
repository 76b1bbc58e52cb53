package analysis

import (
	"math"
	"strings"
	"testing"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/sla"
)

// steadyStages are 240 s of one load.
func steadyStages() []rundir.StageInfo {
	return steps(stage("steady", "normal", true, 240, 100, 100))
}

func fault(name string, start, end float64) rundir.FaultInfo {
	return rundir.FaultInfo{Name: name, Target: "redis", Kind: "blackhole", Text: "redis: blackhole", Start: start, End: end, Share: 1}
}

// slowInFault is a system that is slow in a fault from 60 to 80 s, and until the given time.
func slowInFault(back float64) func(float64) float64 {
	return func(t float64) float64 {
		switch {
		case t >= 60 && t < back:
			return 250
		}
		return 5
	}
}

func TestRecoveryFromAFaultIsWithinASecondOfTheTruth(t *testing.T) {
	for _, after := range []float64{0, 1, 3, 8, 20, 60} {
		for seed := range uint64(10) {
			y := system{profile: "steady", stages: steadyStages(), seed: seed, noise: 0.1, phi: 0.5, slow: slowInFault(80 + after),
				faults: []rundir.FaultInfo{fault("hole", 60, 80)}}
			a := y.analyse(t)
			if len(a.Faults) != 1 || !a.Faults[0].Known || !a.Faults[0].Recovered {
				t.Fatalf("back after %g s, seed %d: %+v", after, seed, a.Faults)
			}
			if got := *a.Faults[0].Time; math.Abs(got-after) > 1 {
				t.Errorf("back after %g s, seed %d: recovered after %g s", after, seed, got)
			}
		}
	}
}

func TestErrorsAreCountedForTheirFault(t *testing.T) {
	reconnects := metrics.Desc{Name: "redis_reconnects", Kind: metrics.KindCounter, Unit: metrics.UnitCount, Role: metrics.RoleReconnects}
	retries := metrics.Desc{Name: "http_retries", Kind: metrics.KindCounter, Unit: metrics.UnitCount, Role: metrics.RoleRetries}
	in := func(t float64) bool { return t > 60 && t < 70 }
	y := system{profile: "steady", stages: steadyStages(), faults: []rundir.FaultInfo{fault("down", 60, 70)},
		failing: func(t float64) float64 {
			if in(t) {
				return 0.5
			}
			return 0
		},
		counters: map[metrics.Desc]func(float64) float64{
			reconnects: func(t float64) float64 {
				if t > 70 && t < 71 {
					return 30
				}
				return 0
			},
			retries: func(t float64) float64 {
				if in(t) {
					return 20
				}
				return 0
			},
		}}
	a := y.analyse(t)
	e := a.Faults[0]
	if e.Due != 1000 || e.ErrorRate == nil || math.Abs(*e.ErrorRate-0.5) > 0.06 || e.Failed == 0 {
		t.Errorf("errors: %+v", e)
	}
	if e.FirstError == nil || *e.FirstError > 1 {
		t.Errorf("the first error: %v", e.FirstError)
	}
	if !e.Recovered || *e.Time != 0 {
		t.Errorf("recovery: %+v", e)
	}
	if e.Wanted != 1000 || e.Offered < e.Wanted {
		t.Errorf("%d arrivals wanted, %d offered", e.Wanted, e.Offered)
	}
	if e.Reconnects != 30 || e.Storm != 30 {
		t.Errorf("%d reconnects, up to %d a second: want the 30 that came as the fault ended", e.Reconnects, e.Storm)
	}
	if text := strings.Join(a.Sentences, " "); !strings.Contains(text, "The fault down (redis: blackhole, from 1 min to 1 min 10 s) cost") {
		t.Errorf("the sentences: %s", text)
	}
}

func TestAFaultThatLeavesSomethingBehindIsAFinding(t *testing.T) {
	y := system{profile: "steady", stages: steadyStages(), noise: 0.05, slow: slowInFault(1000), faults: []rundir.FaultInfo{fault("hole", 60, 80)}}
	a := y.analyse(t)
	if e := a.Faults[0]; !e.Known || e.Recovered || e.Time != nil || !strings.Contains(strings.Join(e.Waiting, " "), ofResponse) {
		t.Fatalf("%+v", e)
	}
	if len(a.Findings) == 0 || a.Findings[0].ID != "fault_not_recovered" {
		t.Errorf("no finding says so: %+v", a.Findings)
	}
}

func TestFaultsAreComparedWithWhatWasBeforeAllOfThem(t *testing.T) {
	// The second begins while the system is still slow of the first, and the third
	// after it is back.
	slow := func(t float64) float64 {
		if t >= 60 && t < 100 || t >= 150 && t < 165 {
			return 250
		}
		return 5
	}
	y := system{profile: "steady", stages: steadyStages(), noise: 0.05, slow: slow,
		faults: []rundir.FaultInfo{fault("one", 60, 70), fault("two", 84, 90), fault("three", 150, 160)}}
	got := y.analyse(t).Faults
	if len(got) != 3 || got[0].Recovered || !got[0].Known {
		t.Fatalf("the first: %+v", got)
	}
	if got[1].Time == nil || math.Abs(*got[1].Time-10) > 1 {
		t.Errorf("the second: %+v", got[1])
	}
	if got[2].Time == nil || math.Abs(*got[2].Time-5) > 1 {
		t.Errorf("the third: %+v", got[2])
	}
}

func TestWhatCannotBeToldOfAFaultIsSaid(t *testing.T) {
	for want, list := range map[string][]rundir.FaultInfo{
		"the fault has no before":                       {fault("early", 2, 20)},
		"the fault long was in force when it ended":     {fault("short", 60, 70), fault("long", 65, 90)},
		"the load after the fault was watched for 5 s":  {fault("one", 60, 70), fault("next", 75, 80)},
		"the load after the fault was watched for 4 s,": {fault("late", 200, 236)},
	} {
		a := system{profile: "steady", stages: steadyStages(), faults: list}.analyse(t)
		found := false
		for _, e := range a.Faults {
			found = found || strings.Contains(e.Because, want)
		}
		if !found {
			t.Errorf("%s: %+v", want, a.Faults)
		}
	}
}

func TestAnswersOfFaults(t *testing.T) {
	lost := metrics.Desc{Name: "account_lost", Kind: metrics.KindCounter, Unit: metrics.UnitCount, Role: metrics.RoleAccountLost}
	kept := metrics.Desc{Name: "account_kept", Kind: metrics.KindCounter, Unit: metrics.UnitCount, Role: metrics.RoleAccountKept}
	atEnd := func(n float64) func(float64) float64 {
		return func(t float64) float64 {
			if t > 239 {
				return n
			}
			return 0
		}
	}
	find := func(a *Analysis, metric, fault string) *sla.Answer {
		for _, x := range a.Answers() {
			if x.Metric == metric && x.Fault == fault {
				return &x
			}
		}
		return nil
	}
	y := system{profile: "steady", stages: steadyStages(), slow: slowInFault(83), faults: []rundir.FaultInfo{fault("hole", 60, 80)},
		counters: map[metrics.Desc]func(float64) float64{lost: atEnd(3), kept: atEnd(900)}}
	a := y.analyse(t)
	if x := find(a, sla.RecoveryTime, "hole"); x == nil || math.Abs(x.Value-3e9) > 1e9 {
		t.Errorf("recovery time: %+v", x)
	}
	if x := find(a, sla.Lost, "hole"); x == nil || x.Value != 3 || x.Because != "" {
		t.Errorf("lost in the one fault: %+v", x)
	}
	if x := find(a, sla.Duplicated, ""); x == nil || x.Value != 0 {
		t.Errorf("duplicated in the run: %+v", x)
	}
	y.faults = append(y.faults, fault("second", 150, 160))
	if x := find(y.analyse(t), sla.Lost, "hole"); x == nil || x.Because == "" {
		t.Errorf("which of two faults lost something is not known: %+v", x)
	}
}
