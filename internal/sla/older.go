package sla

import "strings"

// FillOlder gives a result that a version before this one recorded what it lacks: the bound
// of a single figure, which stood behind VALUE in its target, or was all of an answer's.
// Other statistics had their name there, and nobody asks for their bound.
func (r *Result) FillOlder() {
	if r.Bound == "" && r.Aggregation == OwnValue {
		r.Bound = strings.TrimPrefix(r.Target, strings.ToUpper(OwnValue)+" ")
	}
}
