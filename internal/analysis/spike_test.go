package analysis

import (
	"math"
	"strings"
	"testing"

	"github.com/perfctl/perfctl/internal/metrics"
)

// slowUntil is a system of 5 ms that the spike makes slow, and whose response
// time comes down in a line until it is back at the given time.
func slowUntil(back float64) func(float64) float64 {
	return func(t float64) float64 {
		switch {
		case t < 60 || t >= back:
			return 5
		case t < 120:
			return 5 + 495*min(1, (t-60)/20)
		}
		return 5 + 495*max(0.2, (back-t)/(back-120))
	}
}

func TestRecoveryTimeIsWithinTwoSecondsOfTheTruth(t *testing.T) {
	for _, after := range []float64{0, 1, 5, 17, 40, 90} {
		for seed := range uint64(10) {
			y := system{profile: "spike", stages: spikeStages(), seed: seed, noise: 0.1, phi: 0.5, slow: slowUntil(120 + after)}
			r := y.analyse(t).Recoveries
			if len(r) != 1 || !r[0].Known || !r[0].Recovered {
				t.Fatalf("back after %g s, seed %d: %+v", after, seed, r)
			}
			if got := *r[0].Time; math.Abs(got-after) > 2 {
				t.Errorf("back after %g s, seed %d: recovered after %g s", after, seed, got)
			}
		}
	}
}

func TestASystemThatStaysSlowHasNotRecovered(t *testing.T) {
	for seed := range uint64(10) {
		y := system{profile: "spike", stages: spikeStages(), seed: seed, noise: 0.1, phi: 0.5, slow: slowUntil(1000)}
		a := y.analyse(t)
		if r := a.Recoveries[0]; !r.Known || r.Recovered || r.Time != nil || !strings.Contains(strings.Join(r.Waiting, " "), ofResponse) {
			t.Fatalf("seed %d: %+v", seed, r)
		}
		if len(a.Findings) == 0 || a.Findings[0].ID != "not_recovered" {
			t.Errorf("seed %d: no finding says so: %+v", seed, a.Findings)
		}
	}
}

func TestASystemThatKeepsFailingHasNotRecovered(t *testing.T) {
	y := system{profile: "spike", stages: spikeStages(), failing: func(t float64) float64 {
		if t > 70 {
			return 0.2
		}
		return 0
	}}
	r := y.analyse(t).Recoveries[0]
	if !r.Known || r.Recovered || strings.Join(r.Waiting, ",") != ofErrors {
		t.Fatalf("%+v", r)
	}
	if r.Failed == 0 || r.ErrorRate == nil || *r.ErrorRate < 0.1 {
		t.Errorf("the errors during the spike: %+v", r)
	}
}

func TestDepthAreaBacklogAndMemoryOfASpike(t *testing.T) {
	queue := metrics.Desc{Name: "rabbitmq_queue_length", Kind: metrics.KindGauge, Unit: metrics.UnitCount, Role: metrics.RoleQueue}
	memory := metrics.Desc{Name: "process_memory_bytes", Kind: metrics.KindGauge, Unit: metrics.UnitBytes, Role: metrics.RoleProcessMemory}
	y := system{profile: "spike", stages: spikeStages(),
		slow: func(t float64) float64 {
			if t > 60 && t < 120 {
				return 105
			}
			return 5
		},
		gauges: map[metrics.Desc]func(float64) float64{
			queue: func(t float64) float64 {
				switch {
				case t < 60:
					return 3
				case t < 120:
					return 3 + 20*(t-60)
				}
				return max(3, 1200-40*(t-120))
			},
			memory: func(t float64) float64 {
				if t > 60 {
					return 300e6
				}
				return 100e6
			},
		}}
	r := y.analyse(t).Recoveries[0]
	// 500/s for 60 s, each 100 ms longer, of 105 ms instead of 5 ms.
	if r.Area == nil || math.Abs(*r.Area-3000) > 60 {
		t.Errorf("excess wait %v s, want about 3000", r.Area)
	}
	if r.Depth == nil || *r.Depth < 20 || *r.Depth > 27 {
		t.Errorf("depth %+v, want somewhat above 21", r)
	}
	var q *Backlog
	for i := range r.Backlogs {
		if r.Backlogs[i].Series == queue.Name {
			q = &r.Backlogs[i]
		}
	}
	if q == nil || q.Peak < 1180 || q.Drain == nil || math.Abs(*q.Drain-30) > 2 {
		t.Errorf("the queue: %+v, want a peak of 1200 that drains in 30 s", q)
	}
	if len(r.Memory) != 1 || r.Memory[0].Before != 100e6 || r.Memory[0].Peak != 300e6 || r.Memory[0].After != 300e6 {
		t.Errorf("the memory: %+v", r.Memory)
	}
}

