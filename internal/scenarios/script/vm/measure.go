package vm

import (
	"math"
	"sync"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios/answer"
	"github.com/perfctl/perfctl/internal/targets/httpapi"
	"github.com/perfctl/perfctl/internal/targets/rabbitmq"
)

// The metrics of a script, besides those of its requests and its own.
var (
	Iterations = metrics.Desc{Name: "iterations", Kind: metrics.KindCounter, Unit: metrics.UnitCount,
		Help: "iterations done, well or not"}
	IterationDuration = metrics.Desc{Name: "iteration_duration", Kind: metrics.KindTrend, Unit: metrics.UnitTime,
		Help: "from an iteration's start until its end, pauses included"}
	GroupDuration = metrics.Desc{Name: "group_duration", Kind: metrics.KindTrend, Unit: metrics.UnitTime,
		Help: "from a group's start until its end, pauses included"}
	ReqFailed = metrics.Desc{Name: "http_req_failed", Kind: metrics.KindRate, Unit: metrics.UnitRatio,
		Help: "share of requests without an answer or with a status that is not expected (200 to 399 where the script says nothing)"}
	VUs = metrics.Desc{Name: "vus", Kind: metrics.KindGauge, Adds: true, Unit: metrics.UnitCount,
		Help: "users in an iteration"}
	VUsMax = metrics.Desc{Name: "vus_max", Kind: metrics.KindGauge, Adds: true, Unit: metrics.UnitCount,
		Help: "users that are there, each with a runtime of its own"}
)

// Metrics lists what a script emits besides its own metrics.
func Metrics() []metrics.Desc {
	return append([]metrics.Desc{Iterations, IterationDuration, GroupDuration, ReqFailed, VUs, VUsMax, answer.Checks, RedisCommand, QueryDuration,
		AMQPCommand, MessagesPublished, MessagesReceived, rabbitmq.Reconnects, rabbitmq.BlockedTime}, httpapi.Metrics()...)
}

// Selection is the samples of a metric that have certain tags, as a threshold names
// them: http_req_duration{type:api}. It is recorded as a metric of its own.
type Selection struct {
	// Key is the whole, as the script writes it.
	Key string
	// Metric is the name without the tags.
	Metric string
	// Tags are what a sample must have.
	Tags map[string]string
}

// maxNames bounds the names that requests and checks are told apart by.
const maxNames = 500

// Recorder records what users do.
type Recorder struct {
	reg  *metrics.Registry
	base metrics.Tags
	// bySelection holds the selections of each metric.
	bySelection map[string][]*selected
	several     bool

	mu    sync.Mutex
	names map[string]bool
	full  bool
	warn  func(key, text string)

	iterations        *metrics.Counter
	iterationDuration *metrics.Trend
}

type selected struct {
	tags  map[string]string
	trend *metrics.Trend
	count *metrics.Counter
	rate  *metrics.Rate
	gauge *metrics.Gauge
}

// NewRecorder returns a recorder. Custom are the script's own metrics; several says
// that the script has several scenarios, which then tell series apart. A selection
// of a metric that is not there, or that has no tags, is returned in unknown.
func NewRecorder(reg *metrics.Registry, base metrics.Tags, custom []metrics.Desc, selections []Selection, several bool) (r *Recorder, unknown []string) {
	r = &Recorder{reg: reg, base: base, bySelection: map[string][]*selected{}, several: several, names: map[string]bool{},
		iterations: reg.Counter(Iterations, base), iterationDuration: reg.Trend(IterationDuration, base)}
	known := map[string]metrics.Desc{}
	for _, d := range append(Metrics(), custom...) {
		known[d.Name] = d
	}
	for _, s := range selections {
		d, ok := known[s.Metric]
		if !ok {
			unknown = append(unknown, s.Key)
			continue
		}
		d.Name = s.Key
		x := &selected{tags: s.Tags}
		switch d.Kind {
		case metrics.KindTrend:
			x.trend = reg.Trend(d, base)
		case metrics.KindCounter:
			x.count = reg.Counter(d, base)
		case metrics.KindRate:
			x.rate = reg.Rate(d, base)
		case metrics.KindGauge:
			x.gauge = reg.Gauge(d, base)
		}
		r.bySelection[s.Metric] = append(r.bySelection[s.Metric], x)
	}
	reg.Rate(ReqFailed, base)
	reg.Rate(answer.Checks, base)
	return r, unknown
}

