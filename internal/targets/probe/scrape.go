package probe

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/process"
)

// What is read of any program with an endpoint for Prometheus, tagged with its name
// as operation, besides process.Memory, process.CPU, process.Files and
// process.Threads.
var (
	loopLag = Gauge("eventloop_lag_seconds", metrics.UnitSeconds, "99th percentile of how late a program's event loop is, as the program says, in seconds")
	gcShare = Gauge("gc_time_percent", metrics.UnitPercent, "share of the time since the last reading that a program's garbage collector paused it, in percent")
	heap    = Gauge("heap_used_bytes", metrics.UnitBytes, "heap that a program uses, as the program says").As(metrics.RoleMemory)
)

// Scrape says which program to read.
type Scrape struct {
	// Name is what it is called in figures.
	Name string
	URL  *url.URL
	// Also are metrics of the program's own that are read, too.
	Also []string
	// Reach returns an error for an address that no connection may be opened to; nil
	// lets this machine's be reached only.
	Reach func(host string, ip netip.Addr) error
}

var (
	scrapeName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	metricName = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]{0,127}$`)
)

// ParseScrape reads NAME=URL or NAME=URL#METRIC,METRIC.
func ParseScrape(s string) (Scrape, error) {
	name, raw, ok := strings.Cut(s, "=")
	if !ok || !scrapeName.MatchString(name) {
		return Scrape{}, fmt.Errorf("%q: want NAME=URL, as in app=http://localhost:9464/metrics", s)
	}
	raw, also, _ := strings.Cut(raw, "#")
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return Scrape{}, fmt.Errorf("--scrape %s: the part behind = is no URL of the form http://host:port/metrics", name)
	}
	x := Scrape{Name: name, URL: u}
	for m := range strings.SplitSeq(also, ",") {
		if m = strings.TrimSpace(m); m == "" {
			continue
		}
		if !metricName.MatchString(m) {
			return Scrape{}, fmt.Errorf("%q is not the name of a metric", m)
		}
		x.Also = append(x.Also, m)
	}
	return x, nil
}

// figure is a reading with the metrics that it may be taken from, the first one that
// is there.
type figure struct {
	desc metrics.Desc
	from []string
	pick func(*dto.Metric) bool
	// rate says that it is the growth of a number a second, times scale.
	rate  bool
	scale float64

	gauge *metrics.Gauge
	last  float64
	known bool
}

// figures are the readings of every program: names are those of the clients of
// Prometheus for Go, Node.js, Java (Micrometer and the JMX exporter), Python, .NET
// and Ruby.
func figures() []*figure {
	heapOnly := func(m *dto.Metric) bool {
		for _, l := range m.GetLabel() {
			if l.GetName() == "area" {
				return l.GetValue() == "heap"
			}
		}
		return true
	}
	return []*figure{
		{desc: process.Memory, from: []string{"process_resident_memory_bytes", "process_working_set_bytes"}},
		{desc: process.CPU, from: []string{"process_cpu_seconds_total", "process_cpu_time_ns_total"}, rate: true, scale: 100},
		{desc: process.Files, from: []string{"process_open_fds", "process_files_open_files"}},
		{desc: process.Threads, from: []string{"go_threads", "process_threads", "jvm_threads_live_threads", "jvm_threads_current", "process_num_threads"}},
		{desc: loopLag, from: []string{"nodejs_eventloop_lag_p99_seconds", "nodejs_eventloop_lag_seconds"}},
		{desc: gcShare, from: []string{"nodejs_gc_duration_seconds", "go_gc_duration_seconds", "jvm_gc_pause_seconds", "jvm_gc_collection_seconds"}, rate: true, scale: 100},
		{desc: heap, from: []string{"nodejs_heap_size_used_bytes", "go_memstats_heap_inuse_bytes", "jvm_memory_used_bytes", "jvm_memory_bytes_used"}, pick: heapOnly},
	}
}

type scrapeReader struct {
	Scrape
	names    map[string]bool // of the metrics that are read
	endpoint *endpoint
	figures  []*figure
	counters map[string]*Delta
	at       time.Time
}

// AddScrapes adds the readers of programs. What each tells is found out by one reading,
// which ctx bounds, of all at the same time; of one that cannot be read, everything is
// expected to come.
func (s *Set) AddScrapes(ctx context.Context, list []Scrape, reg *metrics.Registry) {
	readers := make([]*scrapeReader, len(list))
	found := make([]families, len(list))
	errs := make([]error, len(list))
	ctx, cancel := context.WithTimeout(ctx, firstTimeout)
	defer cancel()
	var all sync.WaitGroup
	for i, x := range list {
		all.Go(func() {
			readers[i] = newScrape(x)
			found[i], errs[i] = readers[i].endpoint.scrape(ctx, readers[i].names)
		})
	}
	all.Wait()
	for i, r := range readers {
		r.declare(found[i], errs[i], reg)
		s.addRead(r, errs[i])
	}
}

// newScrape returns the reader of a program, which declares nothing yet.
func newScrape(x Scrape) *scrapeReader {
	r := &scrapeReader{Scrape: x, names: map[string]bool{}, endpoint: newEndpoint(x.URL, x.Reach), counters: map[string]*Delta{}}
	for _, name := range x.Also {
		r.names[name] = true
	}
	for _, f := range figures() {
		for _, name := range f.from {
			r.names[name] = true
		}
	}
	return r
}

// declare declares what a first reading found, or everything where it failed.
func (r *scrapeReader) declare(there families, err error, reg *metrics.Registry) {
	x := r.Scrape
	tags := metrics.Tags{Operation: x.Name}
	has := func(name string) bool { return err != nil || there[name] != nil }
	for _, f := range figures() {
		if slices.ContainsFunc(f.from, has) {
			f.gauge = reg.Gauge(f.desc, tags)
			r.figures = append(r.figures, f)
		}
	}
	for _, name := range x.Also {
		if there.growing(name) {
			r.counters[name] = NewDelta(reg.Counter(Counter(name, "read of "+x.Name), tags))
			continue
		}
		f := &figure{desc: Gauge(name, metrics.UnitCount, "read of "+x.Name), from: []string{name}}
		f.gauge = reg.Gauge(f.desc, tags)
		r.figures = append(r.figures, f)
	}
}

func (r *scrapeReader) String() string {
	return "the metrics of " + r.Name + " at " + targets.Address{URL: r.URL}.String()
}

func (r *scrapeReader) Read(ctx context.Context, stage int) error {
	there, err := r.endpoint.scrape(ctx, r.names)
	now := time.Now()
	past := now.Sub(r.at).Seconds()
	r.at = now
	var missing []string
	for _, f := range r.figures {
		if !f.read(there, past) {
			f.gauge.Unset()
			missing = append(missing, f.desc.Name)
		}
	}
	for name, d := range r.counters {
		if v, ok := there.sum(name, nil); ok {
			d.See(stage, v)
		} else {
			missing = append(missing, name)
		}
	}
	if err == nil && len(missing) > 0 {
		return errors.New("it does not tell " + strings.Join(missing, ", "))
	}
	return err
}

// read takes the figure; past is the time since the last reading, in seconds. It
// returns whether the program tells it.
func (f *figure) read(there families, past float64) bool {
	for _, name := range f.from {
		v, ok := there.sum(name, f.pick)
		if !ok {
			continue
		}
		if name == "process_cpu_time_ns_total" {
			v /= 1e9
		}
		if !f.rate {
			f.gauge.Set(v)
			return true
		}
		if f.known && v >= f.last && past > 0 {
			f.gauge.Set(f.scale * (v - f.last) / past)
		}
		f.last, f.known = v, true
		return true
	}
	f.known = false
	return false
}

func (r *scrapeReader) Close(context.Context) { r.endpoint.close() }

// Metrics returns the description of everything that can be read of servers and
// programs, process.Metrics apart.
func Metrics() []metrics.Desc {
	return slices.Concat(postgresMetrics(), redisMetrics(), rabbitMQMetrics(), []metrics.Desc{loopLag, gcShare, heap, metrics.Replicas, metrics.ReplicaLoad})
}
