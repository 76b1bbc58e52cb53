package api

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/scenarios/answer"
	"github.com/perfctl/perfctl/internal/scenarios/data"
	"github.com/perfctl/perfctl/internal/targets"
)

const workers = 8

type bench struct {
	*scenario
	reg *metrics.Registry
}

func newBench(t *testing.T, url string, set ...string) *bench {
	t.Helper()
	addresses, err := targets.Resolve(func(n string) (string, string, bool) { return url, "test", n == "API_BASE_URL" })
	if err != nil {
		t.Fatal(err)
	}
	d := Definition()
	var overrides []scenarios.Override
	for _, s := range set {
		k, v, _ := strings.Cut(s, "=")
		overrides = append(overrides, scenarios.Override{Key: k, Value: v, Stage: -1, Place: "test"})
	}
	values, errs := scenarios.NewValues(&d, 1, overrides)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	reg := metrics.NewRegistry([]string{"only"})
	s, err := newScenario(scenarios.Env{RunID: "t", Clock: work.NewClock(), Metrics: reg, Targets: addresses, Values: values,
		Plan: scenarios.Plan{Workers: workers, Stages: []string{"only"}, Shards: 1}, Log: slog.New(slog.DiscardHandler), Scenario: "api"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	return &bench{s, reg}
}

// execute sends n requests from all workers and returns the errors by kind.
func (b *bench) execute(t *testing.T, n int64) map[work.Kind]int {
	t.Helper()
	var next atomic.Int64
	var mu sync.Mutex
	kinds := map[work.Kind]int{}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for k := next.Add(1) - 1; k < n; k = next.Add(1) - 1 {
				if err := b.Do(t.Context(), &work.Arrival{K: k, N: k, Worker: w}); err != nil {
					mu.Lock()
					kinds[work.KindOf(err)]++
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	return kinds
}

func (b *bench) totals() *metrics.Totals {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	c := metrics.NewCollector(b.reg, b.env.Clock.Now, func(time.Duration) int { return 0 })
	c.Run(ctx)
	var out *metrics.Totals
	c.Totals(func(t *metrics.Totals) { out = t })
	return out
}

func TestRequestsAreThoseAskedForAndConnectionsAreReused(t *testing.T) {
	var served, opened atomic.Int64
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			return
		}
		body, _ := io.ReadAll(r.Body)
		if r.Method == http.MethodPost && r.URL.RequestURI() == "/v1/tasks?x=1" && r.Header.Get("X-Key") == "k1" && string(body) == `{"a":1}` {
			served.Add(1)
		}
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write(make([]byte, 50_000))
	}))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	b := newBench(t, srv.URL, "method=POST", "path=/v1/tasks?x=1", "headers=X-Key: k1", `body={"a":1}`, "expect_status=201")
	if err := b.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	if kinds := b.execute(t, 400); len(kinds) > 0 {
		t.Fatalf("failures %v", kinds)
	}
	if served.Load() != 400 {
		t.Errorf("the server saw %d requests as asked for, want 400", served.Load())
	}
	// net/http may dial once more than it needs for each worker.
	if n := opened.Load(); n > 3*workers {
		t.Errorf("%d connections for 400 requests of %d workers", n, workers)
	}
	b.Sample(t.Context())
	tot := b.totals()
	for _, name := range []string{"http_req_duration", "http_req_blocked", "http_req_connecting", "http_req_tls_handshaking", "http_req_sending", "http_req_waiting", "http_req_receiving"} {
		if h := tot.Trend(metrics.Selector{Name: name}); h == nil || h.N != 400 {
			t.Errorf("%s holds %+v", name, h)
		}
	}
	sum := 0.0
	for _, name := range []string{"http_req_sending", "http_req_waiting", "http_req_receiving"} {
		sum += tot.Trend(metrics.Selector{Name: name}).Sum
	}
	if d := tot.Trend(metrics.Selector{Name: "http_req_duration"}).Sum; d != sum {
		t.Errorf("sending + waiting + receiving is %g ns, the duration %g", sum, d)
	}
	if n, _ := tot.Counter(metrics.Selector{Name: "data_received"}); n < 400*50_000 {
		t.Errorf("%d bytes received of at least %d", n, 400*50_000)
	}
}

func TestFailuresHaveTheirKind(t *testing.T) {
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/busy":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/none":
			w.WriteHeader(http.StatusNotFound)
		case "/slow":
			select {
			case <-release:
			case <-r.Context().Done():
			}
		case "/cut":
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("half"))
			if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
				_ = c.Close()
			}
		case "/moved":
			http.Redirect(w, r, "/none", http.StatusFound)
		}
	}))
	defer srv.Close()
	defer close(release)
	for path, want := range map[string]work.Kind{"/busy": "status_5xx", "/none": "status_4xx", "/slow": work.KindTimeout, "/cut": work.KindClosed, "/moved": "status_3xx"} {
		b := newBench(t, srv.URL, "path="+path, "timeout=100ms", "expect_status=2xx")
		if err := b.Setup(t.Context()); err != nil {
			t.Fatal(err)
		}
		if kinds := b.execute(t, 1); kinds[want] != 1 {
			t.Errorf("%s: failures %v, want one of kind %s", path, kinds, want)
		}
	}
}

