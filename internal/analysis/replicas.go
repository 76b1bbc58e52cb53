package analysis

import (
	"fmt"
	"math"
	"strings"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/sla"
)

// Scaling is how the number of a program's instances followed the load. Times are in
// seconds.
type Scaling struct {
	// Name is what --replicas calls the program.
	Name string `json:"name"`
	// From is when the load rose: the beginning of the first spike, of what raises the
	// load, or of the run; To is when that was over.
	From float64 `json:"from_s"`
	To   float64 `json:"to_s"`
	// Before is how many instances served when the load rose, Most the most of them
	// after that, Last how many there were in the end; nil where it was never read.
	Before *float64 `json:"before"`
	Most   *float64 `json:"most"`
	Last   *float64 `json:"last"`
	// First is how long after From the first new one served, nil where none came.
	First *float64 `json:"first_new_after_s"`
	// Rule is the rule of the response time, Above how long that was above it from
	// From until the first new instance, or the end of the load; nil without a rule.
	Rule  string   `json:"rule,omitempty"`
	Above *float64 `json:"above_rule_s"`
	// Even is how long after the last new instance the load of all was even again, nil
	// where it did not become so, or where nothing tells. Ratio is the load of the
	// busiest instance as a multiple of the mean, in the end of the load.
	Even  *float64 `json:"even_after_s"`
	Ratio *float64 `json:"load_ratio"`
}

// The load of instances is even where the busiest has at most so many times the mean,
// for so many seconds.
const (
	evenRatio   = 1.25
	evenSeconds = 3
)

// scalings looks at every program whose instances were counted.
func (a *axis) scalings(rules []sla.Rule) []Scaling {
	out := []Scaling{}
	rule, ruled := responseRule(rules)
	from, to := a.rise()
	for i := range a.gauges {
		g := &a.gauges[i]
		if g.series.Name != metrics.Replicas.Name {
			continue
		}
		s := Scaling{Name: g.series.Operation, From: from, To: to}
		if a.countInstances(&s, g.values) {
			until := s.To
			if s.First != nil {
				until = s.From + *s.First
			}
			if ruled {
				s.Rule = rule.Plain()
				s.Above = number(a.secondsAbove(rule, s.From, until))
			}
			a.evenness(&s, g.values)
		}
		out = append(out, s)
	}
	return out
}

// rise returns when the load rose and how long it stayed: the first spike, else the
// first stage with a higher rate than the one before, to the end of the highest rate,
// else the whole run.
func (a *axis) rise() (from, to float64) {
	for i := range a.stages {
		if a.stages[i].Class != "spike" {
			continue
		}
		j := i
		for j < len(a.stages) && a.stages[j].Class == "spike" {
			j++
		}
		return a.stages[i].Start, a.stages[j-1].Start + a.stages[j-1].Duration
	}
	rose := false
	for i := range a.stages {
		s := &a.stages[i]
		switch {
		case !rose && (s.To > s.From || i > 0 && s.From > a.stages[i-1].To):
			from, to, rose = s.Start, s.Start+s.Duration, true
		case rose && max(s.From, s.To) >= a.stages[i-1].To:
			to = s.Start + s.Duration
		case rose:
			return from, to
		}
	}
	if rose {
		return from, to
	}
	return 0, a.ended()
}

// countInstances fills in how many there were, and says whether that was read.
func (a *axis) countInstances(s *Scaling, values []float64) bool {
	before, most, last := math.NaN(), math.NaN(), math.NaN()
	for i, v := range values {
		if math.IsNaN(v) {
			continue
		}
		last = v
		switch {
		case a.end(i) <= s.From+grain || math.IsNaN(before): // a run that begins with the rise has its first reading
			before = v
		case v > before && s.First == nil:
			s.First = number(max(a.start[i]-s.From, 0))
		}
		if a.end(i) > s.From+grain && !(v <= most) {
			most = v
		}
	}
	s.Before, s.Most, s.Last = number(before), number(most), number(last)
	return s.Before != nil
}

