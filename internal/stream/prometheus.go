package stream

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"

	"github.com/perfctl/perfctl/internal/metrics"
)

// Prometheus serves a run's sums at /metrics. Everything is built when it is asked
// for; a snapshot is only added up. Trends are native histograms for scrapers that
// speak protobuf, and classic ones for all.
type Prometheus struct {
	account  *account
	run      Run
	listener net.Listener
	server   *http.Server
	served   chan struct{}
	scrapes  atomic.Int64
	// seen is how many seconds the last scrape saw.
	seen atomic.Int64
}

// NewPrometheus listens on an address, HOST:PORT. Without a host it is the loopback
// interface: what a run measures is nobody else's business unless that is asked for.
func NewPrometheus(ctx context.Context, address string, run Run) (*Prometheus, error) {
	if _, err := strconv.ParseUint(address, 10, 16); err == nil {
		address = ":" + address
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("want HOST:PORT or PORT: %w", err)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	p := &Prometheus{account: newAccount(), run: run, served: make(chan struct{})}
	if p.listener, err = new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, port)); err != nil {
		return nil, err
	}
	p.server = &http.Server{Handler: p.handler(), ReadHeaderTimeout: scrapeTimeout, WriteTimeout: scrapeTimeout, IdleTimeout: time.Minute}
	go func() {
		defer close(p.served)
		_ = p.server.Serve(p.listener) // it ends with Close
	}()
	return p, nil
}

// scrapeTimeout bounds how long a scraper may take to ask and to read.
const scrapeTimeout = 10 * time.Second

// scrapesAtOnce bounds what many scrapers together can cost the generator.
const scrapesAtOnce = 2

func (p *Prometheus) handler() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(p)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		MaxRequestsInFlight: scrapesAtOnce, EnableOpenMetrics: true,
	}))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "perfctl: see /metrics") })
	return mux
}

// Address returns the address that is listened on, HOST:PORT.
func (p *Prometheus) Address() string { return p.listener.Addr().String() }

// Snapshot adds a second up.
func (p *Prometheus) Snapshot(s *metrics.Snapshot) { p.account.add(s) }

// Close stops listening. Its error tells which seconds nobody came for.
func (p *Prometheus) Close(ctx context.Context) error {
	if err := p.server.Shutdown(ctx); err != nil {
		_ = p.server.Close() // a scraper that does not read to the end
	}
	<-p.served
	p.account.mu.Lock()
	defer p.account.mu.Unlock()
	missed := p.account.seconds - p.seen.Load()
	switch {
	case p.account.seconds == 0 || missed == 0:
		return nil
	case p.scrapes.Load() == 0:
		return errors.New("nobody scraped it")
	}
	return fmt.Errorf("the last %d of %d seconds were not scraped", missed, p.account.seconds)
}

// Describe describes nothing: series appear as a run goes on.
func (p *Prometheus) Describe(chan<- *prometheus.Desc) {}

// Collect builds every series from the sums.
func (p *Prometheus) Collect(to chan<- prometheus.Metric) {
	for _, m := range p.metrics() {
		to <- m
	}
}

// metrics builds every series. Nothing waits for a scraper while the sums are held.
func (p *Prometheus) metrics() (out []prometheus.Metric) {
	p.account.mu.Lock()
	defer p.account.mu.Unlock()
	p.scrapes.Add(1)
	p.seen.Store(p.account.seconds)
	add := func(m prometheus.Metric, err error) {
		if err != nil {
			m = prometheus.NewInvalidMetric(prometheus.NewInvalidDesc(err), err)
		}
		out = append(out, m)
	}
	add(prometheus.NewConstMetric(prometheus.NewDesc("perfctl_run_info", "the run that these figures are of",
		[]string{"run", "profile", "version"}, nil), prometheus.GaugeValue, 1, p.run.ID, p.run.Profile, p.run.Version))
	add(prometheus.NewConstMetric(prometheus.NewDesc("perfctl_run_seconds", "how far the run has come, from when its first arrival could be due",
		nil, nil), prometheus.GaugeValue, p.account.upTo.Seconds()))
	for _, t := range p.account.totals.All() {
		switch t.Series.Kind {
		case metrics.KindTrend:
			add(p.account.histogram(t, p.run.Started))
		case metrics.KindCounter:
			add(counter(t, "_total", t.Series.Help, t.Count))
		case metrics.KindRate:
			add(counter(t, hits, t.Series.Help+": the hits", t.Hits))
			add(counter(t, events, t.Series.Help+": hits and misses", t.Count))
		}
	}
	for _, key := range p.account.order {
		g := p.account.gauges[key]
		add(prometheus.NewConstMetric(prometheus.NewDesc(promName(g.desc), g.desc.Help, gaugeLabels, nil), prometheus.GaugeValue,
			baseValue(g.desc, g.value), key.tags.Scenario, key.tags.Operation, key.tags.Outcome, key.tags.Group))
	}
	return out
}

