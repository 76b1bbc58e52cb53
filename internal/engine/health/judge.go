// Package health judges the generator itself: whether it kept time and had the
// resources to, so that a run whose generator was the bottleneck says so. It
// reads this process and its machine, never a target.
package health

import (
	"fmt"
	"slices"
	"time"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/states"
)

// Status is how far a run's figures can be trusted.
type Status string

// Valid figures are the target's. Suspect ones may hold some of the
// generator's own delay. Invalid ones describe the generator.
const (
	Valid   Status = states.GeneratorValid
	Suspect Status = states.GeneratorSuspect
	Invalid Status = states.GeneratorInvalid
)

// Evidence is what the judgement is made from.
type Evidence struct {
	// Lag is the histogram of generator_dispatch_lag.
	Lag *metrics.Hist
	// Planned is how many arrivals were to come due, Released how many the
	// generator released in time to be executed.
	Planned, Released int64
	// Started is how many of those released were started.
	Started int64
	// Exhausted is how many arrivals failed for want of ports, files or memory
	// of the generator.
	Exhausted int64
	// Usage is what the process used of the machine.
	Usage Usage
	// Tolerance is the lateness that was asked for.
	Tolerance time.Duration
	// Figures are what the run is judged by. Where they are known, a lag that cannot
	// have changed one of them by more than matters is a note.
	Figures []Figure
	// Missing says what of the run's data was lost, empty if nothing.
	Missing string
}

// Report is the judgement.
type Report struct {
	Status  Status
	Reasons []string
	// Notes are signals past a limit that changed no figure by more than matters.
	Notes []string
}

// limit is a signal's bounds: above suspect the run is suspect, above invalid
// it is invalid.
type limit struct{ suspect, invalid float64 }

// The limits. On an idle machine the 99th percentile of the lag is 0.1 ms; ten
// times that means that something else wanted the processor, as a target on the
// same machine does, and a hundred times the suspect limit that the figures are
// the generator's. Every peer that warns at all warns about CPU use alone, at 80 to
// 90 %; the schedule lag is the direct measure, the rest explains. What it did to the
// figures decides between suspect and a note, where the figures are known.
var (
	lagP50      = limit{2e6, 20e6}    // ns
	lagP99      = limit{1e6, 100e6}   // ns
	lagP999     = limit{10e6, 1e9}    // ns; a kernel's or hypervisor's hold-ups last a few ms
	unreleased  = limit{0.0001, 0.01} // share of the plan
	cpuShare    = limit{0.85, 1.01}   // of the cores allowed; CPU alone never invalidates
	runQueue    = limit{0.5, 4}       // threads waiting for a core, mean
	schedP99    = limit{10e6, 100e6}  // ns, Go's own run queue
	gcPause     = limit{10e6, 100e6}  // ns
	throttled   = limit{0.01, 0.1}    // share of the time
	steal       = limit{0.05, 0.25}   // share of the machine's CPU
	retransmits = limit{0.01, 0.1}    // share of the segments sent
	fdShare     = limit{0.9, 0.999}   // of the limit
)

