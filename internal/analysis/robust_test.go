package analysis

import (
	"encoding/json"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
)

// anyStage draws a stage, bursts and empty ones among them.
func anyStage(t *rapid.T, i int) rundir.StageInfo {
	rate := rapid.SampledFrom([]float64{0, 1, 20, 100})
	s := stage(string(rune('a'+i)), rapid.SampledFrom([]string{"normal", "high", "spike"}).Draw(t, "class"),
		rapid.Bool().Draw(t, "judged"), rapid.SampledFrom([]float64{0, 0.5, 4, 20, 70}).Draw(t, "duration"), rate.Draw(t, "from"), 0)
	s.To = s.From
	if rapid.Bool().Draw(t, "ramp") {
		s.To = rate.Draw(t, "to")
	}
	if s.Duration == 0 {
		s.Burst = rapid.Int64Range(0, 100).Draw(t, "burst")
	}
	return s
}

// anySystem draws a system that may do anything: fail, fall silent, read
// nonsense.
func anySystem(t *rapid.T) system {
	var stages []rundir.StageInfo
	for i := range rapid.IntRange(0, 5).Draw(t, "stages") {
		stages = append(stages, anyStage(t, i))
	}
	odd := rapid.SampledFrom([]float64{0, 1, 50, 1e12, math.NaN(), math.Inf(1), math.Inf(-1), -5})
	level := func(name string) func(float64) float64 {
		a, b, turn := odd.Draw(t, name+" before"), odd.Draw(t, name+" after"), rapid.Float64Range(0, 100).Draw(t, name+" turns")
		return on(turn, 1e9, b, a)
	}
	share := rapid.SampledFrom([]float64{0, 0.01, 0.5, 1})
	y := system{
		stages: steps(stages...), seed: rapid.Uint64().Draw(t, "seed"), noise: 0.1,
		failing: on(rapid.Float64Range(0, 100).Draw(t, "fails at"), 1e9, share.Draw(t, "fails"), 0), dropping: constant(share.Draw(t, "drops")),
		gauges: map[metrics.Desc]func(float64) float64{memoryOf: level("memory"), queueOf: level("queue"), poolUse: level("pool")},
		rules:  guideRules, scenarios: four[:rapid.IntRange(1, 4).Draw(t, "scenarios")],
	}
	from := rapid.Float64Range(0, 100).Draw(t, "silent from")
	to := from + rapid.SampledFrom([]float64{0, 1, 30, 1000}).Draw(t, "silent for")
	y.silent = func(at float64) bool { return at > from && at < to }
	return y
}

func TestWhateverARunHoldsItsAnalysisStands(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		run, results := anySystem(rt).record(t)
		a, err := Analyse(run, results)
		if err != nil {
			rt.Fatal(err)
		}
		if _, err := json.Marshal(a); err != nil {
			rt.Fatalf("it has no JSON: %v", err)
		}
		for _, r := range a.Recoveries {
			switch {
			case r.Known == (r.Because != ""):
				rt.Fatalf("known and unknown at once: %+v", r)
			case r.Known && r.Recovered == (r.Time == nil):
				rt.Fatalf("recovered without a time, or the other way round: %+v", r)
			}
		}
		for _, d := range a.Drift {
			if d.Known == (d.Because != "") {
				rt.Fatalf("known and unknown at once: %+v", d)
			}
		}
		for _, f := range a.Findings {
			if f.Evidence.From > f.Evidence.To || f.Sentence == "" {
				rt.Fatalf("no evidence: %+v", f)
			}
		}
		for _, answer := range a.Answers() {
			if math.IsNaN(answer.Value) {
				rt.Fatalf("%+v", answer)
			}
		}
	})
}
