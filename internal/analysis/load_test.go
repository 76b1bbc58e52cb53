package analysis

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/perfctl/perfctl/internal/rundir"
)

func loadStages() []rundir.StageInfo {
	return steps(stage("warm-up", "normal", false, 10, 10, 100), stage("steady", "normal", true, 60, 100, 100),
		stage("peak-ramp", "high", true, 60, 100, 1000), stage("peak", "high", true, 60, 1000, 1000),
		stage("cool-down", "normal", true, 20, 1000, 10))
}

// rateOf is the rate that loadStages offers.
func rateOf(t float64) float64 {
	for _, s := range loadStages() {
		if t < s.Start+s.Duration {
			return s.From + (s.To-s.From)*(t-s.Start)/s.Duration
		}
	}
	return 0
}

func TestTheRateAtWhichARuleFirstBreaksIsFound(t *testing.T) {
	for _, truth := range []float64{250, 600, 950} {
		y := system{stages: loadStages(), noise: 0.05, phi: 0.5, seed: uint64(truth),
			slow: func(t float64) float64 {
				if rateOf(t) > truth {
					return 400 // P95 is twice that
				}
				return 20
			},
			rules: map[string]string{"P95": "response_time: p(95) < 500ms", "Errors": "error_rate: rate < 1%", "Peak": "throughput: value > 5000/s"}}
		a := y.analyse(t)
		if len(a.Breaks) != 1 || a.Breaks[0].Rule != "P95" {
			t.Fatalf("broken at %g/s: %+v", truth, a.Breaks)
		}
		b := a.Breaks[0]
		if math.Abs(b.Rate-truth) > 90 || b.Held == nil || *b.Held > truth || *b.Held < truth-140 {
			t.Errorf("broken at %g/s: found at %g/s, held at %v", truth, b.Rate, *b.Held)
		}
		if !strings.Contains(strings.Join(a.Sentences, " "), `first rule to break on the way up was "P95"`) {
			t.Errorf("no sentence says so: %v", a.Sentences)
		}
	}
}

func TestLevelsHoldWhatWasOfferedOnTheWayUp(t *testing.T) {
	y := system{stages: loadStages(), failing: func(t float64) float64 {
		if rateOf(t) > 700 {
			return 0.1
		}
		return 0
	}}
	a := y.analyse(t)
	if len(a.Levels) != 12 {
		t.Fatalf("%d levels, want steady, ten parts of the ramp, and peak", len(a.Levels))
	}
	first, last := a.Levels[0], a.Levels[11]
	if math.Abs(first.Rate-100) > 1 || *first.ErrorRate != 0 || first.P99 == nil || math.Abs(*first.P50-4.2) > 0.3 {
		t.Errorf("steady: %+v", first)
	}
	if math.Abs(last.Rate-1000) > 2 || math.Abs(*last.ErrorRate-0.1) > 0.01 || math.Abs(last.Achieved-900) > 10 {
		t.Errorf("peak: %+v", last)
	}
	for i := range a.Levels[1:] {
		if a.Levels[i].Rate >= a.Levels[i+1].Rate {
			t.Errorf("level %d does not offer more than the one before", i+1)
		}
	}
}

func TestAShortPeakIsNoBreak(t *testing.T) {
	y := system{stages: loadStages(), rules: map[string]string{"P95": "response_time: p(95) < 500ms"},
		slow: func(t float64) float64 {
			if t > 96 && t < 99 {
				return 4000
			}
			return 20
		}}
	if a := y.analyse(t); len(a.Breaks) > 0 {
		t.Errorf("%+v", a.Breaks)
	}
}

func TestTheSteadyStateIsFound(t *testing.T) {
	warm := func(t float64) float64 {
		if t < 40 {
			return 50 - t
		}
		return 10
	}
	y := system{stages: steps(stage("steady", "normal", true, 200, 100, 100)), slow: warm, noise: 0.05, phi: 0.3}
	a := y.analyse(t)
	s := a.Steady[0]
	if !s.Known || math.Abs(s.WarmUp-40) > 10 || math.Abs(s.Mean-10) > 0.5 {
		t.Fatalf("%+v", s)
	}
	if !strings.Contains(strings.Join(a.Sentences, " "), "warm up for that much longer") {
		t.Errorf("no advice: %v", a.Sentences)
	}
	y.slow = on(60, 1000, 40, 2)
	a = y.analyse(t)
	if s := a.Steady[0]; !s.Known || math.Abs(s.WarmUp-60) > 5 || !slices.Contains(found(a), "slowed_down") {
		t.Errorf("a system that is slower from 60 s on: %+v, found %v", s, found(a))
	}
	y.slow = constant(10)
	if s := y.analyse(t).Steady[0]; !s.Known || s.WarmUp != 0 {
		t.Errorf("a system that is steady from the start: %+v", s)
	}
	y.slow = func(t float64) float64 { return 10 + t*t/100 }
	if s := y.analyse(t).Steady[0]; s.Known {
		t.Errorf("a system that is never steady: %+v", s)
	}
	y.stages = steps(stage("steady", "normal", true, 30, 100, 100))
	if a := y.analyse(t); !strings.Contains(because(a, "steady state of steady"), "it lasts 30 s, 50 s are needed") {
		t.Errorf("a short one: %+v", a.CannotSay)
	}
}

func TestASystemThatFailsFromTheFirstArrivalHasNoFigures(t *testing.T) {
	y := system{stages: loadStages(), failing: constant(1), rules: map[string]string{"P95": "response_time: p(95) < 500ms"}}
	a := y.analyse(t)
	for _, l := range a.Levels {
		if *l.ErrorRate != 1 || l.P95 != nil {
			t.Fatalf("%+v", l)
		}
	}
	if !strings.Contains(because(a, "what the system holds"), "failed from the first one") {
		t.Errorf("%+v", a.CannotSay)
	}
	if s := a.Steady[0]; s.Known || !strings.Contains(s.Because, "known of 0 of") {
		t.Errorf("%+v", s)
	}
	// The rule and, with it, that the load is achieved at all.
	if len(a.Breaks) != 2 || a.Breaks[0].Held != nil || a.Breaks[1].Held != nil {
		t.Errorf("the rules were broken from the first level on: %+v", a.Breaks)
	}
}
