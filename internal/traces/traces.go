// Package traces sends the spans of single arrivals to an OpenTelemetry receiver, over
// HTTP with protobuf (OTLP). Which arrivals are traced is decided elsewhere.
package traces

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/perfctl/perfctl/internal/rundir/exemplars"
)

// Batch is what is sent at a time: arrivals with a trace, whose times count from Zero.
type Batch struct {
	Zero      time.Time
	Exemplars []exemplars.Exemplar
}

// Exporter sends spans. Sending never waits for the receiver: what it does not take in
// time is left out and counted.
type Exporter struct {
	endpoint string
	header   http.Header
	service  string
	run      string
	version  string
	client   *http.Client
	queue    chan Batch
	done     chan struct{}
	stop     context.CancelFunc

	mu          sync.Mutex
	sent, lost  int64
	firstFailed error
}

// waiting is how many batches may wait for the receiver, timeout how long it has.
const (
	waiting = 16
	timeout = 5 * time.Second
)

// Options say where spans go and whose they are.
type Options struct {
	// Endpoint is where they are posted.
	Endpoint *url.URL
	// Headers are sent along, as OTEL_EXPORTER_OTLP_HEADERS writes them: a=b,c=d.
	Headers string
	// Service, Run and Version describe whose spans they are.
	Service, Run, Version string
}

// Endpoint returns where spans go by the variables of OpenTelemetry's exporters.
func Endpoint(lookup func(string) (string, bool)) (*url.URL, error) {
	where, special := lookup("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
	name := "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	if !special || where == "" {
		name = "OTEL_EXPORTER_OTLP_ENDPOINT"
		if where, _ = lookup(name); where == "" {
			where = "http://localhost:4318"
		}
		where = strings.TrimSuffix(where, "/") + "/v1/traces"
	}
	u, err := url.Parse(where)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%s is no URL of the form http://host:4318", name)
	}
	return u, nil
}

// New returns an exporter that is ready to send.
func New(o Options) (*Exporter, error) {
	e := &Exporter{endpoint: o.Endpoint.String(), header: http.Header{"Content-Type": {"application/x-protobuf"}}, service: o.Service, run: o.Run, version: o.Version,
		client: &http.Client{Timeout: timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		queue:  make(chan Batch, waiting), done: make(chan struct{})}
	for pair := range strings.SplitSeq(o.Headers, ",") {
		if pair == "" {
			continue
		}
		name, value, ok := strings.Cut(pair, "=")
		plain, err := url.QueryUnescape(strings.TrimSpace(value))
		if !ok || err != nil || strings.TrimSpace(name) == "" {
			return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_HEADERS: want name=value,name=value")
		}
		e.header.Set(strings.TrimSpace(name), plain)
	}
	ctx, stop := context.WithCancel(context.Background())
	e.stop = stop
	go e.work(ctx)
	return e, nil
}

// Send hands arrivals over to be sent. left is how many arrivals were traced besides.
func (e *Exporter) Send(b Batch, left int64) {
	select {
	case e.queue <- b:
	default:
		left += int64(len(b.Exemplars))
	}
	e.mu.Lock()
	e.lost += left
	e.mu.Unlock()
}

func (e *Exporter) work(ctx context.Context) {
	defer close(e.done)
	for b := range e.queue {
		err := e.post(ctx, b)
		e.mu.Lock()
		if err == nil {
			e.sent += int64(len(b.Exemplars))
		} else {
			e.lost += int64(len(b.Exemplars))
			if e.firstFailed == nil {
				e.firstFailed = err
			}
		}
		e.mu.Unlock()
	}
}

// post sends the spans of a batch.
func (e *Exporter) post(ctx context.Context, b Batch) error {
	body, err := proto.Marshal(e.request(b))
	if err != nil {
		return fmt.Errorf("encode spans: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.endpoint, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header = e.header
	resp, err := e.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("the receiver answered %s", resp.Status)
	}
	return nil
}

// Close sends what is left, as long as ctx allows, and says what did not arrive; empty
// for nothing.
func (e *Exporter) Close(ctx context.Context) string {
	close(e.queue)
	select {
	case <-e.done:
	case <-ctx.Done():
		e.stop()
		<-e.done
	}
	e.stop()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.lost == 0 {
		return ""
	}
	text := fmt.Sprintf("traces: of %d arrivals the spans were sent, of %d they were not", e.sent, e.lost)
	if e.firstFailed != nil {
		text += ": " + e.firstFailed.Error()
	}
	return text
}
