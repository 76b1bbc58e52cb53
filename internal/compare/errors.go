package compare

import (
	"math"

	"github.com/perfctl/perfctl/internal/stats"
)

// counted is a share of one side.
type counted struct {
	hits, n float64
	// crowd is by how much the hits vary more than independent ones would: they
	// come in crowds. freedom is how well that is known; infinite for 1.
	crowd, freedom float64
	perRun         float64
}

func (c *counted) share() float64 { return c.hits / c.n }

// count counts a share: over the runs of a side, and how unevenly it is spread
// over their blocks of seconds and over themselves, by Pearson's chi-squared.
func count(side []recording, k key) (counted, bool) {
	var c counted
	var runs, blocks [][2]float64
	for _, r := range side {
		var run [2]float64
		seconds := r.seconds(k)
		size := block(len(seconds))
		for i := 0; i < len(seconds); i += size {
			var b [2]float64
			for _, s := range seconds[i:min(i+size, len(seconds))] {
				b[0], b[1] = b[0]+float64(s.lost), b[1]+float64(s.due)
			}
			run[0], run[1] = run[0]+b[0], run[1]+b[1]
			blocks = append(blocks, b)
		}
		runs = append(runs, run)
		c.hits, c.n = c.hits+run[0], c.n+run[1]
	}
	if c.n == 0 {
		return c, false
	}
	c.hits = min(c.hits, c.n) // an arrival may be due in one second and lost in another
	c.perRun = c.n / float64(len(side))
	c.crowd, c.freedom = 1, math.Inf(1)
	p := c.share()
	for _, parts := range [][][2]float64{blocks, runs} {
		freedom := float64(len(parts) - 1)
		if f := crowding(parts, p); f > c.crowd && f*freedom > chiSquaredLimit(freedom) {
			c.crowd, c.freedom = f, freedom
		}
	}
	return c, true
}

// chiSquaredLimit is what chi-squared exceeds by chance in one case of ten:
// Wilson and Hilferty's approximation (1931).
func chiSquaredLimit(freedom float64) float64 {
	v := 2 / (9 * freedom)
	return freedom * math.Pow(1-v+1.2816*math.Sqrt(v), 3)
}

func crowding(parts [][2]float64, p float64) float64 {
	if len(parts) < 2 || p <= 0 || p >= 1 {
		return 1
	}
	sum := 0.0
	for _, b := range parts {
		if b[1] > 0 {
			sum += (b[0] - p*b[1]) * (b[0] - p*b[1]) / (p * (1 - p) * b[1])
		}
	}
	return sum / float64(len(parts)-1)
}

// between returns the difference of two shares and its limits for a critical
// value on the scale of the normal distribution.
func between(x, y *counted, z float64) (diff, low, high float64) {
	xl, xh := x.limits(z)
	yl, yh := y.limits(z)
	low, high = stats.ShareDifference(x.share(), xl, xh, y.share(), yl, yh)
	return y.share() - x.share(), low, high
}

// limits are those of the share for as many independent trials as its crowding
// leaves.
func (c *counted) limits(z float64) (low, high float64) {
	miss := math.Erfc(stats.StudentScore(z, c.freedom)/math.Sqrt2) / 2
	n := max(c.n/c.crowd, 1)
	return stats.ShareInterval(c.share()*n, n, max(miss, 1e-12))
}
