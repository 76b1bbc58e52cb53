package stats

import (
	"math"

	"github.com/aclements/go-moremath/stats"
)

// NormalQuantile returns the quantile p, between 0 and 1, of the standard normal
// distribution.
func NormalQuantile(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }

// StudentQuantile returns the quantile p of Student's distribution with so many
// degrees of freedom; infinite for fewer than 1.
func StudentQuantile(p, freedom float64) float64 {
	if freedom < 1 {
		return math.Inf(1)
	}
	return stats.InvCDF(stats.TDist{V: freedom})(p)
}
