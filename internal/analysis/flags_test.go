package analysis

import (
	"slices"
	"strings"
	"testing"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
)

var (
	poolUse   = metrics.Desc{Name: "db_pool_utilisation", Kind: metrics.KindGauge, Unit: metrics.UnitRatio, Role: metrics.RolePoolUse, Part: "the database connection pool"}
	agentIdle = metrics.Desc{Name: "agent_availability", Kind: metrics.KindGauge, Unit: metrics.UnitRatio, Role: metrics.RoleIdle, Part: "the agents that consume tasks"}
	retryOf   = metrics.Desc{Name: "http_retries", Kind: metrics.KindCounter, Unit: metrics.UnitCount, Role: metrics.RoleRetries}
	restartOf = metrics.Desc{Name: "process_restarts", Kind: metrics.KindCounter, Unit: metrics.UnitCount, Role: metrics.RoleRestarts}
	reconnect = metrics.Desc{Name: "db_reconnects", Kind: metrics.KindCounter, Unit: metrics.UnitCount, Role: metrics.RoleReconnects}
)

var guideRules = map[string]string{"P95": "response_time: p(95) < 500ms", "Errors": "error_rate: rate < 0.1%"}

var four = []string{"tasks", "voting", "crud", "cache"}

// on is v between two times and else otherwise.
func on(from, to, v, otherwise float64) func(float64) float64 {
	return func(t float64) float64 {
		if t >= from && t < to {
			return v
		}
		return otherwise
	}
}

func found(a *Analysis) (ids []string) {
	for _, f := range a.Findings {
		ids = append(ids, f.ID)
	}
	return ids
}

func TestAHealthyRunHasNoRedFlag(t *testing.T) {
	healthy := map[metrics.Desc]func(float64) float64{
		memoryOf: constant(200e6), queueOf: constant(20), poolSize: constant(20), poolUse: constant(0.3), agentIdle: constant(0.6)}
	for name, stages := range map[string]system{
		"load": {stages: loadStages()}, "spike": {stages: spikeStages()}, "soak": {stages: soakStages(330)},
	} {
		for seed := range uint64(3) {
			y := stages
			y.seed, y.noise, y.phi, y.rules, y.gauges, y.scenarios = seed, 0.15, 0.6, guideRules, healthy, four
			y.trends = map[metrics.Desc]func(float64) float64{poolWait: constant(0.02), queryTime: constant(2), metrics.DispatchLag: constant(0.1)}
			if a := y.analyse(t); len(a.Findings) > 0 || a.Bottleneck != nil {
				t.Errorf("%s, seed %d: %+v, bottleneck %+v", name, seed, a.Findings, a.Bottleneck)
			}
		}
	}
}

func TestRedFlags(t *testing.T) {
	busy := func(t float64) float64 { return min(1, rateOf(t)/500) }
	for want, y := range map[string]system{
		"p95_over_target": {stages: loadStages(), rules: guideRules, slow: on(130, 190, 600, 5)},
		"error_rate":      {stages: loadStages(), rules: guideRules, failing: on(140, 160, 0.05, 0)},
		"queue_growing": {stages: loadStages(), gauges: map[metrics.Desc]func(float64) float64{
			queueOf: func(t float64) float64 { return max(3, 30*(t-130)) }}},
		"pool_exhausted": {stages: loadStages(), gauges: map[metrics.Desc]func(float64) float64{poolUse: busy},
			trends: map[metrics.Desc]func(float64) float64{poolWait: on(100, 200, 80, 0.1)}},
		"saturation": {stages: loadStages(), dropping: func(t float64) float64 { return max(0, 1-500/rateOf(t)) },
			slow: func(t float64) float64 { return 20 + max(0, rateOf(t)-500) }},
		"stall": {stages: loadStages(), scenarios: four, slow: func(t float64) float64 {
			if int(t)%30 == 15 {
				return 1500
			}
			return 5
		}},
		"retry_storm":      {stages: loadStages(), counters: map[metrics.Desc]func(float64) float64{retryOf: on(140, 160, 300, 1)}},
		"restart":          {stages: loadStages(), counters: map[metrics.Desc]func(float64) float64{restartOf: on(80, 81, 1, 0)}},
		"connection_churn": {stages: loadStages(), counters: map[metrics.Desc]func(float64) float64{reconnect: on(80, 100, 2, 0)}},
	} {
		y.seed, y.noise, y.phi = 3, 0.05, 0.3
		a := y.analyse(t)
		if !slices.Contains(found(a), want) {
			t.Errorf("%s is not among %v", want, found(a))
			continue
		}
		f := a.Findings[slices.Index(found(a), want)]
		if f.Title == "" || f.Sentence == "" || f.Advice == "" || f.Evidence.Series == "" || f.Evidence.To <= f.Evidence.From {
			t.Errorf("%s is not evident: %+v", want, f)
		}
	}
}

