package analysis

import (
	"fmt"
	"math"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/stats"
)

const (
	// steadySeconds is how many values MSER-5 needs: ten batches of five.
	steadySeconds = 50
	// warmer is by what part the response time of a warm-up differs from that of
	// the steady state for it to be worth a word.
	warmer = 0.1
)

// unsettled is what a stage is whose response time goes on changing, or that is
// too short to tell.
const unsettled = "no steady state shows in it: response time keeps changing, or it is too short"

// steady finds the steady part of each judged stage of constant rate.
func (a *axis) steady() []Steady {
	out := []Steady{}
	for i := range a.stages {
		s := &a.stages[i]
		if !s.Judged || !constantLoad(s) || s.Duration <= 0 || s.Burst > 0 {
			continue
		}
		st := Steady{Stage: s.Name, planned: s.Duration}
		st.Because = a.steadyPart(&st, s.Start, s.Start+s.Duration)
		st.Known = st.Because == ""
		out = append(out, st)
	}
	return out
}

// steadyPart fills in the steady part between from and to, or says why there is
// none.
func (a *axis) steadyPart(st *Steady, from, to float64) string {
	i, j := a.within(from, min(to, a.ended()))
	if j-i < steadySeconds {
		return fmt.Sprintf("it lasts %d s, %d s are needed", j-i, steadySeconds)
	}
	// Medians show the state of the system, means of its slowest arrivals: a
	// single stall would pass for the end of the warm-up.
	var x, means, at []float64
	for s := i; s < j; s++ {
		if m := a.response[s]; m.n > 0 {
			x, means, at = append(x, m.p50), append(means, m.mean), append(at, a.start[s])
		}
	}
	if len(x) < steadySeconds || 5*len(x) < 4*(j-i) {
		return fmt.Sprintf("response time is known of %d of %d s only", len(x), j-i)
	}
	cut, ok := stats.MSER5(calmed(x))
	if !ok {
		// MSER-5 also fails where a system is steady and only the noise grows less.
		first, second := stats.Median(x[:len(x)/2]), stats.Median(x[len(x)/2:])
		if math.Abs(first-second) > warmer*second {
			return unsettled
		}
		cut = 0
	}
	st.Mean = mean(means[cut:])
	before, after := stats.Median(x[:cut]), stats.Median(x[cut:])
	if cut > 0 && math.Abs(before-after) > max(warmer*after, finest) {
		st.WarmUp = at[cut] - from
		st.Before, st.After = number(before), number(after)
	}
	st.From, st.To = from+st.WarmUp, a.end(j-1)
	return ""
}

// calmed returns x with what lies outside of Tukey's fences of its second half
// drawn in to them: a warm-up is left above them, a single stall weighs no more
// than noise.
func calmed(x []float64) []float64 {
	half := x[len(x)/2:]
	high := stats.UpperFence(half)
	mirrored := make([]float64, len(half))
	for i, v := range half {
		mirrored[i] = -v
	}
	low := -stats.UpperFence(mirrored)
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = min(max(v, low), high)
	}
	return out
}

// saySteady advises on the warm-up.
func (o *Analysis) saySteady() {
	known := 0
	for _, s := range o.Steady {
		if !s.Known {
			continue
		}
		known++
		switch {
		case s.WarmUp == 0 || s.Before == nil:
		case *s.After < *s.Before:
			o.say("The first %s of %s are not steady yet, with a median response time of %s against %s after them: warm up for that much longer, or leave them out.",
				seconds(s.WarmUp), s.Stage, millis(*s.Before), millis(*s.After))
		default:
			o.slowed(&s)
		}
	}
	if known > 0 {
		return
	}
	var open *Steady
	for i := range o.Steady {
		s := &o.Steady[i]
		if s.planned >= fleeting && (open == nil || s.Because == unsettled) {
			open = s
		}
	}
	if open != nil {
		o.unknown("steady state of "+open.Stage, open.Because)
	}
}

const (
	// slowedTimes is by what factor response time must rise and stay for a finding,
	// and slowedMillis by how much.
	slowedTimes  = 2.0
	slowedMillis = 5.0
)

// slowed says that the system became slower within a stage and stayed so.
func (o *Analysis) slowed(s *Steady) {
	text := fmt.Sprintf("%s after the beginning of %s the median response time rose from %s to %s, and stayed there.",
		seconds(s.WarmUp), s.Stage, millis(*s.Before), millis(*s.After))
	if *s.After < slowedTimes**s.Before || *s.After < *s.Before+slowedMillis {
		o.Sentences = append(o.Sentences, text)
		return
	}
	o.Findings = append(o.Findings, Finding{ID: "slowed_down", Severity: Warning, Title: "Slower for good", Sentence: text,
		Advice: "Look for what changed then: a cache or a buffer that was full, a limit that was reached, a plan or a code path that changed",
		Evidence: Evidence{From: s.From, To: s.To, Series: metrics.ResponseTime.Name, Unit: "ms",
			Values: map[string]float64{"before_p50_ms": *s.Before, "after_p50_ms": *s.After}}})
}
