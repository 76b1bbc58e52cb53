package stats

import (
	"errors"
	"fmt"
	"math"
)

// USL is the Universal Scalability Law fitted to throughput over concurrency:
//
//	X(N) = λN ÷ (1 + σ(N−1) + κN(N−1))
//
// (Gunther, "Guerrilla Capacity Planning", Springer 2007; λ as a third
// coefficient after Schwartz, "Practical Scalability Analysis with the Universal
// Scalability Law", 2015). Below a concurrency of 1 nobody waits for anybody,
// and the law is X = λN.
type USL struct {
	// Lambda is the throughput of one at a time, Sigma the share of the work
	// that is done one after the other, Kappa the cost of agreeing with each
	// other.
	Lambda, Sigma, Kappa float64
	// R2 is the share of the variance of throughput that the law explains.
	R2 float64
	// Points is how many points were fitted.
	Points int
	// Low and High bound the throughput at the peak over the fits that leave out
	// one point each: how far the peak hangs on one of them.
	Low, High float64
}

// Throughput returns X(n).
func (u USL) Throughput(n float64) float64 {
	contention, coherency := uslTerms(n)
	return u.Lambda * n / (1 + u.Sigma*contention + u.Kappa*coherency)
}

// Peak returns the concurrency at which throughput is highest, √((1−σ)÷κ), and
// that throughput. Without a cost of agreeing there is no such concurrency: n is
// then +Inf and x the bound λ÷σ, +Inf where nothing is done one after the other.
func (u USL) Peak() (n, x float64) {
	if u.Kappa <= 0 {
		if u.Sigma <= 0 {
			return math.Inf(1), math.Inf(1)
		}
		return math.Inf(1), u.Lambda / u.Sigma
	}
	n = math.Sqrt(max(1-u.Sigma, 0) / u.Kappa)
	return n, u.Throughput(max(n, 1))
}

// What a fit needs before it is told: points for three coefficients and some
// more, concurrency that varies, and a law that explains what was seen.
const (
	minUSLPoints = 6
	minUSLRange  = 3.0
	minUSLR2     = 0.7
	// maxUSLMiss is how far above every measured throughput the peak may lie where
	// the concurrency of the peak was measured.
	maxUSLMiss = 1.1
)

// FitUSL fits the law to points of concurrency (X) and throughput (Y). The
// coefficients minimise the relative error of N ÷ X, which is linear in 1÷λ, σ÷λ
// and κ÷λ, and are not negative. The error says why nothing can be told: too few
// points, concurrency in too narrow a range, or points that do not follow the
// law, as those of a hard limit, which has a corner where the law has none.
func FitUSL(points []Point) (USL, error) {
	var p []Point
	for _, q := range points {
		if finite(q.X) && finite(q.Y) && q.X > 0 && q.Y > 0 {
			p = append(p, q)
		}
	}
	if len(p) < minUSLPoints {
		return USL{}, fmt.Errorf("%d points of concurrency and throughput: %d are needed", len(p), minUSLPoints)
	}
	low, high, most := p[0].X, p[0].X, 0.0
	for _, q := range p {
		low, high, most = min(low, q.X), max(high, q.X), max(most, q.Y)
	}
	if low = max(low, 1); high < minUSLRange*low {
		return USL{}, fmt.Errorf("concurrency was %.2g at most: the law tells nothing before it is %.2g", high, minUSLRange*low)
	}
	u, ok := fitUSL(p)
	if !ok {
		return USL{}, errors.New("the points do not determine the law")
	}
	if u.R2 = u.explained(p); u.R2 < minUSLR2 {
		return USL{}, fmt.Errorf("the law explains %.0f%% of the variance of throughput: %.0f%% are needed", 100*max(u.R2, 0), 100*minUSLR2)
	}
	n, x := u.Peak()
	if n <= high && x > maxUSLMiss*most {
		return USL{}, fmt.Errorf("the law's peak of %.3g, with %.3g at a time, was not seen there: %.3g was the most", x, n, most)
	}
	u.Low, u.High = x, x
	rest := make([]Point, 0, len(p))
	for i := range p {
		rest = append(append(rest[:0], p[:i]...), p[i+1:]...)
		if v, ok := fitUSL(rest); ok {
			_, x := v.Peak()
			u.Low, u.High = min(u.Low, x), max(u.High, x)
		}
	}
	return u, nil
}