var (
	seriesLabels = metrics.TagNames
	// gaugeLabels leave out the stage: a gauge is one line over all of them.
	gaugeLabels = slices.DeleteFunc(slices.Clone(metrics.TagNames), func(name string) bool { return name == "stage" })
)

func labelsOf(t *metrics.Total) []string {
	return t.Series.Values()
}

func counter(t *metrics.Total, suffix, help string, n int64) (prometheus.Metric, error) {
	return prometheus.NewConstMetric(prometheus.NewDesc("perfctl_"+t.Series.Name+suffix, help, seriesLabels, nil),
		prometheus.CounterValue, float64(n), labelsOf(t)...)
}

// promName is a metric's name with its base unit, as Prometheus wants names.
func promName(d metrics.Desc) string {
	name := "perfctl_" + d.Name
	unit := map[metrics.Unit]string{metrics.UnitTime: "seconds", metrics.UnitSeconds: "seconds", metrics.UnitBytes: "bytes",
		metrics.UnitRatio: "ratio", metrics.UnitPercent: "percent"}[d.Unit]
	if unit == "" || slices.Contains(strings.Split(name, "_"), unit) { // as OTLP's names are made, too
		return name
	}
	return name + "_" + unit
}

// nativeSchema makes a native bucket 2.2 % wide.
const nativeSchema = 5

// infinite is the native bucket of values beyond every number.
const infinite = 1024<<nativeSchema + 1

// classicBounds are the classic buckets, in seconds: the limits of SLAs are among
// them.
var classicBounds = []float64{
	0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60,
}

// histogram builds a trend's histogram, in seconds. Censored values count in the
// bucket of infinity, and not in the sum: a quantile among them is above all others.
// A classic bucket counts a cell of h, 0.1 % wide, only where all of it is within the
// bound.
func (a *account) histogram(t *metrics.Total, since time.Time) (prometheus.Metric, error) {
	h := t.Hist
	count := uint64(h.N + h.Censored)
	e := exponentialOf(h, 1e-9, nativeSchema, infinite)
	if h.Censored > 0 {
		e.counts[infinite] += h.Censored
	}
	d := prometheus.NewDesc(promName(t.Series.Desc), t.Series.Help, seriesLabels, nil)
	native, err := prometheus.NewConstNativeHistogram(d, count, h.Sum/1e9, e.counts, nil, e.zero, nativeSchema, 0, since, labelsOf(t)...)
	if err != nil {
		return nil, err
	}
	m := bothHistograms{Metric: native}
	upTo := make([]uint64, len(classicBounds))
	h.Buckets(func(i int, n int64) {
		_, high := metrics.BucketBounds(i)
		for b := len(classicBounds) - 1; b >= 0 && float64(min(high, h.Max)) <= classicBounds[b]*1e9; b-- {
			upTo[b] += uint64(n)
		}
	})
	for i, bound := range classicBounds {
		m.classic = append(m.classic, &dto.Bucket{UpperBound: &bound, CumulativeCount: &upTo[i], Exemplar: a.exemplar(&t.Series, i)})
	}
	return m, nil
}

// bothHistograms is a native histogram that also has classic buckets.
type bothHistograms struct {
	prometheus.Metric
	classic []*dto.Bucket
}

// Write adds the classic buckets to the native histogram.
func (m bothHistograms) Write(to *dto.Metric) error {
	if err := m.Metric.Write(to); err != nil {
		return err
	}
	to.Histogram.Bucket = m.classic
	return nil
}