// responseRule returns the rule by which latency is judged: that of P95 response time,
// or else of P99, or P50.
func responseRule(rules []sla.Rule) (sla.Rule, bool) {
	for _, percent := range []float64{95, 99, 50} {
		for _, r := range rules {
			if r.Metric == metrics.ResponseTime.Name && r.Tags == (metrics.Tags{}) && r.Stat.Name == "p" && r.Stat.Percent == percent && (r.Op == "<" || r.Op == "<=") {
				return r, true
			}
		}
	}
	return sla.Rule{}, false
}

// secondsAbove returns for how long response time was above a rule.
func (a *axis) secondsAbove(r sla.Rule, from, to float64) (above float64) {
	limit := milliseconds(r)
	for i := range a.n {
		v := a.response[i].p95
		switch r.Stat.Percent {
		case 99:
			v = a.response[i].p99
		case 50:
			v = a.response[i].p50
		}
		if v > limit {
			above += max(0, min(a.end(i), to)-max(a.start[i], from))
		}
	}
	return above
}

// evenness fills in when the load of the instances was even after the last of them came.
func (a *axis) evenness(s *Scaling, count []float64) {
	ratio := a.loadOf(s.Name)
	if ratio == nil {
		return
	}
	came, most := math.NaN(), 0.0
	if s.Before != nil {
		most = *s.Before
	}
	for i, v := range count {
		if v > most && a.start[i] >= s.From-grain && a.start[i] < s.To {
			came, most = a.start[i], v
		}
	}
	for i := range a.n {
		if !math.IsNaN(ratio[i]) && a.start[i] < s.To {
			s.Ratio = number(ratio[i])
		}
	}
	if math.IsNaN(came) {
		return
	}
	for i := range a.n {
		if a.start[i] >= came && a.start[i] < s.To && isEven(ratio, i) {
			s.Even = number(a.start[i] - came)
			return
		}
	}
}

// isEven says whether the load is even from a second on.
func isEven(ratio []float64, i int) bool {
	if i+evenSeconds > len(ratio) {
		return false
	}
	for _, v := range ratio[i : i+evenSeconds] {
		if !(v <= evenRatio) { // also where it is not known
			return false
		}
	}
	return true
}

// loadOf returns the readings of how even a program's load is, nil where there are none.
func (a *axis) loadOf(name string) []float64 {
	for i := range a.gauges {
		if g := &a.gauges[i]; g.series.Name == metrics.ReplicaLoad.Name && g.series.Operation == name {
			return g.values
		}
	}
	return nil
}

// sayReplicas says how the instances followed the load.
func (o *Analysis) sayReplicas() {
	for i := range o.Replicas {
		s := &o.Replicas[i]
		if s.Before == nil {
			o.unknown("how many instances of "+s.Name+" served", "their number could never be read")
			continue
		}
		o.Sentences = append(o.Sentences, s.sentence())
	}
}

func (s *Scaling) sentence() string {
	var b strings.Builder
	if s.First == nil {
		fmt.Fprintf(&b, "No instance of %s was added to the %s.", s.Name, instances(*s.Before))
	} else {
		fmt.Fprintf(&b, "The first new instance of %s served %s after the load rose at %s; they were %s then, and %s at most.",
			s.Name, seconds(*s.First), seconds(s.From), instances(*s.Before), figure.Whole(*s.Most))
	}
	if s.Above != nil {
		until := "until then"
		if s.First == nil {
			until = "while the load was high"
		}
		fmt.Fprintf(&b, " Response time was above its rule (%s) for %s %s.", s.Rule, seconds(*s.Above), until)
	}
	switch {
	case s.First == nil || s.Ratio == nil:
	case s.Even != nil && *s.Even == 0:
		b.WriteString(" The load of the instances was even at once.")
	case s.Even != nil:
		fmt.Fprintf(&b, " The load of the instances was even %s after the last one came.", seconds(*s.Even))
	default:
		fmt.Fprintf(&b, " The load of the instances did not even out: the busiest had %s the mean.", times(*s.Ratio))
	}
	return b.String()
}

func instances(n float64) string {
	if n == 1 {
		return "1 instance"
	}
	return figure.Whole(n) + " instances"
}
