package slow

import (
	"fmt"
	"math"
	"strings"

	"github.com/perfctl/perfctl/internal/rundir/exemplars"
	"github.com/perfctl/perfctl/internal/stats"
)

// sign is something that befell one arrival.
type sign struct {
	// key tells signs apart, id is their kind, what says what befell it.
	key, id, what string
	// serverWide says that it is a matter of the time alone: what a whole server did.
	serverWide bool
	// certain says that it needs no comparison: what befell the arrival's own process or
	// connection, and leaves no other reason. It befalls few arrivals, too few for a test.
	certain bool
	// concentrated says that it is a cause only where a good part of all has it.
	concentrated bool
	// from and to bound it, in milliseconds from the run's start; by are the processes
	// that caused it.
	from, to float64
	by       []uint32
}

const (
	// mostly is the part of an arrival's time that a phase, and of an operation's time
	// that evidence, must cover.
	mostly = 0.5
	// leastPhase is how long a phase must be to matter, leastOwn the same of phases that
	// are the generator's own, in milliseconds.
	leastPhase = 5.0
	leastOwn   = 20.0
	// leastSilence is how long a server must be silent to count: the one who asks may be
	// late himself.
	leastSilence = 100.0
)

// signs returns what befell an arrival, what says most first.
func (s *study) signs(e *exemplars.Exemplar) []sign {
	var out []sign
	add := func(g sign) {
		for i := range out {
			if out[i].key == g.key {
				return
			}
		}
		// Of what was seen, the part in which it befell this one.
		if from, to := max(g.from, e.Due), min(g.to, e.End()); from < to {
			g.from, g.to = from, to
		}
		out = append(out, g)
	}
	for i := range e.Ops {
		if o := &e.Ops[i]; o.Server >= mostly*e.Response && o.Server >= leastPhase {
			s.evidenceOf(e, o, add)
		}
	}
	for i := range e.Ops {
		if o := &e.Ops[i]; o.Wait >= mostly*e.Response && o.Wait >= leastPhase {
			s.behind(e, o, add)
		}
	}
	s.machineSigns(e, add)
	s.phaseSigns(e, add)
	// What an arrival is, however long it took: else the sample had it less often for
	// being faster.
	if o := longestOf(e); o != nil {
		s.operationSigns(e, o, add)
	}
	return out
}

// behind adds for an operation that waited for a connection what those that had the
// connections waited for.
func (s *study) behind(e *exemplars.Exemplar, o *exemplars.Op, add func(sign)) {
	from := e.Due + o.Start
	for i := range s.set.Evidence {
		v := &s.set.Evidence[i]
		if v.From > from+o.Wait {
			break
		}
		if (v.Kind == exemplars.Lock || v.Kind == exemplars.Alarm) && v.Source == o.System && v.Covers(from, from+o.Wait) {
			add(signOf(v))
			return
		}
	}
}

// phaseSigns adds the phases that took most of an arrival's time.
func (s *study) phaseSigns(e *exemplars.Exemplar, add func(sign)) {
	whole := sign{from: e.Due, to: e.End()}
	phase := func(id, what string) sign {
		whole.id, whole.key, whole.what = id, id, what
		return whole
	}
	p := e.Phases()
	takes := func(least float64, names ...string) bool {
		sum := 0.0
		for _, n := range names {
			sum += p[n]
		}
		return sum >= mostly*e.Response && sum >= least
	}
	again := 0
	for i := range e.Ops {
		again += e.Ops[i].Reconnects
	}
	switch {
	case takes(leastPhase, exemplars.DNS):
		add(phase(exemplars.DNS, "waited for the name server's answer"))
	case takes(leastPhase, exemplars.TLS):
		add(phase(exemplars.TLS, "spent their time in a TLS handshake"))
	case takes(leastPhase, exemplars.Connect, exemplars.TLS):
		add(phase(exemplars.Connect, "opened a connection first, where others had one"))
	case again > 0:
		add(phase("reconnect", "were sent again over another connection"))
	case takes(leastPhase, exemplars.Pool):
		system := ""
		for i := range e.Ops {
			if e.Ops[i].Wait >= mostly*e.Response {
				system = e.Ops[i].System
			}
		}
		g := phase(exemplars.Pool, "waited for a free connection of "+systemName(system)+"'s pool")
		g.key += " " + system
		add(g)
	case takes(leastPhase, exemplars.Worker):
		add(phase(exemplars.Worker, "waited for a worker: as many arrivals as -u allows were in flight"))
	case takes(leastOwn, exemplars.Generator, exemplars.Own, exemplars.Send):
		add(phase(exemplars.Generator, "waited for perfctl itself, which was late"))
	}
}

