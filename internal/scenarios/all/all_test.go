package all

import (
	"strings"
	"testing"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/targets/probe"
	"github.com/perfctl/perfctl/internal/targets/process"
)

func TestDefinitionsAreSoundAndSayWhatTheyMean(t *testing.T) {
	kinds := map[string]metrics.Kind{}
	// What is read of servers must not bear the name of what a scenario emits.
	for _, m := range append(append(metrics.Standard(), probe.Metrics()...), process.Metrics()...) {
		kinds[m.Name] = m.Kind
	}
	for _, d := range Registry().Definitions() {
		if d.Summary == "" || len(d.Targets) == 0 && d.Also == nil || d.New == nil {
			t.Errorf("%s is not described", d.Name)
		}
		if _, errs := scenarios.NewValues(&d, 1, nil); len(errs) > 0 {
			t.Errorf("%s: %v", d.Name, errs)
		}
		for _, o := range d.Settings {
			if o.Help == "" || o.Type == nil {
				t.Errorf("%s.%s says neither what it is nor what it takes", d.Name, o.Key)
			}
			_, errs := scenarios.NewValues(&d, 1, []scenarios.Override{{Key: o.Key, Value: o.Default, Stage: -1, Place: "default"}})
			if len(errs) > 0 {
				t.Errorf("the default of %s.%s is not valid: %v", d.Name, o.Key, errs)
			}
		}
		for _, m := range d.Metrics {
			if m.Help == "" || m.Unit == "" {
				t.Errorf("%s emits %s without unit or meaning", d.Name, m.Name)
			}
			if k, known := kinds[m.Name]; known && k != m.Kind {
				t.Errorf("%s is a %s in one scenario and a %s in another", m.Name, k, m.Kind)
			}
			kinds[m.Name] = m.Kind
			if strings.HasSuffix(m.Name, "_duration") && m.Kind != metrics.KindTrend {
				t.Errorf("%s is no trend", m.Name)
			}
		}
	}
}

func TestTheGuidesMetricsAreEmitted(t *testing.T) {
	emitted := map[string]bool{}
	for _, d := range Registry().Definitions() {
		for _, m := range d.Metrics {
			emitted[m.Name] = true
		}
	}
	for _, name := range []string{
		"http_req_duration", "http_req_waiting", "http_req_connecting", "http_req_tls_handshaking", "http_req_sending",
		"http_req_receiving", "http_req_blocked", "http_reqs", "rabbitmq_publish_latency", "rabbitmq_consume_latency",
		"rabbitmq_queue_length", "rabbitmq_ack_latency", "db_query_duration", "db_connection_pool_size",
		"db_transaction_duration", "agent_task_latency", "voting_latency", "cache_hit_ratio",
	} {
		if !emitted[name] {
			t.Errorf("nothing emits %s", name)
		}
	}
}
