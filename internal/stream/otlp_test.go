package stream

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	wire "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/proto"

	"github.com/perfctl/perfctl/internal/metrics"
)

// receiver is a collector: it decodes what it takes, and refuses or hangs on demand.
type receiver struct {
	*httptest.Server
	mu       sync.Mutex
	requests []*collector.ExportMetricsServiceRequest
	headers  http.Header
	path     string
	status   int
	hang     chan struct{}
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{status: http.StatusOK}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		r.mu.Lock()
		status, hang := r.status, r.hang
		r.mu.Unlock()
		if hang != nil {
			select {
			case <-hang:
			case <-req.Context().Done():
			}
			return
		}
		x := &collector.ExportMetricsServiceRequest{}
		if err != nil || proto.Unmarshal(body, x) != nil {
			status = http.StatusBadRequest
		}
		if status == http.StatusOK {
			r.mu.Lock()
			r.requests, r.headers, r.path = append(r.requests, x), req.Header, req.URL.Path
			r.mu.Unlock()
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
		w.WriteHeader(status)
	}))
	t.Cleanup(r.Close)
	return r
}

// answer changes what the receiver does from now on.
func (r *receiver) answer(status int, hang chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status, r.hang = status, hang
}

// received returns the metrics of request i by name.
func (r *receiver) received(t *testing.T, i int) map[string]*wire.Metric {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if i >= len(r.requests) {
		t.Fatalf("%d requests", len(r.requests))
	}
	out := map[string]*wire.Metric{}
	for _, s := range r.requests[i].ResourceMetrics[0].ScopeMetrics {
		for _, m := range s.Metrics {
			out[m.Name] = m
		}
	}
	return out
}

