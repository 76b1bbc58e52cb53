package sla

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/perfctl/perfctl/internal/metrics"
)

func TestThresholdsReadAsInK6(t *testing.T) {
	p := func(n float64) Stat { return Stat{Name: "p", Percent: n} }
	for text, want := range map[string]Rule{
		"http_req_duration: p(95)<500":                                {Metric: "http_req_duration", Stat: p(95), Op: "<", Value: 500},
		"rabbitmq_publish_latency: p(95)<100ms":                       {Metric: "rabbitmq_publish_latency", Stat: p(95), Op: "<", Value: 100e6, Unit: "ms"},
		"response_time{stage:peak}: p(99.9) <= 1.5s":                  {Metric: "response_time", Tags: metrics.Tags{Stage: "peak"}, Stat: p(99.9), Op: "<=", Value: 1.5e9, Unit: "s"},
		"db_query_duration{scenario:crud,operation:insert}:p95<50 ms": {Metric: "db_query_duration", Tags: metrics.Tags{Scenario: "crud", Operation: "insert"}, Stat: p(95), Op: "<", Value: 50e6, Unit: "ms"},
		"cache_hit_ratio: rate>=90%":                                  {Metric: "cache_hit_ratio", Stat: Stat{Name: "rate"}, Op: ">=", Value: 0.9, Unit: "%"},
		"error_rate: rate === 0":                                      {Metric: "error_rate", Stat: Stat{Name: "rate"}, Op: "==", Value: 0},
		"http_reqs: rate > 1000/s":                                    {Metric: "http_reqs", Stat: Stat{Name: "rate"}, Op: ">", Value: 1000, Unit: "/s"},
		"process_memory_bytes: max != 2MiB":                           {Metric: "process_memory_bytes", Stat: Stat{Name: "max"}, Op: "!=", Value: 2 << 20, Unit: "MiB"},
	} {
		got, err := ParseThreshold(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if d := cmp.Diff(want, got, cmpopts.IgnoreFields(Rule{}, "Name", "Text", "Condition", "Severity"), cmpopts.EquateApprox(1e-12, 0)); d != "" {
			t.Errorf("%s (-want +got):\n%s", text, d)
		}
	}
}

func TestWrongThresholdsNameTheColumnAndTheNearestWord(t *testing.T) {
	for text, want := range map[string]string{
		"":                                      "want the name of a metric",
		"response_time p(95)<5":                 `column 15: want ":"`,
		"response_time: q(95)<5":                "unknown statistic",
		"response_time: mad<5":                  `did you mean "`,
		"response_time: p(0)<5":                 "not a percentile",
		"response_time: p(101)<5":               "not a percentile",
		"response_time: pNaN<5":                 "unknown statistic",
		"response_time: p0x1p4<5":               "unknown statistic",
		"response_time: p()<5":                  "unknown statistic",
		"response_time{stage:größe}: q<5":       "column 29:",
		"response_time: p(95)~5":                "want one of < <=",
		"response_time: p(95)<":                 "want a number",
		"response_time: p(95)<5 sec":            `unknown unit "sec"`,
		"response_time{stag:peak}: p(95)<5":     `did you mean "stage"?`,
		"response_time{stage:}: p(95)<5":        "no value",
		"response_time{stage:peak: p(95)<5":     `want ","`,
		"response_time: p(95)<5ms && p(99)<9ms": `"&& p(99)<9ms" is too much`,
	} {
		_, err := ParseThreshold(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

func FuzzParseThreshold(f *testing.F) {
	for _, s := range []string{"a: p(95)<5ms", "a{scenario:b,stage:c}: rate>=1%", "a:p95<1e3", "{", "a{:}:", "ä: p(µs)<µs"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseThreshold(s)
		if err == nil && (r.Metric == "" || r.Op == "" || r.Stat.Name == "") {
			t.Errorf("%q was read as %+v", s, r)
		}
		if err != nil {
			return
		}
		// Whatever was read can be judged, as a table's rule and as a threshold.
		tot := totals(recorded{"steady", 9, 1, 1e6})
		readings(tot, prefetch, "cache", "peak", 10, 20)
		for _, metric := range []string{r.Metric, "response_time", "error_rate", "throughput", "arrivals", "rabbitmq_prefetch", "cache_hit_ratio"} {
			r.Metric = metric
			for _, in := range [][2][]Rule{{{r}, nil}, {nil, {r}}} {
				if j, err := NewJudge(testPlan(), in[0], in[1]); err == nil {
					j.Evaluate(tot)
					j.Breached(tot, time.Hour)
				}
			}
		}
	})
}
