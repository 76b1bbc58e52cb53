package analysis

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/sla"
)

// faultsTold is up to how many faults each have a sentence of their own: of more, there
// is one about all.
const faultsTold = 5

// sayFaults says what each fault cost. One from which the system did not recover is a
// finding.
func (o *Analysis) sayFaults(cost float64) {
	var open []string
	slowest, recovered := (*FaultEffect)(nil), 0
	for i := range o.Faults {
		e := &o.Faults[i]
		if len(o.Faults) <= faultsTold {
			o.Sentences = append(o.Sentences, e.sentence())
		}
		switch {
		case !e.Known:
			open = append(open, e.Name+": "+e.Because)
		case e.Recovered:
			recovered++
			if slowest == nil || *e.Time > *slowest.Time {
				slowest = e
			}
		default:
			o.Findings = append(o.Findings, e.finding())
		}
	}
	if n := len(o.Faults); n > faultsTold {
		text := fmt.Sprintf("Of %d faults the system recovered from %d within what it was watched.", n, recovered)
		if slowest != nil {
			text += fmt.Sprintf(" The slowest to recover from was %s (%s): %s after its end.", slowest.Name, slowest.What, seconds(*slowest.Time))
		}
		o.Sentences = append(o.Sentences, text)
	}
	if cost > 0 {
		o.Sentences = append(o.Sentences, fmt.Sprintf("The proxy that does the faults adds %s to a round trip (p50).", millis(cost/1e3)))
	}
	for _, text := range open {
		name, because, _ := strings.Cut(text, ": ")
		o.unknown("recovery from the fault "+name, because)
	}
}

func (e *FaultEffect) finding() Finding {
	values := map[string]float64{"watched_s": e.Watched}
	for name, v := range map[string]*float64{"before_p95_ms": e.Before, "limit_p95_ms": e.Limit, "peak_p95_ms": e.Peak} {
		if v != nil {
			values[name] = *v
		}
	}
	return Finding{
		ID: "fault_not_recovered", Severity: Critical, Title: "Not recovered from a fault",
		Sentence: fmt.Sprintf("%s after the fault %s (%s) had ended the system is not what it was before it: %s.", seconds(e.Watched), e.Name, e.What, e.still()),
		Advice:   "Look for what the fault left behind: connections that are not opened anew, backlogs, retries that keep the load up, data that is gone",
		Evidence: Evidence{From: e.To, To: e.To + e.Watched, Series: metrics.ResponseTime.Name, Unit: "ms", Values: values},
	}
}

// sentence says what a fault cost.
func (e *FaultEffect) sentence() string {
	var b strings.Builder
	fmt.Fprintf(&b, "The fault %s (%s, from %s to %s)", e.Name, e.What, seconds(e.From), seconds(e.To))
	if missed := e.Failed + e.Dropped; missed == 0 {
		fmt.Fprintf(&b, " failed none of %d arrivals", e.Due)
	} else {
		fmt.Fprintf(&b, " cost %d of %d arrivals", min(missed, e.Due), e.Due)
		if e.ErrorRate != nil {
			fmt.Fprintf(&b, " (%s", share(*e.ErrorRate))
			if kinds := e.kinds(3); kinds != "" {
				b.WriteString(": " + kinds)
			}
			b.WriteString(")")
		}
	}
	if e.FirstError != nil {
		fmt.Fprintf(&b, ", the first after %s", millis(*e.FirstError*1e3))
	}
	b.WriteString(".")
	if e.Peak != nil && e.Depth != nil && e.Area != nil {
		least := ""
		if e.PeakAtLeast {
			least = "at least "
		}
		fmt.Fprintf(&b, " P95 response time was %s before and %s%s in the worst second; users waited %s longer in all.",
			millis(*e.Before), least, millis(*e.Peak), seconds(*e.Area))
	}
	switch {
	case !e.Known:
	case e.Recovered && *e.Time == 0:
		b.WriteString(" The system recovered with the end of the fault.")
	case e.Recovered:
		fmt.Fprintf(&b, " It recovered %s after the end of the fault.", e.took(*e.Time))
	default:
		fmt.Fprintf(&b, " It did not recover within %s: %s.", seconds(e.Watched), e.still())
	}
	if e.Reconnects > 0 {
		fmt.Fprintf(&b, " %d connections were opened anew, up to %d a second.", e.Reconnects, e.Storm)
	}
	if e.Lost != nil && *e.Lost+*e.counted(e.Duplicated)+*e.counted(e.Unknown) > 0 {
		fmt.Fprintf(&b, " By the scenarios' accounts %d confirmed operations were lost, %d were done twice and %d have an unknown outcome.", *e.Lost, *e.counted(e.Duplicated), *e.counted(e.Unknown))
	}
	if e.Offered > e.Wanted && e.Wanted > 0 {
		fmt.Fprintf(&b, " Retries raised the load to %s of what was wanted.", share(float64(e.Offered)/float64(e.Wanted)))
	}
	return b.String()
}

func (e *FaultEffect) counted(n *int64) *int64 {
	if n == nil {
		return new(int64)
	}
	return n
}

// kinds names the most frequent kinds of errors.
func (e *FaultEffect) kinds(most int) string {
	var names []string
	for k := range e.Kinds {
		names = append(names, k)
	}
	slices.SortFunc(names, func(x, y string) int {
		return cmp.Or(cmp.Compare(e.Kinds[y], e.Kinds[x]), strings.Compare(x, y))
	})
	for i, k := range names {
		names[i] = fmt.Sprintf("%d %s", e.Kinds[k], k)
	}
	return list(names[:min(most, len(names))])
}

// faultAnswers are what rules about faults are judged by.
func (o *Analysis) faultAnswers() (out []sla.Answer) {
	for i := range o.Faults {
		e := &o.Faults[i]
		out = append(out, e.answer(sla.Answer{Metric: sla.RecoveryTime, Fault: e.Name, Exercised: true}, e.Time))
		a := sla.Answer{Metric: sla.ErrorRate, Fault: e.Name, Exercised: true}
		if e.ErrorRate == nil {
			a.Because = "no arrival was due while it lasted"
		} else {
			a.Value = *e.ErrorRate
		}
		out = append(out, a)
	}
	return out
}
