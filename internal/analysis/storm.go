package analysis

import (
	"fmt"
	"math"
	"slices"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
)

const (
	// stormShare is how many retries there are for each arrival in a storm,
	// stormSeconds and stormLeast how long and how many there must be.
	stormShare   = 0.1
	stormSeconds = 3
	stormLeast   = 20.0
	// churnLeast and churnRate are how many connections must be opened anew, in
	// all and per second; churnShare how many for each request of a client that
	// is to keep its connections.
	churnLeast = 5.0
	churnRate  = 0.05
	churnShare = 0.1
)

// retries says that what failed was tried again so often that it is a load of its
// own.
func (a *axis) retries() *Finding {
	again := make([]float64, a.n)
	name := ""
	most := 0.0
	for _, l := range a.run.Lines {
		if l.Series.Kind != metrics.KindCounter || l.Series.Role != metrics.RoleRetries {
			continue
		}
		var n float64
		for i, at := range l.At {
			again[at] += l.Value[i]
			n += l.Value[i]
		}
		if n > most {
			most, name = n, l.Series.Name
		}
	}
	if name == "" {
		return nil
	}
	from, to, ok := a.lasts(stormSeconds, func(i int) bool { return again[i] > 0 && again[i] >= stormShare*a.due[i] })
	n := sum(again, from, to)
	if !ok || n < stormLeast {
		return nil
	}
	return &Finding{ID: "retry_storm", Severity: Warning, Title: "Retry storm",
		Sentence: fmt.Sprintf("From %s to %s %s retries came on top of %s arrivals.", figure.Moment(a.start[from]), figure.Moment(a.end(to-1)), figure.Whole(n), figure.Whole(sum(a.due, from, to))),
		Advice:   "Retry with a growing, random delay and a limit: retries keep up the overload that causes them",
		Evidence: Evidence{From: a.start[from], To: a.end(to - 1), Series: name, Unit: "count",
			Values: map[string]float64{"retries": n, "arrivals": sum(a.due, from, to)}}}
}

// churn says which clients opened connections again and again.
func (a *axis) churn() (out []*Finding) {
	for _, name := range a.named(metrics.RoleReconnects) {
		out = append(out, a.churning(name, a.besideFaults(a.events(name)), churnRate))
	}
	requests := 0.0
	for _, name := range a.named(metrics.RoleRequests) {
		requests += sum(a.count(name), 0, a.n)
	}
	for _, name := range a.named(metrics.RoleConnectionsOpened) {
		if opened := a.besideFaults(a.events(name)); sum(opened, 0, a.n) >= churnShare*requests {
			out = append(out, a.churning(name, opened, 1))
		}
	}
	return out
}

// named returns the names of the metrics of a role, in their order.
func (a *axis) named(r metrics.Role) []string {
	var out []string
	for _, l := range a.run.Lines {
		if l.Series.Role == r && !slices.Contains(out, l.Series.Name) {
			out = append(out, l.Series.Name)
		}
	}
	slices.Sort(out)
	return out
}

// events returns what the counters of that name counted in each second, or by what
// its gauges, which only rise, rose.
func (a *axis) events(name string) []float64 {
	if g := a.gauge(name); g != nil {
		return rises(g)
	}
	return a.count(name)
}

// restarts says that a process that was watched was gone, or another one in its
// place, unless a fault of the run's own did that.
func (a *axis) restarts() *Finding {
	for _, l := range a.run.Lines {
		if l.Series.Role != metrics.RoleRestarts {
			continue
		}
		first := slices.IndexFunc(l.At, func(at int) bool { return !a.restartedByFault(l.Series.Operation, at) })
		if first < 0 {
			continue
		}
		at := l.At[first]
		return &Finding{ID: "restart", Severity: Critical, Title: "A process restarted",
			Sentence: fmt.Sprintf("%s was gone, or another process in its place, at %s.", l.Series.Operation, figure.Moment(a.start[at])),
			Advice:   "Read its log, and the kernel's for a process killed for want of memory",
			Evidence: Evidence{From: a.start[at], To: a.end(l.At[len(l.At)-1]), Series: l.Series.Name, Unit: "count",
				Values: map[string]float64{"restarts": sum(a.count(l.Series.Name), 0, a.n)}}}
	}
	return nil
}

// afterFault is how long, in seconds, what a fault did to a server may be seen after its
// end: a server that is started again takes so long.
const afterFault = 60

// restartedByFault says whether a fault of the run's own ended the process: one that is
// done to the server of that name, or by a command, which says nothing of whom it hits.
func (a *axis) restartedByFault(process string, second int) bool {
	return slices.ContainsFunc(a.run.Info.Faults, func(f rundir.FaultInfo) bool {
		return f.Hits != "" && (f.Hits == process || f.Hits == rundir.AnyProcess) && a.end(second) >= f.Start && a.start[second] <= f.End+afterFault
	})
}

// besideFaults leaves out what happened while a fault was in force, or right after it:
// the answers about the fault count that.
func (a *axis) besideFaults(events []float64) []float64 {
	out := slices.Clone(events)
	for _, f := range a.run.Info.Faults {
		for i := range out {
			if a.end(i) >= f.Start && a.start[i] <= f.End+recoverySeconds {
				out[i] = 0
			}
		}
	}
	return out
}

// rises returns by what a reading that only rises rose in each second.
func rises(x []float64) []float64 {
	out := make([]float64, len(x))
	last := math.NaN()
	for i, v := range x {
		if math.IsNaN(v) {
			continue
		}
		if !math.IsNaN(last) {
			out[i] = max(v-last, 0)
		}
		last = v
	}
	return out
}

func (a *axis) churning(name string, opened []float64, rate float64) *Finding {
	n := sum(opened, 0, a.n)
	first, last := -1, -1
	for i, v := range opened {
		if v > 0 {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	length := a.end(a.n - 1)
	if n < churnLeast || n < rate*length {
		return nil
	}
	return &Finding{ID: "connection_churn", Severity: Warning, Title: "Connection churn",
		Sentence: fmt.Sprintf("%s connections were opened anew from %s to %s (%s).", figure.Whole(n), figure.Moment(a.start[first]), figure.Moment(a.end(last)), name),
		Advice:   "Keep connections open: look for time-outs of idle connections, servers that restart or refuse, and clients that do not read answers to their end",
		Evidence: Evidence{From: a.start[first], To: a.end(last), Series: name, Unit: "count", Values: map[string]float64{"connections": n}}}
}