// name bounds the number of names: what is beyond is one more.
func (r *Recorder) name(s string) string {
	if s == "" {
		return ""
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.names[s] {
		return s
	}
	if len(r.names) < maxNames {
		r.names[s] = true
		return s
	}
	if !r.full {
		r.full = true
		if r.warn != nil {
			go r.warn("names", "more than 500 names of requests, checks and groups: what comes now is shown as \"other\". Give requests with changing addresses one name (tags: {name: ...} or http.url)")
		}
	}
	return "other"
}

// sample is the tags of one value beyond the user's own.
type sample struct {
	own map[string]string
	get func(key string) (string, bool)
}

// each calls f for the selections that the sample belongs to.
func (r *Recorder) each(v *VM, metric string, s sample, f func(*selected)) {
	for _, x := range r.bySelection[metric] {
		if matches(v, x.tags, s) {
			f(x)
		}
	}
}

func matches(v *VM, want map[string]string, s sample) bool {
	for k, w := range want {
		got, ok := s.own[k]
		if !ok && s.get != nil {
			got, ok = s.get(k)
		}
		if !ok {
			got = v.tag(k)
		}
		if got != w {
			return false
		}
	}
	return true
}

// selects says whether a metric has selections.
func (r *Recorder) selects(metric string) bool { return len(r.bySelection[metric]) > 0 }

func (r *Recorder) iteration(v *VM, d time.Duration) {
	count, trend := r.iterations, r.iterationDuration
	if r.several {
		own := v.cache.scenario(v)
		count, trend = own.count, own.trend
	}
	count.Add(v.stage, 1)
	trend.Record(v.stage, d)
	r.each(v, Iterations.Name, sample{}, func(x *selected) { x.count.Add(v.stage, 1) })
	r.each(v, IterationDuration.Name, sample{}, func(x *selected) { x.trend.Record(v.stage, d) })
}

func (r *Recorder) groupDuration(v *VM, d time.Duration) {
	v.cache.group(v).Record(v.stage, d)
	r.each(v, GroupDuration.Name, sample{}, func(x *selected) { x.trend.Record(v.stage, d) })
}

func (r *Recorder) check(v *VM, name string, held bool, tags map[string]string) {
	v.cache.check(v, name).Add(v.stage, held)
	if r.selects(answer.Checks.Name) {
		get := func(k string) (string, bool) { return name, k == "check" }
		r.each(v, answer.Checks.Name, sample{tags, get}, func(x *selected) { x.rate.Add(v.stage, held) })
	}
}

// seriesKey tells the series of one user's samples apart.
type seriesKey struct{ kind, operation, group string }

// seriesCache holds the handles that a user has used, without a lock.
type seriesCache struct {
	r        *Recorder
	requests map[seriesKey]*requestSeries
	checks   map[seriesKey]*metrics.Rate
	groups   map[seriesKey]*metrics.Trend
	stores   map[seriesKey]*metrics.Trend
	// scenarios are the iterations of each of the script's scenarios.
	scenarios map[string]*iterationSeries
	last      *requestSeries
	lastKey   seriesKey
}

type requestSeries struct {
	phases *httpapi.Phases
	failed *metrics.Rate
}

func (c *seriesCache) tags(operation, group string) metrics.Tags {
	t := c.r.base
	t.Operation, t.Group = c.r.name(operation), c.r.name(trimGroup(group))
	return t
}

// trimGroup leaves out what leads every group's name.
func trimGroup(g string) string {
	if len(g) > 2 && g[:2] == "::" {
		return g[2:]
	}
	return g
}

// operation is what a request without a name is shown under.
func (c *seriesCache) operation(v *VM, name string) string {
	if name == "" && c.r.several && v.it != nil {
		return v.it.Scenario
	}
	return name
}

func (c *seriesCache) request(v *VM, name string) *requestSeries {
	k := seriesKey{"", c.operation(v, name), v.group}
	if c.last != nil && c.lastKey == k {
		return c.last
	}
	x := c.requests[k]
	if x == nil {
		t := c.tags(k.operation, k.group)
		x = &requestSeries{httpapi.NewPhases(c.r.reg, t), c.r.reg.Rate(ReqFailed, t)}
		if c.requests == nil {
			c.requests = map[seriesKey]*requestSeries{}
		}
		if len(c.requests) < 2*maxNames {
			c.requests[k] = x
		}
	}
	c.last, c.lastKey = x, k
	return x
}

func (c *seriesCache) check(v *VM, name string) *metrics.Rate {
	k := seriesKey{"", name, v.group}
	x := c.checks[k]
	if x == nil {
		x = c.r.reg.Rate(answer.Checks, c.tags(k.operation, k.group))
		if c.checks == nil {
			c.checks = map[seriesKey]*metrics.Rate{}
		}
		if len(c.checks) < 2*maxNames {
			c.checks[k] = x
		}
	}
	return x
}

type iterationSeries struct {
	count *metrics.Counter
	trend *metrics.Trend
}

// scenario is the series of the iterations of the script's scenario that goes on.
func (c *seriesCache) scenario(v *VM) *iterationSeries {
	name := v.it.Scenario
	x := c.scenarios[name]
	if x == nil {
		t := c.tags(name, "")
		x = &iterationSeries{c.r.reg.Counter(Iterations, t), c.r.reg.Trend(IterationDuration, t)}
		if c.scenarios == nil {
			c.scenarios = map[string]*iterationSeries{}
		}
		c.scenarios[name] = x
	}
	return x
}

func (c *seriesCache) group(v *VM) *metrics.Trend {
	k := seriesKey{"", "", v.group}
	x := c.groups[k]
	if x == nil {
		x = c.r.reg.Trend(GroupDuration, c.tags("", k.group))
		if c.groups == nil {
			c.groups = map[seriesKey]*metrics.Trend{}
		}
		if len(c.groups) < 2*maxNames {
			c.groups[k] = x
		}
	}
	return x
}

// scaled is a plain number as a trend keeps it: a trend counts milliseconds.
func scaled(x float64) time.Duration {
	return time.Duration(math.Round(x * float64(time.Millisecond)))
}