// export starts an exporter that exports only when it is told to.
func export(t *testing.T, where string) *OTLP {
	t.Helper()
	o, err := NewOTLP(t.Context(), where, testRun, time.Hour, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func sumOf(m *wire.Metric) int64 {
	n := int64(0)
	for _, p := range m.GetSum().GetDataPoints() {
		n += p.GetAsInt()
	}
	return n
}

func TestACollectorReceivesTheSumsOfARun(t *testing.T) {
	r := newReceiver(t)
	o := export(t, r.URL)
	all := new(metrics.Hist)
	for n := range 3 {
		s := second(n, 2, hundred()...)
		all.Merge(s.Trends[0].Hist)
		o.Snapshot(s)
	}
	if err := o.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r.path != "/v1/metrics" || len(r.requests) != 2 {
		t.Errorf("%d requests, the last to %s", len(r.requests), r.path)
	}
	got := r.received(t, 1)
	for name, want := range map[string]int64{
		"perfctl.jobs": 21, "perfctl.hit_ratio.hits": 9, "perfctl.hit_ratio.events": 12, "perfctl.wait_time.censored": 6,
	} {
		if n := sumOf(got[name]); n != want || !got[name].GetSum().IsMonotonic {
			t.Errorf("%s is %d, want %d", name, n, want)
		}
	}
	if v := got["perfctl.depth"].GetGauge().DataPoints[0].GetAsDouble(); v != 2.5 {
		t.Errorf("the gauge is %v", v)
	}
	h := got["perfctl.wait_time"].GetExponentialHistogram()
	p := h.DataPoints[0]
	if p.Count != 300 || math.Abs(p.GetSum()-15.15) > 1e-9 || p.GetMin() != 0.001 || p.GetMax() != 0.1 ||
		got["perfctl.wait_time"].Unit != "s" || h.AggregationTemporality != wire.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE {
		t.Errorf("the histogram is %v", p)
	}
	tags := map[string]string{}
	for _, a := range p.Attributes {
		tags[a.Key] = a.Value.GetStringValue()
	}
	if d := cmp.Diff(map[string]string{"scenario": "crud", "operation": "insert", "stage": "peak"}, tags); d != "" {
		t.Error(d)
	}
	for _, q := range []float64{0.01, 0.5, 0.95, 0.98} {
		ns, _, _ := all.Quantile(q * 300 / 306)
		low, high := exponentialBucket(p, q)
		if v := float64(ns) / 1e9; v < low*0.999 || v > high*1.001 || len(p.Positive.BucketCounts) > otlpBuckets {
			t.Errorf("p(%v) is %v, not in (%v, %v]", q*100, v, low, high)
		}
	}
}

// exponentialBucket returns the bounds of the bucket in which the quantile falls.
func exponentialBucket(p *wire.ExponentialHistogramDataPoint, q float64) (low, high float64) {
	base := math.Exp2(math.Exp2(-float64(p.Scale)))
	seen, rank := float64(p.ZeroCount), math.Ceil(q*float64(p.Count)-1e-9)
	for i, n := range p.Positive.BucketCounts {
		if seen += float64(n); seen >= rank {
			index := float64(p.Positive.Offset) + float64(i)
			return math.Pow(base, index), math.Pow(base, index+1)
		}
	}
	return math.Inf(1), math.Inf(1)
}

func TestTheUsualVariablesAreHonoured(t *testing.T) {
	r := newReceiver(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", r.URL+"/base")
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=blue")
	t.Setenv("OTEL_SERVICE_NAME", "load-test")
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "team=core")
	t.Setenv("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta")
	o := export(t, OTLPEnv)
	for n := range 2 {
		o.Snapshot(second(n, 0, 1, 2))
		o.export(t.Context())
	}
	if err := o.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r.path != "/base/v1/metrics" || r.headers.Get("x-tenant") != "blue" {
		t.Errorf("asked for %s with %v", r.path, r.headers)
	}
	about := map[string]*common.AnyValue{}
	for _, a := range r.requests[0].ResourceMetrics[0].Resource.Attributes {
		about[a.Key] = a.Value
	}
	if about["service.name"].GetStringValue() != "load-test" || about["team"].GetStringValue() != "core" || about["perfctl.run.id"].GetStringValue() != "r1" {
		t.Errorf("the resource is %v", about)
	}
	for i := 1; i <= 2; i++ {
		m := r.received(t, i)["perfctl.jobs"]
		if sumOf(m) != 7 || m.GetSum().AggregationTemporality != wire.AggregationTemporality_AGGREGATION_TEMPORALITY_DELTA {
			t.Errorf("export %d: %v", i, m)
		}
	}
}

func TestExportsThatFailAreMadeUpForByLaterOnes(t *testing.T) {
	for _, preference := range []string{"cumulative", "delta"} {
		t.Setenv("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", preference)
		r := newReceiver(t)
		o := export(t, r.URL)
		o.Snapshot(second(0, 1, 5))
		r.answer(http.StatusServiceUnavailable, nil)
		o.export(t.Context())
		o.Snapshot(second(1, 1, 5))
		o.export(t.Context())
		r.answer(http.StatusOK, nil)
		o.Snapshot(second(2, 1, 5))
		if err := o.Close(t.Context()); err != nil {
			t.Fatalf("%s: %v", preference, err)
		}
		got := r.received(t, 1)
		if n, h := sumOf(got["perfctl.jobs"]), got["perfctl.wait_time"].GetExponentialHistogram().DataPoints[0]; n != 21 || h.Count != 3 {
			t.Errorf("%s: %d jobs, %d times", preference, n, h.Count)
		}
	}
}

func TestAReceiverThatHangsOrDiesHoldsNothingUp(t *testing.T) {
	for _, x := range []struct {
		name string
		do   func(r *receiver)
	}{
		{"hangs", func(r *receiver) { r.answer(0, make(chan struct{})) }},
		{"dies", func(r *receiver) { r.CloseClientConnections(); r.Listener.Close() }},
	} {
		r := newReceiver(t)
		o := export(t, r.URL)
		x.do(r)
		exporting, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { o.export(exporting) })
		for n := range 50 {
			o.Snapshot(second(n, 0, 1)) // while the export goes on
		}
		stop()
		wg.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		err := o.Close(ctx)
		cancel()
		if err == nil || !strings.HasPrefix(err.Error(), "the last 50 of 50 seconds did not arrive: ") {
			t.Errorf("%s: Close: %v", x.name, err)
		}
	}
}

func TestAReceiverThatIsNotThereIsAnErrorAtTheStart(t *testing.T) {
	gone := newReceiver(t)
	gone.Close()
	deaf := newReceiver(t)
	deaf.answer(http.StatusNotFound, nil)
	for where, reached := range map[string]bool{gone.URL: true, deaf.URL: true, "127.0.0.1:4318": false, "ftp://x": false, "": false, "http://": false} {
		_, err := NewOTLP(t.Context(), where, testRun, time.Hour, nil, slog.New(slog.DiscardHandler))
		if err == nil || errors.Is(err, ErrReceiver) != reached {
			t.Errorf("%q: %v", where, err)
		}
	}
}
