package trials

import (
	"testing"

	"github.com/perfctl/perfctl/internal/capacity"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/summary"
)

func TestTheScenarioThatARuleNamesIsTheOneThatItPicks(t *testing.T) {
	o := &backlogWatch{shares: []run.Share{{Name: "orders", Metrics: []string{"order_time"}}, {Name: "orders-archive"}}}
	for metric, want := range map[string]string{
		"response_time{scenario:orders}":         "orders",
		"response_time{scenario:orders-archive}": "orders-archive",
		"error_rate{operation:scenario:orders}":  "",
		"order_time":                             "orders",
		"order_time{operation:put}":              "orders",
	} {
		if got := o.worst(metric, metrics.NewTotals()); got != want {
			t.Errorf("%s is about %q, want %q", metric, got, want)
		}
	}
}

// What was over its target is a resource unless it is what the load itself came to.
func TestWhatTheLoadCameToIsNoResource(t *testing.T) {
	o := &backlogWatch{}
	s := &summary.Summary{}
	for _, metric := range []string{"response_time", "response_time{scenario:crud}", "error_rate", "error_rate{scenario:crud}", "response_time_of_the_disk", "pg_connections"} {
		s.SLA = append(s.SLA, sla.Result{Rule: metric, Metric: metric, Status: sla.Warned})
	}
	var got capacity.Trial
	o.resources(&got, s)
	if len(got.Breaches) != 2 || got.Breaches[0].Metric != "response_time_of_the_disk" || got.Breaches[1].Metric != "pg_connections" {
		t.Errorf("%+v", got.Breaches)
	}
}