// longestOf is the operation that waited longest for its answer; nil for none.
func longestOf(e *exemplars.Exemplar) (longest *exemplars.Op) {
	for i := range e.Ops {
		if longest == nil || e.Ops[i].Server > longest.Server {
			longest = &e.Ops[i]
		}
	}
	return longest
}

// distinct is the part of an operation's usual times that must be slow for the operation
// itself to be a cause.
const distinct = 0.2

// operationSigns adds the operation and the server's process, where it is no server's
// doing that was seen.
func (s *study) operationSigns(e *exemplars.Exemplar, o *exemplars.Op, add func(sign)) {
	g := sign{from: e.Due + o.Start, to: e.Due + o.End}
	if s.isSlow(e, o) {
		g.id, g.key = "operation", "operation "+opKey(e, o)
		g.what = "are the operation " + o.Name + " of " + e.Scenario
		if o.Request != "" {
			g.what += " (" + cut(o.Request) + ")"
		}
		add(g)
	}
	if o.Process != 0 {
		g.concentrated = true
		g.id, g.key, g.by = "process", fmt.Sprintf("process %s %d", o.System, o.Process), []uint32{o.Process}
		g.what = fmt.Sprintf("were served by one process of %s", systemName(o.System))
		add(g)
	}
}

// isSlow says whether an operation is a slow one by itself: a good part of its usual
// times is beyond what is slow in its scenario and stage, and beyond the others'.
func (s *study) isSlow(e *exemplars.Exemplar, o *exemplars.Op) bool {
	times := s.ops[opKey(e, o)]
	u, ok := s.usual(e.Scenario, e.Stage)
	if len(times) == 0 || !ok {
		return false
	}
	high := stats.Quantile(times, 1-distinct)
	return high >= u.limit()/2 && high >= 3*s.othersOf(e, o)
}

// othersOf is the median time of the scenario's other operations; infinite for none, so
// that an operation that is the only one is no cause.
func (s *study) othersOf(e *exemplars.Exemplar, o *exemplars.Op) float64 {
	var all []float64
	own := opKey(e, o)
	for key, times := range s.ops {
		if key != own && strings.HasPrefix(key, e.Scenario+" ") {
			all = append(all, times...)
		}
	}
	if len(all) == 0 {
		return math.Inf(1)
	}
	return stats.Median(all)
}

func opKey(e *exemplars.Exemplar, o *exemplars.Op) string {
	return e.Scenario + " " + o.System + " " + o.Name
}

// statementOf is what tells statements apart: their beginning.
func statementOf(s string) string {
	if len(s) > 60 {
		s = s[:60]
	}
	return strings.Join(strings.Fields(s), " ")
}

// cut shortens a statement for a sentence.
func cut(s string) string {
	const most = 100
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

func systemName(system string) string {
	switch system {
	case "postgres":
		return "PostgreSQL"
	case "redis":
		return "Redis"
	case "rabbitmq":
		return "RabbitMQ"
	case "api":
		return "the HTTP API"
	case "host":
		return "this machine"
	case "generator":
		return "perfctl itself"
	}
	return system
}
