package analysis

import (
	"strings"
	"testing"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
)

// scaled is a system with a spike from 60 s to 120 s whose instances become four 20 s
// after its beginning, and of which the load is even 8 s after that. It is slow until
// then.
func scaled(count, ratio func(t float64) float64) system {
	return system{
		profile: "spike", stages: spikeStages(),
		slow: func(t float64) float64 {
			if t >= 60 && t < 80 {
				return 900
			}
			return 20
		},
		gauges: map[metrics.Desc]func(float64) float64{
			{Name: metrics.Replicas.Name, Kind: metrics.KindGauge, Unit: metrics.UnitCount}:    count,
			{Name: metrics.ReplicaLoad.Name, Kind: metrics.KindGauge, Unit: metrics.UnitRatio}: ratio,
		},
		rules: map[string]string{"P95": "response_time: p(95) < 500ms"},
	}
}

func from(at, before, after float64) func(float64) float64 {
	return func(t float64) float64 {
		if t < at {
			return before
		}
		return after
	}
}

func TestTheFirstNewInstanceAndTheTimeUntilThenAreTold(t *testing.T) {
	a := scaled(from(80, 2, 4), func(t float64) float64 {
		if t >= 80 && t < 88 {
			return 2
		}
		return 1.05
	}).analyse(t)
	if len(a.Replicas) != 1 {
		t.Fatalf("%+v", a.Replicas)
	}
	s := a.Replicas[0]
	if s.From != 60 || s.To != 120 || *s.Before != 2 || *s.Most != 4 || *s.Last != 4 {
		t.Errorf("%+v", s)
	}
	if s.First == nil || *s.First < 20 || *s.First > 21 {
		t.Errorf("the first new one came after %v", s.First)
	}
	if s.Above == nil || *s.Above < 19 || *s.Above > 21 {
		t.Errorf("response time was above its rule for %v", s.Above)
	}
	if s.Even == nil || *s.Even < 7 || *s.Even > 9 {
		t.Errorf("the load was even after %v", s.Even)
	}
	text := strings.Join(a.Sentences, "\n")
	for _, want := range []string{"served 20 s after the load rose at 1 min", "2 instances then, and 4 at most", "(response_time: p(95) < 500ms)", "even 8 s after the last one came"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
}

func TestAProgramThatDoesNotScaleIsToldAsOne(t *testing.T) {
	s := scaled(constant(2), constant(1)).analyse(t).Replicas[0]
	if s.First != nil || s.Above == nil || *s.Above < 19 || *s.Above > 21 || s.Even != nil {
		t.Errorf("%+v", s)
	}
	if text := s.sentence(); !strings.Contains(text, "No instance") || !strings.Contains(text, "while the load was high") {
		t.Error(text)
	}
	s = scaled(from(80, 1, 2), constant(1.9)).analyse(t).Replicas[0]
	if text := s.sentence(); s.Even != nil || !strings.Contains(text, "1 instance then, and 2 at most") || !strings.Contains(text, "did not even out: the busiest had 1.9 times the mean") {
		t.Error(text)
	}
}

func TestTheLoadRisesWhereNothingIsCalledASpike(t *testing.T) {
	for _, c := range []struct {
		stages   []rundir.StageInfo
		from, to float64
	}{
		{steps(stage("a", "normal", true, 10, 5, 5), stage("b", "normal", true, 10, 9, 9), stage("c", "normal", true, 10, 20, 20), stage("d", "normal", true, 10, 5, 5)), 10, 30},
		{steps(stage("a", "normal", true, 10, 5, 5)), 0, 10},
		{steps(stage("a", "normal", true, 10, 0, 50), stage("b", "normal", true, 10, 50, 50)), 0, 20},
	} {
		y := system{profile: "x", stages: c.stages}
		run, _ := y.record(t)
		if from, to := newAxis(run).rise(); from != c.from || to != c.to {
			t.Errorf("%+v: from %v to %v", c.stages, from, to)
		}
	}
}
