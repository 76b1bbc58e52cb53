package vm

import (
	"math"
	"regexp"
	"sync"

	"github.com/dop251/goja"

	"github.com/perfctl/perfctl/internal/metrics"
)

// custom is a metric that the script declares.
type custom struct {
	desc metrics.Desc

	mu    sync.Mutex
	carry float64 // of a counter: what is not yet whole

	once  sync.Once
	count *metrics.Counter
	gauge *metrics.Gauge
	rate  *metrics.Rate
	trend *metrics.Trend
}

var metricName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)

// metricsModule is the module k6/metrics.
func (v *VM) metricsModule() *goja.Object {
	m := v.rt.NewObject()
	for name, kind := range map[string]metrics.Kind{
		"Counter": metrics.KindCounter, "Gauge": metrics.KindGauge, "Rate": metrics.KindRate, "Trend": metrics.KindTrend,
	} {
		_ = m.Set(name, func(c goja.ConstructorCall) *goja.Object { return v.newMetric(kind, c) })
	}
	return m
}

func (v *VM) newMetric(kind metrics.Kind, c goja.ConstructorCall) *goja.Object {
	name := c.Argument(0).String()
	if v.phase != phaseInit {
		v.throw("metrics are declared outside functions, so that all are known before the first iteration: " + name)
	}
	if !metricName.MatchString(name) {
		v.throw("a metric's name is letters, digits and _, and " + name + " is not")
	}
	time := c.Argument(1).ToBoolean()
	m, problem := v.s.custom(name, kind, time)
	if problem != "" {
		v.throw(problem)
	}
	_ = c.This.DefineDataProperty("name", v.rt.ToValue(name), goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_TRUE)
	_ = c.This.Set("add", func(call goja.FunctionCall) goja.Value {
		if v.phase == phaseInit {
			v.throw("nothing can be added to " + name + " outside functions: nothing is measured there")
		}
		v.addTo(m, call.Argument(0), v.tagsOf(call.Argument(1), "value of "+name))
		return v.rt.ToValue(true)
	})
	return nil
}

// custom declares a metric, or returns the one that another user declared.
func (s *Script) custom(name string, kind metrics.Kind, time bool) (*custom, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range Metrics() {
		if d.Name == name {
			return nil, "a metric named " + name + " is there already"
		}
	}
	if m := s.customs[name]; m != nil {
		if m.desc.Kind != kind {
			return nil, "the metric " + name + " is declared as a " + string(m.desc.Kind) + " already"
		}
		return m, ""
	}
	d := metrics.Desc{Name: name, Kind: kind, Unit: metrics.UnitCount, Help: "declared by the script"}
	switch kind {
	case metrics.KindRate:
		d.Unit = metrics.UnitRatio
	case metrics.KindTrend:
		// A trend keeps times; a plain number is kept as so many milliseconds.
		d.Unit = metrics.UnitTime
		if !time {
			d.Help = "declared by the script, not as a time: its figures are plain numbers"
		}
	}
	m := &custom{desc: d}
	s.customs[name] = m
	s.order = append(s.order, m)
	return m, ""
}

// Declare makes the handles of the script's own metrics.
func (s *Script) Declare() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.order {
		m.declare(s.recorder)
	}
}

func (m *custom) declare(r *Recorder) {
	m.once.Do(func() {
		switch m.desc.Kind {
		case metrics.KindCounter:
			m.count = r.reg.Counter(m.desc, r.base)
		case metrics.KindGauge:
			m.gauge = r.reg.Gauge(m.desc, r.base)
		case metrics.KindRate:
			m.rate = r.reg.Rate(m.desc, r.base)
		case metrics.KindTrend:
			m.trend = r.reg.Trend(m.desc, r.base)
		}
	})
}

// addTo adds a value.
func (v *VM) addTo(m *custom, x goja.Value, tags map[string]string) {
	m.declare(v.s.recorder)
	n := x.ToFloat()
	if _, truth := x.Export().(bool); truth {
		n = 0
		if x.ToBoolean() {
			n = 1
		}
	}
	if nothing(x) || math.IsNaN(n) || math.IsInf(n, 0) {
		v.warn("value of "+m.desc.Name, "a value that is no number was given to the metric "+m.desc.Name+", and left out: "+x.String())
		return
	}
	r := v.s.recorder
	own := sample{own: tags}
	switch m.desc.Kind {
	case metrics.KindCounter:
		whole := m.whole(n)
		m.count.Add(v.stage, whole)
		r.each(v, m.desc.Name, own, func(s *selected) { s.count.Add(v.stage, int64(n)) })
	case metrics.KindGauge:
		m.gauge.Set(n)
		r.each(v, m.desc.Name, own, func(s *selected) { s.gauge.Set(n) })
	case metrics.KindRate:
		m.rate.Add(v.stage, n != 0)
		r.each(v, m.desc.Name, own, func(s *selected) { s.rate.Add(v.stage, n != 0) })
	case metrics.KindTrend:
		if n < 0 {
			v.warn("negative "+m.desc.Name, "the trend "+m.desc.Name+" was given values below 0, which count as 0")
		}
		if n > float64(metrics.HighestValue)/1e6 {
			v.warn("high "+m.desc.Name, "the trend "+m.desc.Name+" was given values above 3,600,000, the highest that it can tell apart: scale them down")
		}
		m.trend.Record(v.stage, scaled(n))
		r.each(v, m.desc.Name, own, func(s *selected) { s.trend.Record(v.stage, scaled(n)) })
	}
}

// whole carries the fractions of a counter until they are whole.
func (m *custom) whole(n float64) int64 {
	if n == math.Trunc(n) {
		return int64(n)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.carry += n
	whole := math.Floor(m.carry + 1e-9)
	m.carry -= whole
	return int64(whole)
}
