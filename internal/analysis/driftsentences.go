package analysis

import (
	"fmt"
	"math"

	"github.com/perfctl/perfctl/internal/metrics"
)

// kind is how a drift of a group is told.
type kind struct {
	id, title, verb, advice string
	severity                Severity
}

var kinds = map[string]kind{
	GroupLatency:     {"latency_growing", "Response times drift", "grows", "Degradation over time: look for growing tables and indexes, fragmentation, caches that fill, and leaks", Warning},
	GroupMemory:      {"memory_growing", "Memory grows linearly", "grows", "Possible memory leak: take heap profiles an hour apart and compare them", Critical},
	GroupConnections: {"connections_growing", "Connections grow", "grow", "Possible connection leak: look for connections that are not given back", Warning},
	GroupQueue:       {"queue_growing", "A queue grows", "grows", "Consumer lag: scale the consumers, or make their work shorter", Critical},
	GroupPoolWait:    {"pool_wait_growing", "The wait for a connection grows", "grows", "Connections are held for longer and longer: look for slow transactions, increase the pool's size", Warning},
	GroupHitRatio:    {"hit_ratio_falling", "The hit ratio falls", "falls", "The cache loses what is asked for: look at its size, evictions and expiry", Warning},
}

// sayDrifts turns the drifts into findings, and says what was tested.
func (o *Analysis) sayDrifts(p *driftPlan) {
	tested, found := 0, 0
	for i := range o.Drift {
		d := &o.Drift[i]
		if d.Known {
			tested++
		}
		if d.Drifts {
			found++
			o.Findings = append(o.Findings, d.finding())
		}
	}
	switch {
	case tested == 0:
	case found == 0:
		o.say("No drift over %s of steady load, in %d series of latency, memory, connections, queues, waits and hit ratios.",
			seconds(p.to-p.from), tested)
	default:
		o.say("%d of %d series drift over %s of steady load.", found, tested, seconds(p.to-p.from))
	}
}

func (d *Drift) finding() Finding {
	k := kinds[d.Group]
	length := d.To - d.From
	text := fmt.Sprintf("%s of %s %s by %s of its median of %s over %s (%s per hour, P = %.1g)",
		d.figureName(), d.Series, k.verb, share(math.Abs(d.Change)), value(d.Median, d.Unit), seconds(length),
		signed(d.Slope*3600, d.Unit), max(d.P, 1e-12))
	values := map[string]float64{"slope_per_s": d.Slope, "change": d.Change, "median": d.Median, "p": d.P}
	if r := d.Reaches; r != nil {
		text += fmt.Sprintf("; it reaches %s in %s", value(r.Limit, d.Unit), seconds(r.In))
		values["limit"], values["reached_in_s"] = r.Limit, r.In
	}
	return Finding{
		ID: k.id, Severity: k.severity, Title: k.title, Sentence: text + ".", Advice: k.advice,
		Evidence: Evidence{From: d.From, To: d.To, Series: d.Series, Unit: d.Unit, Values: values},
	}
}

func (d *Drift) figureName() string {
	if d.Figure == "p95" {
		return "P95"
	}
	return "the " + d.Figure
}

// signed prints a figure with its sign.
func signed(v float64, unit string) string {
	if unit == string(metrics.UnitRatio) {
		return fmt.Sprintf("%+.2g points", v*100)
	}
	if v > 0 {
		return "+" + value(v, unit)
	}
	return value(v, unit)
}

// say adds a sentence.
func (o *Analysis) say(format string, args ...any) {
	o.Sentences = append(o.Sentences, fmt.Sprintf(format, args...))
}
