package traces

import (
	"context"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/rundir/exemplars"
)

// receiver decodes what it is sent.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	spans  []*trace.Span
	header http.Header
	status int
}

func receive(t *testing.T) *receiver {
	r := &receiver{status: http.StatusOK}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		var got collector.ExportTraceServiceRequest
		if err := proto.Unmarshal(body, &got); err != nil || req.URL.Path != "/v1/traces" {
			t.Errorf("%s: %v", req.URL.Path, err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.header = req.Header
		for _, a := range got.ResourceSpans {
			for _, b := range a.ScopeSpans {
				r.spans = append(r.spans, b.Spans...)
			}
		}
		w.WriteHeader(r.status)
	}))
	t.Cleanup(r.Close)
	return r
}

func export(t *testing.T, r *receiver, headers string) *Exporter {
	t.Helper()
	u, err := Endpoint(func(name string) (string, bool) {
		return map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": r.URL}[name], name == "OTEL_EXPORTER_OTLP_ENDPOINT"
	})
	if err != nil {
		t.Fatal(err)
	}
	e, err := New(Options{Endpoint: u, Service: "perfctl", Run: "r1", Version: "v1", Headers: headers})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestSpansArriveUnderTheIdentityThatServersWereTold(t *testing.T) {
	tracing := &work.Tracing{Run: 7, Share: 1}
	a := &work.Arrival{K: 4711, Seed: 1, Notes: new(work.Notes)}
	a.Trace = tracing.Of(a)
	a.Notes.Trace = a.Trace
	a.Begin("postgres", "first", 0)
	parent := a.Begin("api", "second", 0).TraceParent()

	r := receive(t)
	e := export(t, r, "x-key=a%20b,y=c")
	zero := time.Unix(1_700_000_000, 0)
	e.Send(Batch{Zero: zero, Exemplars: []exemplars.Exemplar{{K: 4711, Scenario: "flow", Stage: "s", Due: 1000, Response: 30, Kind: "timeout", Error: "late", Trace: a.Trace.String(),
		Ops: []exemplars.Op{{Name: "first", System: "postgres", Start: 1, End: 10, Request: "SELECT 1"}, {Name: "second", System: "api", Start: 10, End: 30, Status: 503, Failed: true}}}}}, 0)
	if lost := e.Close(t.Context()); lost != "" {
		t.Fatal(lost)
	}
	if len(r.spans) != 3 {
		t.Fatalf("%d spans", len(r.spans))
	}
	whole, second := r.spans[0], r.spans[2]
	if want := "00-" + hex.EncodeToString(second.TraceId) + "-" + hex.EncodeToString(second.SpanId) + "-01"; parent != want {
		t.Errorf("servers were told %s, the span is %s", parent, want)
	}
	if string(second.ParentSpanId) != string(whole.SpanId) || len(whole.ParentSpanId) != 0 || whole.Status.GetCode() != trace.Status_STATUS_CODE_ERROR {
		t.Errorf("spans %v", r.spans)
	}
	if got := time.Unix(0, int64(second.StartTimeUnixNano)); !got.Equal(zero.Add(1010 * time.Millisecond)) {
		t.Errorf("the second began at %v", got)
	}
	if r.header.Get("X-Key") != "a b" || r.header.Get("Content-Type") != "application/x-protobuf" {
		t.Errorf("headers %v", r.header)
	}
}

func TestWhatDoesNotArriveIsCountedAndSaid(t *testing.T) {
	r := receive(t)
	r.status = http.StatusTeapot
	e := export(t, r, "")
	e.Send(Batch{Exemplars: make([]exemplars.Exemplar, 3)}, 4)
	lost := e.Close(t.Context())
	if !strings.Contains(lost, "of 7 they were not") || !strings.Contains(lost, "418") {
		t.Errorf("said %q", lost)
	}
}

func TestAReceiverThatHangsHoldsNobodyUp(t *testing.T) {
	held := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-held }))
	defer s.Close()
	defer close(held)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	e, err := New(Options{Endpoint: u})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 * waiting {
		e.Send(Batch{Exemplars: make([]exemplars.Exemplar, 1)}, 0)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if lost := e.Close(ctx); !strings.Contains(lost, "of 48 they were not") {
		t.Errorf("said %q", lost)
	}
}

func TestWrongSettingsAreRefused(t *testing.T) {
	if _, err := Endpoint(func(string) (string, bool) { return "ftp://x", true }); err == nil {
		t.Error("ftp is taken")
	}
	if _, err := New(Options{Endpoint: &url.URL{}, Headers: "novalue"}); err == nil {
		t.Error("a header without a value is taken")
	}
}
