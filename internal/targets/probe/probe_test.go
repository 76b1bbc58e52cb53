package probe

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/process"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// totals returns what a registry holds.
func totals(reg *metrics.Registry) *metrics.Totals {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	c := metrics.NewCollector(reg, func() time.Duration { return 0 }, func(time.Duration) int { return 0 })
	c.Run(ctx)
	var out *metrics.Totals
	c.Totals(func(t *metrics.Totals) { out = t })
	return out
}

// gauge returns a reading.
func gauge(of *metrics.Totals, d metrics.Desc, operation string) (float64, bool) {
	v := of.Gauge(metrics.Selector{Name: d.Name, Tags: metrics.Tags{Operation: operation}})
	if len(v) == 0 {
		return 0, false
	}
	return v[len(v)-1], true
}

// endpointOf serves what text returns; an empty one is an error.
func endpointOf(t *testing.T, text func(path string) string) *url.URL {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := text(r.URL.Path)
		if s == "" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = io.WriteString(w, s)
	}))
	t.Cleanup(srv.Close)
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestAProgramTellsOfItself(t *testing.T) {
	var scrapes atomic.Int64
	var down atomic.Bool
	u := endpointOf(t, func(string) string {
		if down.Load() {
			return ""
		}
		n := scrapes.Add(1)
		return fmt.Sprintf(`# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes 1.5e+08
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total %d
# TYPE nodejs_eventloop_lag_p99_seconds gauge
nodejs_eventloop_lag_p99_seconds 0.012
# TYPE jvm_memory_used_bytes gauge
jvm_memory_used_bytes{area="heap",id="eden"} 100
jvm_memory_used_bytes{area="heap",id="old"} 20
jvm_memory_used_bytes{area="nonheap",id="meta"} 9999
# TYPE jobs_total counter
jobs_total{queue="a"} %d
jobs_total{queue="b"} %d
# TYPE jobs_waiting gauge
jobs_waiting 7
`, n*1000, n*10, n)
	})
	reg := metrics.NewRegistry(nil)
	x, err := ParseScrape("app=" + u.String() + "/metrics#jobs_total,jobs_waiting")
	if err != nil {
		t.Fatal(err)
	}
	set := NewSet(slog.New(slog.DiscardHandler))
	set.AddScrapes(t.Context(), []Scrape{x}, reg)
	defer set.Close(t.Context())
	r := set.readers[0]
	for range 3 {
		if err := r.Read(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
	}
	got := totals(reg)
	for d, want := range map[metrics.Desc]float64{process.Memory: 1.5e8, loopLag: 0.012, heap: 120, Gauge("jobs_waiting", metrics.UnitCount, "read of app"): 7} {
		if v, ok := gauge(got, d, "app"); !ok || v != want {
			t.Errorf("%s is %v (%t), want %v", d.Name, v, ok, want)
		}
	}
	if cpu, ok := gauge(got, process.CPU, "app"); !ok || cpu < 1000 {
		t.Errorf("a thousand seconds of processor time between two readings are %v %%", cpu)
	}
	down.Store(true)
	if err := r.Read(t.Context(), 0); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("got %v", err)
	}
	if v, ok := gauge(totals(reg), process.Memory, "app"); ok {
		t.Errorf("what cannot be read reads %v", v)
	}
	if n, _ := got.Counter(metrics.Selector{Name: "jobs_total"}); n != 22 {
		t.Errorf("jobs_total grew by %d between the first and the last reading, want 22", n)
	}
}

func TestAProgramThatCannotBeReadIsExpectedToComeAndToldOnce(t *testing.T) {
	var up atomic.Bool
	u := endpointOf(t, func(string) string {
		if up.Load() {
			return "process_resident_memory_bytes 5\nprocess_cpu_seconds_total 1\nprocess_open_fds 1\ngo_threads 1\nnodejs_eventloop_lag_seconds 0\nnodejs_gc_duration_seconds 1\ngo_memstats_heap_inuse_bytes 1\n"
		}
		return ""
	})
	var out bytes.Buffer
	reg := metrics.NewRegistry(nil)
	s := NewSet(slog.New(slog.NewTextHandler(&out, nil)))
	s.AddScrapes(t.Context(), []Scrape{{Name: "app", URL: u}}, reg)
	defer s.Close(t.Context())
	for range 3 {
		s.First(t.Context()) // which waits for none that was read already
		s.read(t.Context(), s.readers[0], 0)
	}
	if _, ok := gauge(totals(reg), process.Memory, "app"); ok || strings.Count(out.String(), "cannot read the metrics of app") != 1 {
		t.Errorf("got %s", out.String())
	}
	up.Store(true)
	s.read(t.Context(), s.readers[0], 0)
	if v, ok := gauge(totals(reg), process.Memory, "app"); !ok || v != 5 || strings.Count(out.String(), "can be read again") != 1 {
		t.Errorf("memory is %v (%t); %s", v, ok, out.String())
	}
}

// Programs are read at the same time before a run, so that several silent ones delay it
// no more than one does: here each answers only once all are asked.
func TestProgramsAreReadAtTheSameTimeBeforeTheRun(t *testing.T) {
	var asked atomic.Int32
	all := make(chan struct{})
	var list []Scrape
	for _, name := range []string{"a", "b", "c"} {
		list = append(list, Scrape{Name: name, URL: endpointOf(t, func(string) string {
			if asked.Add(1) == 3 {
				close(all)
			}
			select {
			case <-all:
				return "process_resident_memory_bytes 5\n"
			case <-t.Context().Done():
				return ""
			}
		})})
	}
	reg := metrics.NewRegistry(nil)
	s := NewSet(slog.New(slog.DiscardHandler))
	s.AddScrapes(t.Context(), list, reg)
	defer s.Close(t.Context())
	for i, r := range s.readers {
		if r.failing || len(r.Reader.(*scrapeReader).figures) != 1 {
			t.Errorf("%s was not read", list[i].Name)
		}
	}
	s.First(t.Context())
	if n := asked.Load(); n != 3 {
		t.Errorf("they were asked %d times before the run, want 3", n)
	}
}

