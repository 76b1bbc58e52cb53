package compare

import (
	"cmp"
	"slices"
	"strings"
)

var (
	quantiles = []float64{0.5, 0.95, 0.99}
	names     = []string{"p50", "p95", "p99"}
)

// keys returns the trends that every run of both sides has, response times of
// stages first.
func keys(a, b []recording) []key {
	var out []key
	for k := range a[0] {
		both := true
		for _, r := range append(slices.Clone(a), b...) {
			both = both && r.timed(k)
		}
		if both {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, compareKeys)
	return out
}

// timed says whether a key holds times, and not a share.
func (r recording) timed(k key) bool {
	for _, s := range r[k] {
		if s.n+s.censored > 0 {
			return true
		}
	}
	return false
}

func compareKeys(x, y key) int {
	rank := func(k key) int {
		switch {
		case k.metric == responseTime && k.stage == "":
			return 0
		case k.metric == responseTime:
			return 1
		case isResponseOf(k.metric):
			return 2
		}
		return 3
	}
	return cmp.Or(cmp.Compare(rank(x), rank(y)), cmp.Compare(x.metric, y.metric), cmp.Compare(x.stage, y.stage))
}

// isResponseOf says whether a series is the response time of a scenario.
func isResponseOf(metric string) bool { return strings.HasPrefix(metric, responseTime+"{") }

// isErrorRate says whether a series is an error rate, of all or of a scenario.
func isErrorRate(metric string) bool {
	return metric == errorRate || strings.HasPrefix(metric, errorRate+"{")
}

// leastErrors is the smallest change in the share of failed arrivals that counts
// in a history.
const leastErrors = 0.001

func shares(side []recording, k key) (out []float64) {
	for _, r := range side {
		var due, lost int64
		for _, s := range r[k] {
			due, lost = due+s.due, lost+s.lost
		}
		v := 0.0
		if due > 0 {
			v = float64(lost) / float64(due)
		}
		out = append(out, v)
	}
	return out
}
