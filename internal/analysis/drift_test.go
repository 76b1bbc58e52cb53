package analysis

import (
	"math"
	"strings"
	"testing"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/sla"
)

var (
	memoryOf    = metrics.Desc{Name: "process_memory_bytes", Kind: metrics.KindGauge, Unit: metrics.UnitBytes, Role: metrics.RoleProcessMemory}
	redisMemory = metrics.Desc{Name: "redis_memory_used_bytes", Kind: metrics.KindGauge, Unit: metrics.UnitBytes, Role: metrics.RoleMemory}
	queueOf     = metrics.Desc{Name: "rabbitmq_queue_length", Kind: metrics.KindGauge, Unit: metrics.UnitCount, Role: metrics.RoleQueue}
	poolSize    = metrics.Desc{Name: "db_connection_pool_size", Kind: metrics.KindGauge, Unit: metrics.UnitCount, Role: metrics.RolePoolSize, Part: "the database connection pool"}
	poolWait    = metrics.Desc{Name: "db_pool_wait", Kind: metrics.KindTrend, Unit: metrics.UnitTime, Role: metrics.RolePoolWait, Part: "the database connection pool"}
	queryTime   = metrics.Desc{Name: "db_query_duration", Kind: metrics.KindTrend, Unit: metrics.UnitTime, Role: metrics.RoleLatency, Part: "the database"}
)

// soak is a system of many series without a drift, with noise of 5 % that is
// strongly correlated from one second to the next.
func soak(seed uint64, length float64) system {
	return system{
		profile: "soak", stages: soakStages(length), seed: seed, noise: 0.05, phi: 0.9,
		gauges: map[metrics.Desc]func(float64) float64{
			memoryOf: constant(200e6), redisMemory: constant(30e6), queueOf: constant(40), poolSize: constant(20)},
		trends: map[metrics.Desc]func(float64) float64{poolWait: constant(0.5), queryTime: constant(2)},
	}
}

// soakRuns is how many runs of each kind are tried.
const soakRuns = 20

func TestStationaryRunsGiveAtMostOneFalseAlarm(t *testing.T) {
	alarms := 0
	for seed := range uint64(soakRuns) {
		a := soak(seed, 300).analyse(t)
		if len(a.Drift) < 7 {
			t.Fatalf("%d series tested, want 7 at least: %+v", len(a.Drift), a.CannotSay)
		}
		if len(a.Findings) > 0 {
			alarms++
			t.Logf("seed %d: %+v", seed, a.Findings)
		}
	}
	if alarms > 1 {
		t.Errorf("%d false alarms in %d runs", alarms, soakRuns)
	}
}

func TestNoLeakIsMissedAndItsSlopeIsFound(t *testing.T) {
	// 200 MB, and 60 MB more over the run.
	const length, slope = 300, 60e6 / 300.0
	within := 0
	for seed := range uint64(soakRuns) {
		y := soak(seed, length)
		y.noise = 0.02
		y.gauges[memoryOf] = func(t float64) float64 { return 200e6 + slope*(t-10) }
		d := driftOf(y.analyse(t), memoryOf.Name)
		if !d.Drifts {
			t.Errorf("seed %d: the leak is missed: %+v", seed, d)
			continue
		}
		if d.Low <= slope && slope <= d.High {
			within++
		}
		if math.Abs(d.Slope/slope-1) > 0.25 {
			t.Errorf("seed %d: slope %g, want %g", seed, d.Slope, slope)
		}
	}
	if within < soakRuns*17/20 {
		t.Errorf("the slope is within its confidence interval in %d of %d runs", within, soakRuns)
	}
}

func TestALeakIsExtrapolatedToItsLimit(t *testing.T) {
	y := soak(1, 900)
	y.noise = 0.002
	y.gauges[memoryOf] = func(t float64) float64 { return 200e6 + 1e5*(t-10) } // 290 MB at the end, 500 MB 2100 s later
	a := y.analyse(t)
	d := driftOf(a, memoryOf.Name)
	if d.Reaches == nil || math.Abs(d.Reaches.In-2100) > 60 || d.Reaches.Limit != 500e6 {
		t.Fatalf("reaches %+v, want 500 MB in 2100 s", d.Reaches)
	}
	if len(a.Findings) != 1 || a.Findings[0].ID != "memory_growing" || !strings.Contains(a.Findings[0].Sentence, "500 MB in 3") {
		t.Errorf("findings %+v", a.Findings)
	}
}

// because returns why a question stays open.
func because(a *Analysis, question string) string {
	for _, u := range a.CannotSay {
		if u.Question == question {
			return u.Because
		}
	}
	return ""
}

func driftOf(a *Analysis, series string) Drift {
	for _, d := range a.Drift {
		if d.Series == series {
			return d
		}
	}
	return Drift{Because: "not tested"}
}

func TestEveryGroupOfTheRulesCanBeTold(t *testing.T) {
	for _, group := range sla.DriftGroups {
		if k := kinds[group]; k.id == "" || driftFloor[group] == 0 {
			t.Errorf("%s is not known to the analysis", group)
		}
	}
}

func TestEveryGroupHasItsFinding(t *testing.T) {
	grow := func(v float64) func(float64) float64 { return func(t float64) float64 { return v * (1 + t/900) } }
	y := soak(3, 900)
	y.noise = 0.02
	y.slow = grow(5)
	y.gauges[queueOf], y.gauges[poolSize] = grow(40), grow(20)
	y.trends[poolWait] = grow(1)
	got := map[string]bool{}
	for _, f := range y.analyse(t).Findings {
		got[f.ID] = true
	}
	for _, want := range []string{"latency_growing", "queue_growing", "connections_growing", "pool_wait_growing"} {
		if !got[want] {
			t.Errorf("no finding %s among %v", want, got)
		}
	}
	if got["memory_growing"] {
		t.Error("memory does not grow")
	}
}

func TestWhatFillsUpAndSettlesIsNoLeak(t *testing.T) {
	y := soak(4, 900)
	y.noise = 0.01
	y.gauges[memoryOf] = func(t float64) float64 { return 300e6 - 100e6*math.Exp(-t/100) }
	if d := driftOf(y.analyse(t), memoryOf.Name); d.Drifts || !d.Known {
		t.Errorf("%+v", d)
	}
}

func TestWhereADriftCannotBeToldItIsSaidWhy(t *testing.T) {
	a := soak(1, 90).analyse(t)
	if len(a.Drift) > 0 || !strings.Contains(because(a, "drift"), "too short: steady load for 1 min 30 s") {
		t.Errorf("a short run: %+v", a.CannotSay)
	}
	y := soak(1, 900)
	y.gauges[memoryOf] = func(t float64) float64 {
		if t > 300 && t < 700 {
			return math.NaN()
		}
		return 100e6
	}
	d := driftOf(y.analyse(t), memoryOf.Name)
	if d.Known || !strings.Contains(d.Because, "bins only") {
		t.Errorf("a series with a hole: %+v", d)
	}
	// Memory is not asked about where nothing reads it.
	y = soak(1, 900)
	delete(y.gauges, memoryOf)
	delete(y.gauges, redisMemory)
	for _, d := range y.analyse(t).Drift {
		if d.Group == GroupMemory {
			t.Errorf("memory that nobody read was tested: %+v", d)
		}
	}
}