func TestAServerThatFailsFastDoesNotLookFast(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodHead {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer srv.Close()
	b := newBench(t, srv.URL)
	if err := b.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	if kinds := b.execute(t, 50); kinds["status_5xx"] != 50 {
		t.Fatalf("failures %v", kinds)
	}
	tot := b.totals()
	for _, name := range []string{"http_req_duration", "http_req_waiting"} {
		if h := tot.Trend(metrics.Selector{Name: name}); h != nil && h.N != 0 {
			t.Errorf("%s holds %d requests that failed", name, h.N)
		}
	}
	if n, _ := tot.Counter(metrics.Selector{Name: "http_reqs"}); n != 50 {
		t.Errorf("%d requests were answered, want 50", n)
	}
}

func TestHTTP2OverTLSSharesAConnection(t *testing.T) {
	var others, opened atomic.Int64
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 || r.TLS == nil {
			others.Add(1)
		}
	}))
	srv.EnableHTTP2 = true
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	srv.StartTLS()
	defer srv.Close()
	b := newBench(t, srv.URL, "http_version=2")
	b.client.Transport.(*http.Transport).TLSClientConfig.RootCAs = srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	if err := b.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	if kinds := b.execute(t, 100); len(kinds) > 0 || others.Load() > 0 {
		t.Errorf("%d requests were not HTTP/2 over TLS, failures %v", others.Load(), kinds)
	}
	if n := opened.Load(); n != 1 {
		t.Errorf("%d connections, HTTP/2 needs one", n)
	}
}

func TestHTTP2IsSpokenWhenAskedFor(t *testing.T) {
	var minor atomic.Int64
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { minor.Store(int64(r.ProtoMajor)) }))
	srv.Config.Protocols = new(http.Protocols)
	srv.Config.Protocols.SetUnencryptedHTTP2(true)
	srv.Config.Protocols.SetHTTP1(true)
	srv.Start()
	defer srv.Close()
	for version, want := range map[string]int64{"1.1": 1, "2": 2} {
		b := newBench(t, srv.URL, "http_version="+version)
		if err := b.Setup(t.Context()); err != nil {
			t.Fatal(err)
		}
		if kinds := b.execute(t, 20); len(kinds) > 0 || minor.Load() != want {
			t.Errorf("HTTP/%s: the server saw HTTP/%d, failures %v", version, minor.Load(), kinds)
		}
	}
}

func TestFreshConnectionsWhereReuseIsOff(t *testing.T) {
	var opened atomic.Int64
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	b := newBench(t, srv.URL, "reuse=false")
	if err := b.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	opened.Store(0)
	b.execute(t, 50)
	if opened.Load() != 50 {
		t.Errorf("%d connections for 50 requests", opened.Load())
	}
}

func TestNothingListeningIsUnreachable(t *testing.T) {
	b := newBench(t, "http://user:s3cret@127.0.0.1:1")
	err := b.Setup(t.Context())
	if _, ok := errors.AsType[*targets.UnreachableError](err); !ok || strings.Contains(err.Error(), "s3cret") || !strings.Contains(err.Error(), "API_BASE_URL") {
		t.Errorf("got %v", err)
	}
}