func TestABrokerWithoutThePluginIsReadByItsManagementAPI(t *testing.T) {
	u := endpointOf(t, func(path string) string {
		switch path {
		case "/api/overview":
			return `{"object_totals":{"connections":3,"channels":9,"consumers":2},"queue_totals":{"messages_ready":40,"messages_unacknowledged":5},"message_stats":{"publish":100,"confirm":90}}`
		case "/api/nodes":
			return `[{"mem_used":1000,"mem_limit":5000,"mem_alarm":true,"disk_free":70,"disk_free_alarm":false},{"mem_used":2000,"mem_limit":5000,"mem_alarm":false,"disk_free":80,"disk_free_alarm":false}]`
		}
		return ""
	})
	reg := metrics.NewRegistry(nil)
	r := NewRabbitMQ(Target{Address: targets.Address{Kind: targets.RabbitMQ, URL: &url.URL{Scheme: "amqp", Host: "localhost", User: url.UserPassword("me", "s3cret")}}, Metrics: reg}, nil, u)
	defer r.Close(t.Context())
	if err := r.Read(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	got := totals(reg)
	for d, want := range map[metrics.Desc]float64{mqConnections: 3, mqReady: 40, mqUnacked: 5, mqMemory: 3000, mqAlarms: 1, mqDisk: 150} {
		if v, ok := gauge(got, d, ""); !ok || v != want {
			t.Errorf("%s is %v (%t), want %v", d.Name, v, ok, want)
		}
	}
	if strings.Contains(r.String(), "s3cret") {
		t.Errorf("%s tells a secret", r)
	}
}

func TestDeltas(t *testing.T) {
	reg := metrics.NewRegistry(nil)
	d := NewDelta(reg.Counter(Counter("events", "for the test"), metrics.Tags{}))
	for _, v := range []float64{100, 110, 110, 5, 8} { // the server began anew before the 5
		d.See(0, v)
	}
	if n, _ := totals(reg).Counter(metrics.Selector{Name: "events"}); n != 13 {
		t.Errorf("%d events, want 13", n)
	}
}

func TestScrapesThatCannotBeReadAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"http://x/metrics": "want NAME=URL", "app=": "no URL", "app=ftp://x": "no URL", "a b=http://x": "want NAME=URL",
		"app=http://x#a b": "not the name of a metric", "app=http://user:s3cret@x:port/": "no URL",
	} {
		if _, err := ParseScrape(text); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

// servers returns the settings of the servers under test.
func servers(t *testing.T) *targets.Settings {
	t.Helper()
	if os.Getenv("PERFCTL_TEST_SERVERS") != "1" {
		t.Skip("needs servers: run make test")
	}
	s, err := targets.Resolve(func(n string) (string, string, bool) {
		v, ok := os.LookupEnv(n)
		return v, "environment", ok
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestServersTellOfThemselves(t *testing.T) {
	s := servers(t)
	at := func(name string) *url.URL {
		v, _ := s.Setting(name)
		u, err := url.Parse(v)
		if err != nil || u.Host == "" {
			t.Fatalf("%s is %q", name, v)
		}
		return u
	}
	prometheus, management := at("RABBITMQ_PROMETHEUS_URL"), at("RABBITMQ_MANAGEMENT_URL")
	for name, c := range map[string]struct {
		open  func(Target) Reader
		kind  targets.Kind
		above []metrics.Desc
	}{
		"PostgreSQL":        {NewPostgres, targets.Postgres, []metrics.Desc{pgConnections, pgMax}},
		"Redis":             {NewRedis, targets.Redis, []metrics.Desc{redisMemory, redisRSS, redisClients}},
		"RabbitMQ's plugin": {func(t Target) Reader { return NewRabbitMQ(t, prometheus, nil) }, targets.RabbitMQ, []metrics.Desc{mqMemory, mqLimit, mqDisk}},
		"RabbitMQ's API":    {func(t Target) Reader { return NewRabbitMQ(t, nil, management) }, targets.RabbitMQ, []metrics.Desc{mqMemory, mqLimit, mqDisk}},
	} {
		reg := metrics.NewRegistry(nil)
		r := c.open(Target{Address: s.Address(c.kind), Run: "t", Metrics: reg})
		for range 2 {
			if err := r.Read(t.Context(), 0); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		got := totals(reg)
		for _, d := range c.above {
			// Of other programs' connections there may be none.
			v, ok := gauge(got, d, "")
			if !ok || v <= 0 && d.Name != pgConnections.Name {
				t.Errorf("%s: %s is %v (%t)", name, d.Name, v, ok)
			}
		}
		r.Close(t.Context())
	}
}

func TestAServerThatIsNotThereIsAnError(t *testing.T) {
	nowhere := func(scheme string) *url.URL {
		return &url.URL{Scheme: scheme, Host: "127.0.0.1:1", User: url.UserPassword("u", "s3cret")}
	}
	for _, k := range []targets.Kind{targets.Postgres, targets.Redis} {
		reg := metrics.NewRegistry(nil)
		t1 := Target{Address: targets.Address{Kind: k, URL: nowhere(map[targets.Kind]string{targets.Postgres: "postgres", targets.Redis: "redis"}[k])}, Metrics: reg}
		r := NewRedis(t1)
		if k == targets.Postgres {
			r = NewPostgres(t1)
		}
		if err := r.Read(t.Context(), 0); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: got %v", r, err)
		}
		r.Close(t.Context())
	}
}