// Judge weighs the evidence. Reasons name each signal past a limit, its value
// and the limit.
func Judge(e Evidence) Report {
	j := judge{Report: Report{Status: Valid}}
	worst, matters, known := worst(e.Figures)
	j.harmless = known && !matters
	if e.Lag != nil && e.Lag.N > 0 {
		p50, _, _ := e.Lag.Quantile(0.5)
		p99, _, _ := e.Lag.Quantile(0.99)
		tol := float64(e.Tolerance)
		j.weighLag(float64(p50)-tol, lagP50, "arrivals were released late: half of them by more than %s (limit %s)", dur)
		if e.Lag.N >= 100 {
			j.weighLag(float64(p99)-tol, lagP99, "arrivals were released late: 1%% of them by more than %s (limit %s)", dur)
		}
		if p999, _, _ := e.Lag.Quantile(0.999); e.Lag.Carries(0.999) {
			j.weighLag(float64(p999)-tol, lagP999, "arrivals were released late: one in a thousand by more than %s (limit %s)", dur)
		}
	}
	if e.Planned > 0 {
		j.weigh(1-float64(e.Released)/float64(e.Planned), unreleased,
			"%s of the planned arrivals were never released (limit %s)", figure.Share)
	}
	j.starvation(e)
	if e.Exhausted > 0 {
		j.add(Invalid, fmt.Sprintf("%d arrivals failed because the generator ran out of ports, files or memory", e.Exhausted))
	}
	if e.Missing != "" {
		j.add(Invalid, e.Missing)
	}
	u := e.Usage
	j.weigh(u.CPUShare, cpuShare, "the generator used %s of the CPU it may use (limit %s)", figure.Share)
	j.weighLag(u.RunQueue, runQueue, "on average %s of the generator's threads waited for a core (limit %s): the machine is too busy", num)
	j.weighLag(float64(u.SchedP99), schedP99, "goroutines waited %s for a thread at the 99th percentile (limit %s)", dur)
	j.weighLag(float64(u.GCPauseMax), gcPause, "garbage collection stopped the generator for %s (limit %s)", dur)
	j.weigh(u.Throttled, throttled, "the container's CPU quota held the generator up %s of the time (limit %s)", figure.Share)
	j.weigh(u.Steal, steal, "the hypervisor took %s of the machine's CPU (limit %s)", figure.Share)
	j.weigh(u.Retransmits, retransmits, "%s of the TCP segments sent were retransmitted (limit %s)", figure.Share)
	j.weigh(u.FDShare, fdShare, "%s of the allowed open files were in use (limit %s)", figure.Share)
	if matters && len(j.Reasons) > 0 {
		j.Reasons = append(j.Reasons, worst.String())
	}
	return j.Report
}

// The machine is exhausted where it was hardly ever idle, and the generator is why
// where it used as much of it as this.
const (
	exhaustedBusy = 0.85
	ownPart       = 0.4
	notStarted    = 0.01
)

// Exhausted says whether the machine's CPU was used up and the generator is why:
// whatever was slow then may have waited for it.
func (u Usage) Exhausted() bool { return u.MachineBusy > exhaustedBusy && u.MachineShare > ownPart }

// starvation tells a generator that used up the machine from a target that is
// slow: in both, arrivals pile up and are dropped.
func (j *judge) starvation(e Evidence) {
	if e.Released == 0 {
		return
	}
	lost := 1 - float64(e.Started)/float64(e.Released)
	if lost > notStarted && e.Usage.Exhausted() {
		j.add(Invalid, fmt.Sprintf("%s of the arrivals found no worker while the machine's CPU was used up, %s of it by the generator",
			figure.Share(lost), figure.Share(e.Usage.MachineShare)))
	}
}

// judge gathers reasons, those that make the generator invalid before the others.
type judge struct {
	Report
	invalid int
	// harmless says that no figure can have been changed by more than matters.
	harmless bool
}

// weighLag weighs a signal of a generator that was late. What did no harm is a note.
func (j *judge) weighLag(v float64, l limit, format string, show func(float64) string) {
	if j.harmless && v > l.suspect && v <= l.invalid {
		j.Notes = append(j.Notes, fmt.Sprintf(format, show(v), show(l.suspect)))
		return
	}
	j.weigh(v, l, format, show)
}

func (j *judge) weigh(v float64, l limit, format string, show func(float64) string) {
	switch {
	case v > l.invalid:
		j.add(Invalid, fmt.Sprintf(format, show(v), show(l.invalid)))
	case v > l.suspect:
		j.add(Suspect, fmt.Sprintf(format, show(v), show(l.suspect)))
	}
}

func (j *judge) add(s Status, reason string) {
	if s != Invalid {
		if j.Status == Valid {
			j.Status = s
		}
		j.Reasons = append(j.Reasons, reason)
		return
	}
	j.Status = Invalid
	j.Reasons = slices.Insert(j.Reasons, j.invalid, reason)
	j.invalid++
}

func dur(ns float64) string { return figure.Value(ns, metrics.UnitTime) }
func num(v float64) string  { return figure.Rough(v, metrics.UnitCount) }
