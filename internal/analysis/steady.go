package analysis

import (
	"fmt"
	"math"

	"github.com/perfctl/perfctl/internal/stats"
)

const (
	// steadySeconds is how many values MSER-5 needs: ten batches of five.
	steadySeconds = 50
	// warmer is by what part the response time of a warm-up is above that of the
	// steady state for it to be worth a word.
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
		if !s.Judged || s.From != s.To || s.From == 0 || s.Duration <= 0 || s.Burst > 0 {
			continue
		}
		st := Steady{Stage: s.Name}
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
	var x, at []float64
	for s := i; s < j; s++ {
		if m := a.response[s]; m.n > 0 {
			x, at = append(x, m.mean), append(at, a.start[s])
		}
	}
	if len(x) < steadySeconds || 5*len(x) < 4*(j-i) {
		return fmt.Sprintf("response time is known of %d of %d s only", len(x), j-i)
	}
	cut, ok := stats.MSER5(x)
	if !ok {
		return unsettled
	}
	st.Mean = mean(x[cut:])
	if cut > 0 && math.Abs(mean(x[:cut])-st.Mean) > warmer*st.Mean {
		st.WarmUp = at[cut] - from
		st.Before = number(mean(x[:cut]))
	}
	st.From, st.To = from+st.WarmUp, a.end(j-1)
	return ""
}

// tellSteady advises on the warm-up.
func (o *Analysis) tellSteady() {
	known := 0
	for _, s := range o.Steady {
		if !s.Known {
			continue
		}
		known++
		if s.WarmUp > 0 && s.Before != nil {
			o.say("The first %s of %s are not steady yet, with a mean response time of %s against %s after them: warm up for that much longer, or leave them out.",
				seconds(s.WarmUp), s.Stage, millis(*s.Before), millis(s.Mean))
		}
	}
	if known == 0 && len(o.Steady) > 0 {
		s := o.Steady[0]
		for _, other := range o.Steady {
			if other.Because == unsettled {
				s = other
			}
		}
		o.unknown("steady state of "+s.Stage, s.Because)
	}
}
