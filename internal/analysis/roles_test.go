package analysis

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/perfctl/perfctl/internal/metrics"
)

// A scenario that calls its metrics by other names gets the same analysis.
func TestWhatAMetricIsCalledMakesNoDifference(t *testing.T) {
	late := func(from, v float64) func(float64) float64 {
		return func(t float64) float64 {
			if t > from {
				return v
			}
			return 0
		}
	}
	grow := func(from, slope float64) func(float64) float64 {
		return func(t float64) float64 { return from + slope*t }
	}
	y := system{
		stages: steps(stage("warm-up", "normal", false, 10, 0, 100), stage("soak", "normal", true, 300, 100, 100)),
		seed:   3, slow: func(t float64) float64 {
			if t > 150 {
				return 900
			}
			return 20
		},
		rules: map[string]string{"P95": "response_time: p(95) < 500ms"},
		gauges: map[metrics.Desc]func(float64) float64{
			memoryOf: grow(200e6, 2e5), queueOf: grow(20, 40), poolSize: grow(20, 0.1), poolUse: late(140, 1), agentIdle: constant(0.6)},
		trends:   map[metrics.Desc]func(float64) float64{poolWait: func(t float64) float64 { return 0.5 + late(140, 80)(t) }, queryTime: constant(4)},
		counters: map[metrics.Desc]func(float64) float64{retryOf: late(100, 60), reconnect: late(100, 2), restartOf: late(300, 1)},
	}
	want := y.analyse(t)
	for _, id := range []string{"memory_growing", "queue_growing", "connections_growing", "pool_exhausted", "retry_storm", "connection_churn", "restart"} {
		if !slices.Contains(found(want), id) {
			t.Errorf("no %s among %q", id, found(want))
		}
	}
	if want.Bottleneck == nil || want.Bottleneck.Resource != "the database connection pool" {
		t.Errorf("the bottleneck is %+v", want.Bottleneck)
	}
	other, back := y.renamed()
	if d := cmp.Diff(asText(t, want), back.Replace(asText(t, other.analyse(t)))); d != "" {
		t.Errorf("under other names (-want +got):\n%s", d)
	}
}

// renamed returns the system with other names for all its metrics, and what gives
// them their names back.
func (y system) renamed() (system, *strings.Replacer) {
	var names []string
	for _, m := range []map[metrics.Desc]func(float64) float64{y.gauges, y.trends, y.counters} {
		for d := range m {
			names = append(names, d.Name)
		}
	}
	slices.Sort(names)
	var back []string
	under := func(m map[metrics.Desc]func(float64) float64) map[metrics.Desc]func(float64) float64 {
		out := map[metrics.Desc]func(float64) float64{}
		for d, f := range m {
			old := d.Name
			// In the order of the old names, so that every noise is the same.
			d.Name = fmt.Sprintf("a%02dx", slices.Index(names, old))
			back = append(back, d.Name, old)
			out[d] = f
		}
		return out
	}
	y.gauges, y.trends, y.counters = under(y.gauges), under(y.trends), under(y.counters)
	return y, strings.NewReplacer(back...)
}

func asText(t *testing.T, a *Analysis) string {
	t.Helper()
	text, err := json.MarshalIndent(a, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
