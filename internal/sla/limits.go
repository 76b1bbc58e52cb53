package sla

import (
	"fmt"
	"strings"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/stats"
)

// usualConfidence is that of the limits of a quantile where nobody asks for
// another: the interval holds the true quantile in 95 of 100 runs.
const usualConfidence = 0.95

// limits bound a quantile of the distribution that its values were drawn from, by
// two of the values themselves: the order statistics whose ranks are the limits of
// a binomial distribution (stats.QuantileRanks).
type limits struct {
	// low and high are the limits; hasLow and hasHigh say that there are such.
	low, high       float64
	hasLow, hasHigh bool
	// lowAtLeast and highAtLeast say that the limit is one of an arrival that did
	// not succeed: it is no smaller than the value.
	lowAtLeast, highAtLeast bool
	// need is how many values it takes for both limits.
	need int64
}

// quantile computes the quantile of f.n values, and its limits. at returns the
// value of a rank.
func (f *measured) quantile(q float64, at func(rank int64) (float64, bool)) {
	f.value, f.atLeast = at(metrics.QuantileRank(f.n, q))
	f.limits = quantileLimits(f.n, q, f.confidence, at)
}

func quantileLimits(n int64, q, confidence float64, at func(rank int64) (float64, bool)) *limits {
	alpha := (1 - confidence) / 2
	l := &limits{need: stats.QuantileNeeds(q, alpha)}
	low, high := stats.QuantileRanks(n, q, alpha)
	if l.hasLow = low >= 1; l.hasLow {
		l.low, l.lowAtLeast = at(low)
	}
	if l.hasHigh = high <= n; l.hasHigh {
		l.high, l.highAtLeast = at(high)
	}
	return l
}

// few says that n values are too few for both limits.
func (l *limits) few(n int64) bool { return n < l.need }

// confidence is that of the limits.
func (j *Judge) confidence() float64 {
	if c := j.plan.Options.Confidence; c > 0 {
		return c
	}
	return usualConfidence
}

// decide says what is known of a rule: that it holds wherever between the limits
// the quantile is, that it does not hold anywhere, or neither.
func (l *limits) decide(r Rule) Status {
	holds := func(v float64, atLeast bool) (holds, known bool) {
		if !atLeast {
			return r.Op.Holds(v, r.Value), true
		}
		if r.Op.upper() {
			return false, true
		}
		return true, r.Op.holdsAbove(v, r.Value)
	}
	low, lowKnown := holds(l.low, l.lowAtLeast)
	high, highKnown := holds(l.high, l.highAtLeast)
	lowKnown, highKnown = lowKnown && l.hasLow, highKnown && l.hasHigh
	switch {
	case r.Op.upper() && lowKnown && !low, r.Op.lower() && highKnown && !high:
		return missed(r.Severity)
	case r.Op.upper() && highKnown && high, r.Op.lower() && lowKnown && low:
		return Passed
	}
	return Undecided
}

// text is the interval as it stands behind its figure: (480 to 515), with the unit
// where it is another one than the figure's.
func (l *limits) text(beside string, unit metrics.Unit) string {
	one := func(v float64, has, atLeast bool, none string) string {
		if !has {
			return none
		}
		text := figure.Value(v, unit)
		if u := unitIn(beside); u != "" && unitIn(text) == u {
			text = strings.TrimSpace(strings.TrimSuffix(text, u))
		}
		if atLeast {
			text = "≥ " + text
		}
		return text
	}
	return fmt.Sprintf("(%s to %s)", one(l.low, l.hasLow, l.lowAtLeast, "0"), one(l.high, l.hasHigh, l.highAtLeast, "any"))
}

// unitIn is what a figure ends with behind its digits.
func unitIn(text string) string {
	return strings.TrimSpace(strings.TrimLeft(text, "≥ +-.e0123456789"))
}

// decideShare is decide for a share of n, of which hits were counted, at the given
// confidence: Clopper and Pearson's limits, asked at the target (Biometrika 26,
// 1934).
func decideShare(hits, n int64, r Rule, confidence float64) Status {
	alpha := (1 - confidence) / 2
	above := 1-stats.BinomialAtMost(n, hits-1, r.Value) <= alpha // the share is above the target
	below := stats.BinomialAtMost(n, hits, r.Value) <= alpha
	switch {
	case above && r.Op.upper(), below && r.Op.lower():
		return missed(r.Severity)
	case below && r.Op.upper(), above && r.Op.lower():
		return Passed
	}
	return Undecided
}