func TestWhatAFaultDidIsNoSurprise(t *testing.T) {
	broken := system{stages: loadStages(), counters: map[metrics.Desc]func(float64) float64{restartOf: on(80, 81, 1, 0), reconnect: on(80, 100, 2, 0)}}
	fault := rundir.FaultInfo{Name: "down", Target: "redis", Kind: "kill", Start: 79, End: 95}
	flags := func() []string {
		return slices.DeleteFunc(found(broken.analyse(t)), func(id string) bool { return id != "restart" && id != "connection_churn" })
	}
	for _, c := range []struct {
		hits string
		want int
	}{{"", 1}, {"postgres", 1}, {rundir.AnyProcess, 0}} {
		fault.Hits = c.hits
		broken.faults = []rundir.FaultInfo{fault}
		if got := flags(); len(got) != c.want {
			t.Errorf("a fault that hits %q: %v", c.hits, got)
		}
	}
	fault.Start, fault.End = 150, 160 // it came later
	broken.faults = []rundir.FaultInfo{fault}
	if got := flags(); len(got) != 2 {
		t.Errorf("before the fault: %v", got)
	}
}

func TestArrivalsThatWaitForAWorkerAreASaturation(t *testing.T) {
	y := system{stages: spikeStages(), gauges: map[metrics.Desc]func(float64) float64{metrics.Queued: on(70, 90, 40, 0)}}
	a := y.analyse(t)
	if !slices.Contains(found(a), "saturation") {
		t.Fatalf("found %v", found(a))
	}
	f := a.Findings[slices.Index(found(a), "saturation")]
	if f.Evidence.From != 70 || f.Evidence.To != 90 || !strings.Contains(f.Sentence, "was reached") {
		t.Errorf("%+v", f)
	}
	// One worker that is always busy is what the user asked for.
	y.gauges = map[metrics.Desc]func(float64) float64{metrics.Queued: constant(0)}
	y.slow = constant(10)
	if ids := found(y.analyse(t)); len(ids) > 0 {
		t.Errorf("found %v", ids)
	}
}

func TestTheFlagSaysWhenItWasRaised(t *testing.T) {
	y := system{stages: loadStages(), failing: on(140, 160, 0.05, 0), rules: guideRules}
	a := y.analyse(t)
	f := a.Findings[slices.Index(found(a), "error_rate")]
	if f.Evidence.From < 139 || f.Evidence.From > 142 || f.Evidence.To < 158 || f.Evidence.To > 161 || !strings.Contains(f.Sentence, "failed as timeout") {
		t.Errorf("%+v", f)
	}
}

func TestThatEveryArrivalFailedNeedsNoTarget(t *testing.T) {
	y := system{stages: loadStages(), failing: on(0, 1000, 1, 1), rules: map[string]string{"P95": "response_time: p(95) < 500ms"}}
	a := y.analyse(t)
	f := a.Findings[slices.Index(found(a), "error_rate")]
	if f.Title != "Every arrival failed" || strings.Contains(f.Sentence, "target") {
		t.Errorf("%+v", f)
	}
}

func TestStallsThatComeEvenlySayHowOften(t *testing.T) {
	y := system{stages: loadStages(), scenarios: four, slow: func(t float64) float64 {
		if int(t)%30 == 15 {
			return 1500
		}
		return 5
	}}
	a := y.analyse(t)
	f := a.Findings[slices.Index(found(a), "stall")]
	if p := f.Evidence.Values["period_s"]; p < 29 || p > 31 {
		t.Errorf("%+v", f)
	}
}

func TestAStallOfTheGeneratorIsNotTheTargets(t *testing.T) {
	once := on(100, 101, 1500, 5)
	y := system{stages: loadStages(), scenarios: four, slow: once,
		trends: map[metrics.Desc]func(float64) float64{metrics.DispatchLag: on(100, 101, 1000, 0.1)}}
	if ids := found(y.analyse(t)); slices.Contains(ids, "stall") {
		t.Errorf("found %v", ids)
	}
	y.trends = nil
	if ids := found(y.analyse(t)); !slices.Contains(ids, "stall") {
		t.Errorf("without the generator's lag: found %v", ids)
	}
}

func TestTheBottleneckIsWhatSaturatedFirst(t *testing.T) {
	y := system{stages: loadStages(), rules: guideRules, noise: 0.02,
		slow: func(t float64) float64 { return 10 + max(0, rateOf(t)-400)/2 },
		gauges: map[metrics.Desc]func(float64) float64{
			poolUse:   func(t float64) float64 { return min(1, rateOf(t)/400) },
			agentIdle: func(t float64) float64 { return max(0, 1-rateOf(t)/800) },
		}}
	b := y.analyse(t).Bottleneck
	if b == nil || b.Series != poolUse.Name || b.Rate < 300 || b.Rate > 450 {
		t.Fatalf("%+v, want the pool at 360/s to 400/s", b)
	}
	// Without a reading at its bound it is what slowed down first.
	y.gauges = nil
	y.trends = map[metrics.Desc]func(float64) float64{queryTime: func(t float64) float64 { return 2 + max(0, rateOf(t)-400)/20 }, poolWait: constant(0.1)}
	if b := y.analyse(t).Bottleneck; b == nil || b.Series != queryTime.Name || !strings.Contains(b.Sentence, "slowed down first") {
		t.Errorf("%+v, want the database", b)
	}
	y.trends = nil
	if a := y.analyse(t); a.Bottleneck != nil || because(a, "the bottleneck") == "" {
		t.Errorf("%+v: nothing tells it", a.Bottleneck)
	}
}
