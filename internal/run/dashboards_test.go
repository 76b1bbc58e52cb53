package run_test

import (
	"encoding/json"
	"flag"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/otlptranslator"
	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	wire "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/proto"

	"github.com/perfctl/perfctl/internal/engine/health"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/stream"
)

var writeDashboards = flag.Bool("dashboards", false, "write configs/grafana anew")

var dashboards = map[stream.Dashboards]string{
	stream.PrometheusDashboard: "../../configs/grafana/perfctl-prometheus.json",
	stream.OTLPDashboard:       "../../configs/grafana/perfctl-otlp.json",
}

// dashboardRows are all metrics that a run sends; those that rules derive it does not.
func dashboardRows() (rows []stream.DashboardRow) {
	for _, g := range append(run.MetricGroups(), run.MetricGroup{Title: "Generator", Metrics: health.Metrics()}) {
		sent := slices.DeleteFunc(slices.Clone(g.Metrics), func(d metrics.Desc) bool {
			return slices.ContainsFunc(sla.Derived, func(x metrics.Desc) bool { return x.Name == d.Name })
		})
		rows = append(rows, stream.DashboardRow{Title: g.Title, Metrics: sent})
	}
	return rows
}

func TestTheDashboardsAreWhatTheProgramKnows(t *testing.T) {
	for kind, file := range dashboards {
		want, err := kind.Dashboard(dashboardRows())
		if err != nil {
			t.Fatal(err)
		}
		if *writeDashboards {
			if err := os.WriteFile(file, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(file); err != nil || string(got) != string(want) {
			t.Errorf("%s is not what the program knows (%v); run: go test ./internal/run -run TestTheDashboards -dashboards", file, err)
		}
	}
}

// everything is a second in which every metric was recorded.
func everything() *metrics.Snapshot {
	s := &metrics.Snapshot{End: time.Second, At: time.Unix(1_750_000_001, 0), Last: true}
	seen := map[string]bool{}
	for _, r := range dashboardRows() {
		for _, d := range r.Metrics {
			if seen[d.Name] {
				continue
			}
			seen[d.Name] = true
			x := &metrics.Series{Desc: d, Tags: metrics.Tags{Scenario: "crud", Stage: "peak", Operation: "insert", Outcome: "timeout", Group: "g"}}
			switch d.Kind {
			case metrics.KindTrend:
				h := &metrics.Hist{Censored: 1}
				h.Record(1e6)
				s.Trends = append(s.Trends, metrics.TrendValue{Series: x, Hist: h})
			case metrics.KindCounter:
				s.Counters = append(s.Counters, metrics.CounterValue{Series: x, Delta: 1})
			case metrics.KindRate:
				s.Rates = append(s.Rates, metrics.RateValue{Series: x, Hits: 1, Total: 2})
			case metrics.KindGauge:
				x.Stage = "" // a gauge is one line over all stages
				s.Gauges = append(s.Gauges, metrics.GaugeValue{Series: x, Value: 1})
			}
		}
	}
	return s
}

var streamed = stream.Run{ID: "r1", Profile: "load", Version: "v1", Started: time.Unix(1_750_000_000, 0)}

// served scrapes the listener for Prometheus: the labels by the names of the series.
func served(t *testing.T) map[string][]string {
	t.Helper()
	p, err := stream.NewPrometheus(t.Context(), "0", streamed)
	if err != nil {
		t.Fatal(err)
	}
	p.Snapshot(everything())
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+p.Address()+"/metrics", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for name, f := range families {
		var labels []string
		for _, l := range f.Metric[0].Label {
			labels = append(labels, l.GetName())
		}
		out[name] = labels
		if f.Metric[0].Histogram != nil {
			out[name+"_bucket"] = append(slices.Clone(labels), "le")
		}
	}
	return out
}

// exported takes an export of OTLP, and names what it holds as Prometheus does.
func exported(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	namer := otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var x collector.ExportMetricsServiceRequest
		if err == nil {
			err = proto.Unmarshal(body, &x)
		}
		if err != nil {
			t.Error(err)
		}
		for _, resource := range x.ResourceMetrics {
			for _, scope := range resource.ScopeMetrics {
				for _, m := range scope.Metrics {
					kind, labels := pointsOf(m)
					name, err := namer.Build(otlptranslator.Metric{Name: m.Name, Unit: m.Unit, Type: kind})
					if err != nil {
						t.Error(err)
					}
					out[name] = labels
				}
			}
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	defer receiver.Close()
	o, err := stream.NewOTLP(t.Context(), receiver.URL, streamed, time.Hour, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	o.Snapshot(everything())
	if err := o.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return out
}

// pointsOf returns what sort of metric it is to Prometheus, and the labels of its first
// point.
func pointsOf(m *wire.Metric) (otlptranslator.MetricType, []string) {
	names := func(all []*common.KeyValue) (out []string) {
		for _, a := range all {
			out = append(out, a.Key)
		}
		return out
	}
	switch d := m.Data.(type) {
	case *wire.Metric_Sum:
		return otlptranslator.MetricTypeMonotonicCounter, names(d.Sum.DataPoints[0].Attributes)
	case *wire.Metric_Gauge:
		return otlptranslator.MetricTypeGauge, names(d.Gauge.DataPoints[0].Attributes)
	case *wire.Metric_ExponentialHistogram:
		return otlptranslator.MetricTypeExponentialHistogram, names(d.ExponentialHistogram.DataPoints[0].Attributes)
	}
	return otlptranslator.MetricTypeUnknown, nil
}

var (
	selector = regexp.MustCompile(`([a-zA-Z_]\w*)\{([^}]*)\}`)
	matcher  = regexp.MustCompile(`(\w+)=~?"`)
	grouping = regexp.MustCompile(`by \(([^)]*)\) \(rate\(([a-zA-Z_]\w*)`)
)

// Every expression of a dashboard asks for series that a run really serves, by labels
// that they have, and nothing that is served is left out.
func TestTheDashboardsAskForWhatARunServes(t *testing.T) {
	for kind, there := range map[stream.Dashboards]map[string][]string{stream.PrometheusDashboard: served(t), stream.OTLPDashboard: exported(t)} {
		data, err := os.ReadFile(dashboards[kind])
		if err != nil {
			t.Fatal(err)
		}
		var d any
		if err := json.Unmarshal(data, &d); err != nil {
			t.Fatal(err)
		}
		asked := map[string]bool{}
		has := func(expr, name, label string) {
			if label = strings.TrimSpace(label); label != "job" && !slices.Contains(there[name], label) {
				t.Errorf("%s: %s: %s has the labels %q, not %s", kind, expr, name, there[name], label)
			}
		}
		for _, expr := range expressions(d) {
			for _, m := range selector.FindAllStringSubmatch(expr, -1) {
				asked[m[1]] = true
				if there[m[1]] == nil {
					t.Errorf("%s: %s: no run serves %s", kind, expr, m[1])
					continue
				}
				for _, l := range matcher.FindAllStringSubmatch(m[2], -1) {
					has(expr, m[1], l[1])
				}
			}
			for _, g := range grouping.FindAllStringSubmatch(expr, -1) {
				for _, label := range strings.Split(g[1], ",") {
					has(expr, g[2], label)
				}
			}
		}
		for _, name := range slices.Sorted(maps.Keys(there)) {
			about := strings.HasPrefix(name, "perfctl_run_") || strings.HasSuffix(name, "_censored_total") && name != "perfctl_response_time_censored_total"
			if !asked[name] && !about {
				t.Errorf("%s: no panel shows %s", kind, name)
			}
		}
	}
}

// expressions are those of all panels, those in rows, too.
func expressions(v any) (out []string) {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			out = append(out, expressions(x)...)
		}
	case map[string]any:
		for k, x := range v {
			if text, ok := x.(string); ok && k == "expr" {
				out = append(out, text)
				continue
			}
			out = append(out, expressions(x)...)
		}
	}
	return out
}
