package stats

import "math"

// Stratum counts in how many of each of two groups something was found.
type Stratum struct {
	// Found of Of is the group that is looked at, BaseFound of BaseOf the one that it is
	// compared with.
	Found, Of, BaseFound, BaseOf int64
}

// MoreOften returns how likely it is to find something as often as that in the group
// looked at, or more often, where it is no more frequent there than in the other one:
// the exact conditional test of several fourfold tables, whose margins are fixed. In
// each table the count is hypergeometric, and their sum is what is tested (Birch, "The
// detection of partial association", 1964; Fisher's exact test is that of one table).
func MoreOften(strata []Stratum) float64 {
	dist := []float64{1}
	found, least := int64(0), int64(0)
	for _, s := range strata {
		if s.Of <= 0 || s.BaseOf <= 0 || s.Found+s.BaseFound <= 0 {
			continue // it says nothing
		}
		low, p := hypergeometric(s)
		dist = convolve(dist, p)
		found, least = found+s.Found, least+low
	}
	sum := 0.0
	for i := max(found-least, 0); i < int64(len(dist)); i++ {
		sum += dist[i]
	}
	return min(sum, 1)
}

// hypergeometric returns the probabilities of each count that a table's margins allow,
// the least of which is low.
func hypergeometric(s Stratum) (low int64, p []float64) {
	all, marked := s.Of+s.BaseOf, s.Found+s.BaseFound
	low = max(0, marked-s.BaseOf)
	high := min(marked, s.Of)
	total := logChoose(all, s.Of)
	for k := low; k <= high; k++ {
		p = append(p, math.Exp(logChoose(marked, k)+logChoose(all-marked, s.Of-k)-total))
	}
	return low, p
}

func convolve(a, b []float64) []float64 {
	out := make([]float64, len(a)+len(b)-1)
	for i, x := range a {
		if x == 0 {
			continue
		}
		for j, y := range b {
			out[i+j] += x * y
		}
	}
	return out
}
