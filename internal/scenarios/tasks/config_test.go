package tasks

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/targets"
)

func values(t *testing.T, stages int, over ...scenarios.Override) *scenarios.Values {
	t.Helper()
	d := Definition()
	v, errs := scenarios.NewValues(&d, stages, over)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return v
}

func set(key, value string) scenarios.Override {
	return scenarios.Override{Key: key, Value: value, Stage: -1, Place: "test"}
}

func TestDefaultsAreAcceptedAndDocumented(t *testing.T) {
	d := Definition()
	for _, o := range d.Settings {
		if _, errs := scenarios.NewValues(&d, 1, []scenarios.Override{set(o.Key, o.Default)}); len(errs) > 0 {
			t.Errorf("the default of %s is refused: %v", o.Key, errs)
		}
		if o.Help == "" {
			t.Errorf("%s has no help", o.Key)
		}
	}
}

func TestEveryMetricEmittedIsDeclaredAndNoOther(t *testing.T) {
	reg := metrics.NewRegistry(nil)
	d := Definition()
	_, err := d.New(scenarios.Env{Metrics: reg, Targets: &targets.Settings{}, Values: values(t, 1), Plan: scenarios.Plan{Workers: 1}})
	if err != nil {
		t.Fatal(err)
	}
	names := func(all []metrics.Desc) []string {
		var out []string
		for _, m := range all {
			out = append(out, m.Name)
		}
		slices.Sort(out)
		return out
	}
	if got, want := names(reg.Descs()), names(d.Metrics); !slices.Equal(got, want) {
		t.Errorf("registered %v, declared %v", got, want)
	}
}

func TestSettingsThatExcludeEachOtherAreRefused(t *testing.T) {
	for _, c := range []struct {
		over []scenarios.Override
		want string
	}{
		{[]scenarios.Override{set(keyQueueType, "quorum"), set(keyPriorities, "3")}, "tasks.priorities"},
		{[]scenarios.Override{set(keyQueueType, "quorum"), set(keyPersistent, "false")}, "tasks.persistent"},
	} {
		if _, err := readConfig(values(t, 1, c.over...), 1); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, want an error that names %s", c.over, err, c.want)
		}
	}
}

func TestStagesMayChangeWorkTimeAndBodySize(t *testing.T) {
	c, err := readConfig(values(t, 2,
		scenarios.Override{Key: keyWorkTime, Value: "50ms", Stage: 1},
		scenarios.Override{Key: keyBodySize, Value: "1000", Stage: 1}), 2)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := c.workOf(1, 1, 0), c.workOf(1, 1, 1); a != 5*time.Millisecond || b != 50*time.Millisecond {
		t.Errorf("work times %v and %v", a, b)
	}
	if !slices.Equal(c.bodySize, []int{256, 1000}) || c.maxBody != 1000 {
		t.Errorf("body sizes %v, highest %d", c.bodySize, c.maxBody)
	}
}

func TestWorkTimeIsAFunctionOfSeedAndNumberWithTheMeanAskedFor(t *testing.T) {
	const n = 20000
	for _, dist := range []string{"constant", "exponential", "uniform", "lognormal"} {
		c, err := readConfig(values(t, 1, set(keyDistribution, dist)), 1)
		if err != nil {
			t.Fatal(err)
		}
		var sum, squares float64
		for k := range int64(n) {
			d := c.workOf(3, k, 0)
			if d != c.workOf(3, k, 0) || d < 0 {
				t.Fatalf("%s: task %d works %v, then %v", dist, k, d, c.workOf(3, k, 0))
			}
			ms := d.Seconds() * 1000
			sum += ms
			squares += ms * ms
		}
		mean := sum / n
		deviation := math.Sqrt(max(squares/n-mean*mean, 0))
		want := map[string]float64{"constant": 0, "exponential": 5, "uniform": 5 / math.Sqrt(3), "lognormal": 5 * math.Sqrt(math.E-1)}[dist]
		if math.Abs(mean-5) > 0.15 || math.Abs(deviation-want) > 0.05+want/10 {
			t.Errorf("%s: mean %.3f ms, deviation %.3f ms; want 5 and %.3f", dist, mean, deviation, want)
		}
	}
}

func TestPrioritiesCoverTheRangeEvenly(t *testing.T) {
	c, err := readConfig(values(t, 1, set(keyPriorities, "4")), 1)
	if err != nil {
		t.Fatal(err)
	}
	var seen [10]int
	for k := range int64(10000) {
		seen[c.priorityOf(&work.Arrival{K: k, Seed: 1})]++
	}
	for p, n := range seen {
		if p <= 4 && (n < 1800 || n > 2200) || p > 4 && n > 0 {
			t.Errorf("priority %d: %d of 10000", p, n)
		}
	}
}

func TestShardsShareAQueueButForReplies(t *testing.T) {
	name := func(shard, shards int, replies bool) string {
		return queueName(&scenarios.Env{RunID: "r1", Plan: scenarios.Plan{Shard: shard, Shards: shards}}, replies)
	}
	if got := []string{name(0, 0, true), name(0, 1, true), name(0, 2, false), name(1, 2, false), name(1, 2, true)}; !slices.Equal(got,
		[]string{"perfctl.tasks.r1", "perfctl.tasks.r1", "perfctl.tasks.r1", "perfctl.tasks.r1", "perfctl.tasks.r1.1"}) {
		t.Errorf("queues %v", got)
	}
}

func TestTheAgentsAndConnectionsAreDividedAmongShards(t *testing.T) {
	for _, c := range []struct{ agents, connections, shards int }{{100, 4, 4}, {10, 3, 4}, {2, 1, 5}} {
		agents, connections, channels := 0, 0, 0
		for shard := range c.shards {
			cfg := config{agents: c.agents, connections: c.connections, channels: 8}
			cfg.divide(&scenarios.Plan{Shard: shard, Shards: c.shards})
			agents, connections, channels = agents+cfg.agents, connections+cfg.connections, channels+cfg.connections*cfg.channels
		}
		if agents != c.agents || connections != max(c.connections, c.shards) || channels > max(8*c.connections, c.shards) || channels < 4*c.connections {
			t.Errorf("%+v: %d agents, %d connections, %d channels", c, agents, connections, channels)
		}
	}
}

func TestRingKeepsOrderAndGrows(t *testing.T) {
	r := newRing(2)
	next := int64(0)
	for n := range int64(100) {
		r.push(delivered{task: task{n: n}})
		if n%3 == 0 {
			if got := r.pop().n; got != next {
				t.Fatalf("popped %d, want %d", got, next)
			}
			next++
		}
	}
	for r.len() > 0 {
		if got := r.pop().n; got != next {
			t.Fatalf("popped %d, want %d", got, next)
		}
		next++
	}
	if next != 100 {
		t.Errorf("%d of 100 came back", next)
	}
}