func TestRequestsOfAFileAreSentByTheirWeights(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]int{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case r.Method == http.MethodHead:
		case r.Method == http.MethodPost && r.URL.Path == "/tasks" && r.Header.Get("X-Number") != "" && string(body) == `{"n":`+r.Header.Get("X-Number")+`}`:
			seen["create"]++
			w.Header().Set("Location", "/tasks/"+r.Header.Get("X-Number"))
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, `{"task":{"state":"queued"}}`)
		case r.Method == http.MethodGet && r.URL.Query().Get("page") != "":
			seen["list"]++
			_, _ = io.WriteString(w, `{"items":[]}`)
		default:
			seen[r.Method+" "+r.URL.String()]++
		}
	}))
	defer srv.Close()
	file := filepath.Join(t.TempDir(), "requests.yaml")
	if err := os.WriteFile(file, []byte(`
requests:
  - name: create
    weight: 3
    method: POST
    path: /tasks
    headers: {Content-Type: application/json, X-Number: "{{n}}"}
    body: '{"n":{{n}}}'
    check:
      status: 201
      header Location: /tasks/{{n}}
      json task.state: queued
  - name: list
    path: /tasks?page={{random 1 10}}
    check: {json items.#: 1}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, srv.URL, "requests="+file)
	if err := b.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	const n = 1000
	kinds := b.execute(t, n)
	if len(seen) != 2 || seen["create"] < 700 || seen["create"] > 800 || seen["create"]+seen["list"] != n {
		t.Errorf("the server saw %v, want 750 to create and 250 to list", seen)
	}
	if len(kinds) != 1 || kinds[answer.KindCheck] != seen["list"] {
		t.Errorf("failures %v, want the check of each of %d lists", kinds, seen["list"])
	}
	tot := b.totals()
	if h := tot.Trend(metrics.Selector{Name: "http_req_duration", Tags: metrics.Tags{Operation: "create"}}); h == nil || h.N != int64(seen["create"]) {
		t.Errorf("http_req_duration of create holds %+v", h)
	}
}

func TestHeadersHoldBars(t *testing.T) {
	got, err := parseHeaders("Cookie: s=a|b:c | Authorization: Bearer 3|Zk9x | X: {{n | url}}")
	want := [][2]string{{"Cookie", "s=a|b:c"}, {"Authorization", "Bearer 3|Zk9x"}, {"X", "{{n | url}}"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q (%v), want %q", got, err, want)
	}
	if _, err := parseHeaders("A: b | s3cret"); err == nil || strings.Contains(err.Error(), "s3cret") || !strings.Contains(err.Error(), "header 2") {
		t.Errorf("got %v", err)
	}
}

func TestChecksOfASetting(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"state":"done","n":7}`)
	}))
	defer srv.Close()
	for checks, want := range map[string]work.Kind{
		"json state: done | json n above: 6": "",
		"json state: failed":                 answer.KindCheck,
		"header ETag present: true":          answer.KindCheck,
		"body contains: done":                "",
	} {
		b := newBench(t, srv.URL, "checks="+checks)
		if err := b.Setup(t.Context()); err != nil {
			t.Fatal(err)
		}
		if kinds := b.execute(t, 1); kinds[want] != 1 && len(kinds) != 0 || want != "" && len(kinds) == 0 {
			t.Errorf("%s: failures %v, want %q", checks, kinds, want)
		}
	}
}

func TestServersAreTrustedAsTheSettingsSay(t *testing.T) {
	var shown atomic.Int64
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if len(r.TLS.PeerCertificates) > 0 {
			shown.Add(1)
		}
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	srv.StartTLS()
	defer srv.Close()
	dir := t.TempDir()
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	own := srv.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(own.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	cert, keyFile := write("cert.pem", "CERTIFICATE", own.Certificate[0]), write("key.pem", "PRIVATE KEY", key)
	for name, c := range map[string]struct {
		set  []string
		ok   bool
		sees int64
	}{
		"the system's authorities": {nil, false, 0},
		"a file of authorities":    {[]string{"tls_ca=" + cert}, true, 0},
		"another name":             {[]string{"tls_ca=" + cert, "tls_server_name=example.com"}, true, 0},
		"a wrong name":             {[]string{"tls_ca=" + cert, "tls_server_name=wrong.test"}, false, 0},
		"anybody":                  {[]string{"tls_insecure=true"}, true, 0},
		"a client's certificate":   {[]string{"tls_ca=" + cert, "tls_cert=" + cert, "tls_key=" + keyFile}, true, 10},
	} {
		shown.Store(0)
		b := newBench(t, srv.URL, c.set...)
		err := b.Setup(t.Context())
		if (err == nil) != c.ok {
			t.Errorf("%s: got %v", name, err)
		}
		if err != nil {
			continue
		}
		shown.Store(0)
		if kinds := b.execute(t, 10); len(kinds) > 0 || shown.Load() != c.sees {
			t.Errorf("%s: failures %v, %d requests showed a certificate, want %d", name, kinds, shown.Load(), c.sees)
		}
	}
}

func TestTheExampleIsAFileOfRequests(t *testing.T) {
	calls, err := load(filepath.Join("..", "..", "..", "configs", "examples", "requests.yaml"), blank(), &data.Rows{})
	if err != nil || len(calls) != 3 {
		t.Errorf("%d requests (%v), want 3", len(calls), err)
	}
}

// What failed is told with its method, path and the beginning of the answer.
func TestAFailureTellsWhatWasAskedAndSaid(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write([]byte("  {\"error\": \"no stock\"}" + strings.Repeat("é", 200)))
	}))
	t.Cleanup(srv.Close)
	b := newBench(t, srv.URL, "path=/orders?token=hush", "method=POST")
	if err := b.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := b.Do(t.Context(), &work.Arrival{})
	if err == nil {
		t.Fatal("a status of 500 is no failure")
	}
	text := err.Error()
	if !strings.Contains(text, `POST /orders: status 500 Internal Server Error: {"error": "no stock"}`) {
		t.Errorf("got %q", text)
	}
	if strings.Contains(text, "hush") || !utf8.ValidString(text) || len(text) > 300 {
		t.Errorf("a secret, a broken character or too much is in %q", text)
	}
}
