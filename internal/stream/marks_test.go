package stream

import (
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
)

func marked() (*account, *metrics.Series) {
	a := newAccount()
	s := &metrics.Series{Desc: metrics.ResponseTime, Tags: metrics.Tags{Scenario: "crud", Stage: "peak"}}
	const trace, span = "0102030000000000000000000000000f", "00f067aa0ba902b7"
	mark := func(k int64, took time.Duration, trace string) metrics.Mark {
		return metrics.Mark{Scenario: "crud", Stage: "peak", K: k, Response: took, Trace: trace, Span: span, At: time.Unix(1_800_000_000, 0)}
	}
	a.mark([]metrics.Mark{mark(1, 3*time.Millisecond, trace), mark(2, 4*time.Millisecond, ""), mark(3, 700*time.Millisecond, ""), mark(4, 800*time.Millisecond, ""),
		mark(5, 2*time.Minute, trace)})
	return a, s
}

func TestTheBucketOfASlowArrivalNamesIt(t *testing.T) {
	a, s := marked()
	hist := &metrics.Hist{}
	for _, d := range []time.Duration{3 * time.Millisecond, 4 * time.Millisecond, 700 * time.Millisecond, 800 * time.Millisecond} {
		hist.Record(int64(d))
	}
	m, err := a.histogram(&metrics.Total{Series: *s, Hist: hist}, testRun.Started)
	if err != nil {
		t.Fatal(err)
	}
	got := map[float64]map[string]string{}
	for _, b := range m.(bothHistograms).classic {
		if b.Exemplar == nil {
			continue
		}
		got[b.GetUpperBound()] = map[string]string{}
		for _, l := range b.Exemplar.Label {
			got[b.GetUpperBound()][l.GetName()] = l.GetValue()
		}
		if v := b.Exemplar.GetValue(); v > b.GetUpperBound() {
			t.Errorf("an arrival of %g s in the bucket up to %g s", v, b.GetUpperBound())
		}
	}
	// A trace is worth more than what is new; of those without one the latest counts.
	if len(got) != 2 || got[0.005]["arrival"] != "1" || got[0.005]["trace_id"] == "" || got[1]["arrival"] != "4" || got[1]["trace_id"] != "" {
		t.Errorf("exemplars %v", got)
	}
}

func TestOpenTelemetryReceivesTheTraceOfASlowArrival(t *testing.T) {
	a, s := marked()
	all := a.exemplars(s)
	if len(all) != 3 || len(all[0].TraceID) != 16 || len(all[0].SpanID) != 8 || all[2].Value != 120 {
		t.Errorf("%+v", all)
	}
	other := *s
	other.Tags.Operation = "insert"
	if got := a.exemplars(&other); len(got) != 0 {
		t.Errorf("another series has %+v", got)
	}
}