// uslTerms are what σ and κ are multiplied with.
func uslTerms(n float64) (contention, coherency float64) {
	return max(n-1, 0), max(n*(n-1), 0)
}

// fitUSL solves the least-squares problem in a = 1÷λ, b = σ÷λ and c = κ÷λ under
// b, c ≥ 0. With two bounded coefficients the solution is the best of the four
// unbounded problems in which each of them is free or zero, among those that keep
// the bounds.
func fitUSL(p []Point) (best USL, ok bool) {
	bestErr := math.Inf(1)
	for _, free := range [][]int{{0, 1, 2}, {0, 1}, {0, 2}, {0}} {
		k, solved := leastSquares(p, free)
		if !solved || k[0] <= 0 || k[1] < 0 || k[2] < 0 {
			continue
		}
		sum := 0.0
		for _, q := range p {
			r := q.Y/q.X*(k[0]+k[1]*row(q)[1]+k[2]*row(q)[2]) - 1
			sum += r * r
		}
		if sum < bestErr {
			bestErr, ok = sum, true
			best = USL{Lambda: 1 / k[0], Sigma: k[1] / k[0], Kappa: k[2] / k[0], Points: len(p)}
		}
	}
	return best, ok
}

func row(q Point) [3]float64 {
	contention, coherency := uslTerms(q.X)
	return [3]float64{1, contention, coherency}
}

// leastSquares solves the normal equations for the free coefficients; the others
// are 0. Each point is weighted so that its error is relative to N ÷ X, and each
// column scaled, since κ's is larger than λ's by the square of the concurrency.
func leastSquares(p []Point, free []int) (k [3]float64, ok bool) {
	var scale [3]float64
	for _, q := range p {
		for _, c := range free {
			v := row(q)[c] * q.Y / q.X
			scale[c] += v * v
		}
	}
	n := len(free)
	m := make([][]float64, n)
	for i := range m {
		m[i] = make([]float64, n+1)
		if scale[free[i]] == 0 {
			return k, false
		}
	}
	for _, q := range p {
		r, w := row(q), q.Y/q.X
		for i, ci := range free {
			vi := r[ci] * w / math.Sqrt(scale[ci])
			for j, cj := range free {
				m[i][j] += vi * r[cj] * w / math.Sqrt(scale[cj])
			}
			m[i][n] += vi
		}
	}
	x, ok := solve(m)
	for i, c := range free {
		if ok {
			k[c] = x[i] / math.Sqrt(scale[c])
		}
	}
	return k, ok
}

// solve is Gauss's elimination with the largest pivot; ok is false for equations
// that are as good as dependent.
func solve(m [][]float64) (x []float64, ok bool) {
	n := len(m)
	for c := range n {
		pivot := c
		for r := c + 1; r < n; r++ {
			if math.Abs(m[r][c]) > math.Abs(m[pivot][c]) {
				pivot = r
			}
		}
		m[c], m[pivot] = m[pivot], m[c]
		if math.Abs(m[c][c]) < 1e-10 {
			return nil, false
		}
		for r := range n {
			if r == c {
				continue
			}
			f := m[r][c] / m[c][c]
			for j := c; j <= n; j++ {
				m[r][j] -= f * m[c][j]
			}
		}
	}
	x = make([]float64, n)
	for i := range x {
		x[i] = m[i][n] / m[i][i]
	}
	return x, true
}

// explained is R² of throughput.
func (u USL) explained(p []Point) float64 {
	mean := 0.0
	for _, q := range p {
		mean += q.Y / float64(len(p))
	}
	var rest, all float64
	for _, q := range p {
		r := q.Y - u.Throughput(q.X)
		rest += r * r
		all += (q.Y - mean) * (q.Y - mean)
	}
	if all == 0 {
		return 0
	}
	return 1 - rest/all
}
