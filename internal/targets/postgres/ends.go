package postgres

import "github.com/perfctl/perfctl/internal/metrics"

// Ends counts how transactions end.
type Ends struct {
	committed, rolledBack, unknown *metrics.Counter
}

// NewEnds declares the counters of Transactions under the tags.
func NewEnds(r *metrics.Registry, t metrics.Tags) Ends {
	with := func(outcome string) *metrics.Counter {
		t := t
		t.Outcome = outcome
		return r.Counter(Transactions, t)
	}
	return Ends{with("committed"), with("rolled_back"), with("unknown")}
}

// Count counts one transaction that was begun. The zero Ends counts nothing.
func (e Ends) Count(stage int, o Outcome) {
	if e.committed == nil {
		return
	}
	switch o {
	case Committed:
		e.committed.Add(stage, 1)
	case Refused:
		e.rolledBack.Add(stage, 1)
	case Unknown:
		e.unknown.Add(stage, 1)
	case NotSent:
	}
}

// RetriedStates are the SQLSTATEs by which the server asks for another try:
// serialization_failure and deadlock_detected.
var RetriedStates = [...]string{"40001", "40P01"}

// Tries counts what is tried again, by the place of the SQLSTATE in RetriedStates.
type Tries [len(RetriedStates)]*metrics.Counter

// NewTries declares the counters of Retries; the tags' operation is the SQLSTATE.
func NewTries(r *metrics.Registry, t metrics.Tags) (out Tries) {
	for i, state := range RetriedStates {
		t.Operation = state
		out[i] = r.Counter(Retries, t)
	}
	return out
}

// Again says whether an error asks for another try, and counts it.
func (t *Tries) Again(stage int, err error) bool {
	state := StateOf(err)
	for i := range RetriedStates {
		if state == RetriedStates[i] {
			if t[i] != nil {
				t[i].Add(stage, 1)
			}
			return true
		}
	}
	return false
}
