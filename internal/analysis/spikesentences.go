package analysis

import (
	"fmt"
	"strings"

	"github.com/perfctl/perfctl/internal/metrics"
)

// tallQueue is the length from which a backlog is worth a word.
const tallQueue = 50

// sayRecoveries says how the system took each spike and came back from it. One
// that did not come back is a finding.
func (o *Analysis) sayRecoveries() {
	for i := range o.Recoveries {
		r := &o.Recoveries[i]
		if !r.Known {
			o.unknown("recovery from "+r.Stage, r.Because)
			continue
		}
		text := r.sentence()
		o.Sentences = append(o.Sentences, text)
		if r.Recovered {
			continue
		}
		values := map[string]float64{"watched_s": r.Watched}
		for name, v := range map[string]*float64{"before_p95_ms": r.Before, "limit_p95_ms": r.Limit, "peak_p95_ms": r.Peak} {
			if v != nil {
				values[name] = *v
			}
		}
		o.Findings = append(o.Findings, Finding{
			ID: "not_recovered", Severity: Critical, Title: "Not recovered from the spike",
			Sentence: fmt.Sprintf("%s after the stage %s the system is not what it was before it: %s.", seconds(r.Watched), r.Stage, r.still()),
			Advice:   "Look for what the spike left behind: backlogs, exhausted pools, retries that keep the load up; shed load, or scale sooner",
			Evidence: Evidence{From: r.To, To: r.To + r.Watched, Series: metrics.ResponseTime.Name, Unit: "ms", Values: values},
		})
	}
}

// took is the time of a recovery, and how far it may be off.
func (c *Course) took(t float64) string {
	if c.Within == nil || t >= 60 { // of which no part of a second is told
		return seconds(t)
	}
	return seconds(t) + " (± " + seconds(max(*c.Within, finestWithin)) + ")"
}

// still says what is not as it was.
func (c *Course) still() string {
	if len(c.Waiting) == 0 {
		return "it has no ten quiet seconds"
	}
	is := isAre(len(c.Waiting))
	if c.Waiting[0] == ofErrors {
		is = "are"
	}
	return list(c.Waiting) + " " + is + " worse"
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

func (r *Recovery) sentence() string {
	var b strings.Builder
	switch {
	case r.Recovered && *r.Time == 0:
		fmt.Fprintf(&b, "After the stage %s the system was at once what it was before.", r.Stage)
	case r.Recovered:
		fmt.Fprintf(&b, "The system recovered %s after the end of the stage %s.", r.took(*r.Time), r.Stage)
	default:
		fmt.Fprintf(&b, "The system did not recover within %s after the end of the stage %s: %s.", seconds(r.Watched), r.Stage, r.still())
	}
	if r.Peak != nil && r.Depth != nil {
		least := ""
		if r.PeakAtLeast {
			least = "at least "
		}
		fmt.Fprintf(&b, " P95 response time was %s before and %s%s in the worst second, %s%s.", millis(*r.Before), least, millis(*r.Peak), least, times(*r.Depth))
	}
	if r.ErrorRate != nil {
		if missed := r.Failed + r.Dropped + r.Unfinished; missed == 0 {
			fmt.Fprintf(&b, " None of its %d arrivals failed.", r.Due)
		} else {
			fmt.Fprintf(&b, " Of its %d arrivals %s were lost: %d failed, %d dropped, %d unfinished.", r.Due, share(*r.ErrorRate), r.Failed, r.Dropped, r.Unfinished)
		}
	}
	for _, q := range r.Backlogs {
		if q.Peak < max(10*q.Before, tallQueue) {
			continue
		}
		drain := "and did not drain"
		switch {
		case q.Drain == nil:
		case *q.Drain == 0:
			drain = "and was drained by its end"
		default:
			drain = "and was drained " + seconds(*q.Drain) + " after it"
		}
		fmt.Fprintf(&b, " %s rose from %s to %s %s.", q.Series, value(q.Before, q.Unit), value(q.Peak, q.Unit), drain)
	}
	for _, m := range r.Memory {
		if m.Peak > slower*m.Before {
			fmt.Fprintf(&b, " %s rose from %s to %s and was %s at the end.", m.Series, value(m.Before, m.Unit), value(m.Peak, m.Unit), value(m.After, m.Unit))
		}
	}
	return b.String()
}
