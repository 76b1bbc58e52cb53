package stream

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"pgregory.net/rapid"

	"github.com/perfctl/perfctl/internal/metrics"
)

var testRun = Run{ID: "r1", Profile: "load", Version: "v1", Started: time.Unix(1_700_000_000, 0)}

func listen(t *testing.T) *Prometheus {
	t.Helper()
	p, err := NewPrometheus(t.Context(), ":0", testRun)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.server.Close() })
	return p
}

// scrape returns what is exposed, decoded by Prometheus's own parser.
func scrape(t *testing.T, p *Prometheus, accept string) map[string]*dto.MetricFamily {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+p.Address()+"/metrics", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(resp.Body)
		t.Fatalf("%s: %s", resp.Status, text)
	}
	out := map[string]*dto.MetricFamily{}
	if accept == "" {
		parser := expfmt.NewTextParser(model.UTF8Validation)
		out, err = parser.TextToMetricFamilies(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for d := expfmt.NewDecoder(resp.Body, expfmt.ResponseFormat(resp.Header)); ; {
		var f dto.MetricFamily
		if err := d.Decode(&f); errors.Is(err, io.EOF) {
			return out
		} else if err != nil {
			t.Fatal(err)
		}
		out[f.GetName()] = &f
	}
}

const protobuf = `application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited`

func TestPrometheusReadsTheSumsOfARunInItsTextFormat(t *testing.T) {
	p := listen(t)
	for n := range 3 {
		p.Snapshot(second(n, 2, hundred()...))
	}
	got := scrape(t, p, "")
	counts := map[string]float64{
		"perfctl_jobs_total": 21, "perfctl_hit_ratio_hits_total": 9, "perfctl_hit_ratio_events_total": 12,
		"perfctl_depth": 2.5, "perfctl_run_info": 1, "perfctl_run_seconds": 3,
	}
	for name, want := range counts {
		f := got[name]
		if f == nil || len(f.Metric) != 1 {
			t.Errorf("%s: %v", name, f)
			continue
		}
		m := f.Metric[0]
		if v := m.GetCounter().GetValue() + m.GetGauge().GetValue(); v != want {
			t.Errorf("%s is %v, want %v", name, v, want)
		}
	}
	if m := got["perfctl_jobs_total"].Metric[0]; !slices.ContainsFunc(m.Label, func(l *dto.LabelPair) bool { return l.GetName() == "outcome" && l.GetValue() == `a"b,c` }) {
		t.Errorf("labels: %v", m.Label)
	}
	h := got["perfctl_wait_time_seconds"].Metric[0].Histogram
	if h.GetSampleCount() != 306 || math.Abs(h.GetSampleSum()-3*5.05) > 1e-9 {
		t.Errorf("count %d, sum %v", h.GetSampleCount(), h.GetSampleSum())
	}
	// Of the values 1 to 100 ms, b do not exceed b ms; one that is within 0.1 % of a
	// bound may count beyond it, never the other way.
	for _, b := range h.Bucket {
		ms := b.GetUpperBound() * 1e3
		least, most := min(math.Floor(ms*0.999), 100)*3, min(math.Floor(ms+1e-9), 100)*3
		if math.IsInf(ms, 1) {
			least, most = 306, 306
		}
		if n := float64(b.GetCumulativeCount()); n < least || n > most {
			t.Errorf("bucket %v holds %v, want %v to %v", b.GetUpperBound(), n, least, most)
		}
	}
}

// nativeBucket returns the bounds of the native bucket in which the quantile falls.
func nativeBucket(h *dto.Histogram, q float64) (low, high float64) {
	rank := math.Ceil(q*float64(h.GetSampleCount()) - 1e-9)
	seen := float64(h.GetZeroCount())
	if seen >= rank {
		return 0, 0
	}
	index, count, next := 0, int64(0), 0
	for _, s := range h.PositiveSpan {
		index += int(s.GetOffset())
		for range s.GetLength() {
			count += h.PositiveDelta[next]
			next++
			if seen += float64(count); seen >= rank {
				return math.Exp2(float64(index-1) / math.Exp2(float64(h.GetSchema()))), math.Exp2(float64(index) / math.Exp2(float64(h.GetSchema())))
			}
			index++
		}
	}
	return math.Inf(1), math.Inf(1)
}

func TestAQuantileOfTheNativeHistogramIsTheOneThatIsReported(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := new(metrics.Hist)
		for _, v := range rapid.SliceOfN(rapid.Int64Range(0, 2*metrics.HighestValue), 1, 200).Draw(t, "ns") {
			h.Record(v >> rapid.IntRange(0, 40).Draw(t, "shift"))
		}
		h.Censored = rapid.Int64Range(0, 20).Draw(t, "censored")
		m, err := newAccount().histogram(&metrics.Total{Series: metrics.Series{Desc: waitTime}, Hist: h}, testRun.Started)
		if err != nil {
			t.Fatal(err)
		}
		var out dto.Metric
		if err := m.Write(&out); err != nil {
			t.Fatal(err)
		}
		q := rapid.Float64Range(0.01, 1).Draw(t, "q")
		low, high := nativeBucket(out.Histogram, q)
		want, atLeast, _ := h.Quantile(q)
		v := float64(want) / 1e9
		if atLeast {
			if !math.IsInf(high, 1) && low < math.MaxFloat64/2 {
				t.Fatalf("q %v: a quantile among censored values is in (%v, %v]", q, low, high)
			}
			return
		}
		// Values past the highest trackable one are known only to be past it.
		if past := v >= metrics.HighestValue/1e9*0.999 && high >= metrics.HighestValue/1e9; !past && (v < low*0.999 || v > high*1.001) {
			t.Fatalf("q %v: %v is not in (%v, %v]", q, v, low, high)
		}
		if high > low*1.0220 && low > 0 {
			t.Fatalf("the bucket (%v, %v] is too wide", low, high)
		}
	})
}

