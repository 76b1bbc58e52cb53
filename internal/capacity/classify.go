package capacity

// The goal of a long measurement in the words of RFC 9971: trials of the length
// T, in all at least three of them, of which no more than half, by time, may
// break the SLA.
const (
	sumTrials   = 3
	exceedRatio = 0.5
)

// class is what a load is, by its trials.
type class int

const (
	undecided class = iota
	lowerBound
	upperBound
)

// tally is the time, in seconds, that trials of one load held the SLA (low) or
// broke it (high). Trials shorter than the goal's are short, the others full.
type tally struct {
	shortLow, shortHigh, fullLow, fullHigh float64
}

func (t *tally) add(held, full bool, seconds float64) {
	switch {
	case held && full:
		t.fullLow += seconds
	case held:
		t.shortLow += seconds
	case full:
		t.fullHigh += seconds
	default:
		t.shortHigh += seconds
	}
}

// classify is the load classification of RFC 9971: a load is a lower bound where
// it stays one whatever the trials to come are, an upper bound where it cannot
// become a lower one, and undecided else. Short trials that broke the SLA count
// as far as short ones that held it do not balance them.
func (t tally) classify(trial float64) class {
	const coefficient = exceedRatio / (1 - exceedRatio)
	excess := max(0, t.shortHigh-t.shortLow*coefficient)
	high := t.fullHigh + excess
	whole := max(t.fullLow+high, sumTrials*trial)
	optimistic := high <= whole*exceedRatio
	pessimistic := whole-t.fullLow <= whole*exceedRatio
	switch {
	case optimistic && pessimistic:
		return lowerBound
	case !optimistic && !pessimistic:
		return upperBound
	}
	return undecided
}