func TestStagesOfASpikeAreOneAndTwoSpikesAreTwo(t *testing.T) {
	y := system{stages: steps(stage("normal", "normal", true, 30, 50, 50), stage("up", "spike", true, 10, 50, 250),
		stage("top", "spike", true, 10, 250, 250), stage("down", "spike", true, 10, 250, 50), stage("rest", "normal", true, 30, 50, 50),
		stage("again", "spike", true, 10, 250, 250), stage("end", "normal", true, 30, 50, 50)),
		slow: func(t float64) float64 {
			if t > 30 && t < 65 || t > 90 && t < 108 {
				return 200
			}
			return 5
		}}
	r := y.analyse(t).Recoveries
	if len(r) != 2 || r[0].Stage != "top" || r[0].From != 30 || r[0].To != 60 || r[1].Stage != "again" {
		t.Fatalf("%+v", r)
	}
	if !r[0].Recovered || math.Abs(*r[0].Time-5) > 1 || !r[1].Recovered || math.Abs(*r[1].Time-8) > 1 {
		t.Errorf("recovered after %v s and %v s, want 5 and 8", r[0].Time, r[1].Time)
	}
	if r[0].Due != 5500 {
		t.Errorf("%d arrivals in the stages of the first spike, want 1500+2500+1500", r[0].Due)
	}
}

func TestWhereTheRecoveryCannotBeToldItIsSaidWhy(t *testing.T) {
	short := func(before, after float64) system {
		return system{stages: steps(stage("normal", "normal", true, before, 100, 100), stage("spike", "spike", true, 20, 500, 500),
			stage("recovery", "normal", true, after, 100, 100))}
	}
	first := system{stages: steps(stage("spike", "spike", true, 20, 500, 500), stage("recovery", "normal", true, 60, 100, 100))}
	failing := short(60, 60)
	failing.failing = constant(1)
	hole := short(60, 60)
	hole.silent = func(t float64) bool { return t > 85 && t < 91 }
	late := short(60, 15)
	late.slow = func(t float64) float64 {
		if t > 60 && t < 89 {
			return 500
		}
		return 5
	}
	stopped := short(60, 60)
	stopped.silent = func(t float64) bool { return t > 70 }
	last := system{stages: steps(stage("normal", "normal", true, 60, 100, 100), stage("spike", "spike", true, 20, 500, 500))}
	for want, y := range map[string]system{
		"has no before":                   first,
		"2 s of load to compare with":     short(3, 60),
		"failed already before the spike": failing,
		"watched for 6 s":                 short(60, 6),
		"nothing is known of 6 s":         hole,
		"only the last 6 s":               late,
		"no load comes after":             last,
		"ended before the spike did":      stopped,
	} {
		a := y.analyse(t)
		r := a.Recoveries[0]
		if r.Known || !strings.Contains(r.Because, want) {
			t.Errorf("want %q: %+v", want, r)
			continue
		}
		said := false
		for _, u := range a.CannotSay {
			said = said || u.Because == r.Because
		}
		if !said {
			t.Errorf("%q is not among %+v", want, a.CannotSay)
		}
	}
}