func TestPrometheusReadsNativeHistogramsAsProtobuf(t *testing.T) {
	p := listen(t)
	p.Snapshot(second(0, 0, hundred()...))
	h := scrape(t, p, protobuf)["perfctl_wait_time_seconds"].Metric[0].Histogram
	if low, high := nativeBucket(h, 0.95); low > 0.095 || high < 0.095 || high > 0.098 {
		t.Errorf("p95 is in (%v, %v]", low, high)
	}
	if len(h.Bucket) < len(classicBounds) {
		t.Errorf("%d classic buckets", len(h.Bucket))
	}
}

func TestTheListenerIsOnTheLoopbackInterfaceUnlessAskedOtherwise(t *testing.T) {
	p := listen(t)
	host, port, err := net.SplitHostPort(p.Address())
	if err != nil || host != "127.0.0.1" {
		t.Errorf("listens on %s: %v", p.Address(), err)
	}
	for _, address := range []string{port, p.Address(), "no address at all", "127.0.0.1:70000"} {
		if p, err := NewPrometheus(t.Context(), address, testRun); err == nil {
			t.Errorf("%s can be listened on, as %s", address, p.Address())
		}
	}
}

func TestWhatNobodyScrapedIsTold(t *testing.T) {
	for _, x := range []struct {
		before, after int
		want          string
	}{{0, 3, "nobody scraped it"}, {2, 1, "the last 1 of 3 seconds were not scraped"}, {3, 0, ""}} {
		p := listen(t)
		for n := range x.before {
			p.Snapshot(second(n, 0, 1))
		}
		if x.before > 0 {
			scrape(t, p, "")
		}
		for n := range x.after {
			p.Snapshot(second(n, 0, 1))
		}
		got := ""
		if err := p.Close(t.Context()); err != nil {
			got = err.Error()
		}
		if got != x.want {
			t.Errorf("Close: %q, want %q", got, x.want)
		}
	}
}

func TestAScraperThatHangsHoldsNothingUp(t *testing.T) {
	p := listen(t)
	c, err := new(net.Dialer).DialContext(t.Context(), "tcp", p.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET /metrics HTTP/1.1\r\nHost: x\r\n"); err != nil { // and no end of it
		t.Fatal(err)
	}
	for n := range 100 {
		p.Snapshot(second(n, 0, 1))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Close(ctx); err == nil || !strings.Contains(err.Error(), "nobody") {
		t.Errorf("Close: %v", err)
	}
}
