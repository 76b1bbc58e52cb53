package stats

import (
	"math"
	"math/rand/v2"
)

// gaussians draws standard normal values with the correlation that the figures
// of some runs have among each other, drawn in towards independence.
type gaussians struct {
	// runs holds each run's residuals, scaled such that a figure's squares sum up
	// to 1.
	runs   [][]float64
	shrunk float64
	weight []float64
	varies []bool
	// root is the lower triangle whose square is the correlation, for few figures;
	// nil where it takes less to add up the runs.
	root [][]float64
}

// newGaussians takes the correlation of the chosen pairs, about the mean of each
// side.
func newGaussians(pairs []Pair, chosen []int) *gaussians {
	g := &gaussians{varies: make([]bool, len(chosen))}
	if len(chosen) == 0 {
		return g
	}
	n := len(pairs[chosen[0]].X) + len(pairs[chosen[0]].Y)
	g.weight = make([]float64, n)
	for range n {
		g.runs = append(g.runs, make([]float64, len(chosen)))
	}
	for l, j := range chosen {
		p := pairs[j]
		mx, _ := meanVariance(p.X)
		my, _ := meanVariance(p.Y)
		sum := 0.0
		for i := range n {
			var v float64
			if i < len(p.X) {
				v = p.X[i] - mx
			} else {
				v = p.Y[i-len(p.X)] - my
			}
			g.runs[i][l], sum = v, sum+v*v
		}
		if g.varies[l] = sum > 0; g.varies[l] {
			for i := range n {
				g.runs[i][l] /= math.Sqrt(sum)
			}
		}
	}
	g.shrunk = g.shrinkage()
	if len(chosen) <= n {
		g.root = cholesky(g.correlation())
	}
	return g
}

// correlation is that of the figures, drawn in.
func (g *gaussians) correlation() [][]float64 {
	out := make([][]float64, len(g.varies))
	for a := range out {
		out[a] = make([]float64, len(out))
		for b := range a {
			for _, r := range g.runs {
				out[a][b] += (1 - g.shrunk) * r[a] * r[b]
			}
		}
		out[a][a] = 1
	}
	return out
}

// cholesky returns the lower triangle whose square is a symmetric matrix, of which
// the lower half is read; nil where it is not positive definite.
func cholesky(m [][]float64) [][]float64 {
	for a := range m {
		for b := 0; b <= a; b++ {
			for c := range b {
				m[a][b] -= m[a][c] * m[b][c]
			}
			switch {
			case a != b:
				m[a][b] /= m[b][b]
			case m[a][a] <= 1e-9:
				return nil
			default:
				m[a][a] = math.Sqrt(m[a][a])
			}
		}
	}
	return m
}

// shrinkage estimates how far the correlation is to be drawn in, from 0 to 1:
// Schäfer and Strimmer's estimate for the target of independence.
func (g *gaussians) shrinkage() float64 {
	n := float64(len(g.runs))
	k := len(g.varies)
	if n < 3 {
		return 1
	}
	var unsure, whole float64
	for a := range k {
		for b := range a {
			mean, squares := 0.0, 0.0
			for _, r := range g.runs {
				w := r[a] * r[b] * n
				mean += w / n
				squares += w * w / n
			}
			unsure += n * n / ((n - 1) * (n - 1) * (n - 1)) * (squares - mean*mean)
			whole += mean * mean
		}
	}
	if whole == 0 {
		return 1
	}
	return min(unsure/whole, 1)
}

// draw fills in one run.
func (g *gaussians) draw(rng *rand.Rand, to []float64) {
	if g.root != nil {
		for l := range to {
			g.weight[l] = rng.NormFloat64()
			to[l] = 0
			for i, v := range g.root[l][:l+1] {
				to[l] += v * g.weight[i]
			}
		}
		return
	}
	own, common := math.Sqrt(g.shrunk), math.Sqrt(1-g.shrunk)
	for i := range g.weight {
		g.weight[i] = common * rng.NormFloat64()
	}
	for l := range to {
		if !g.varies[l] {
			to[l] = rng.NormFloat64()
			continue
		}
		to[l] = own * rng.NormFloat64()
	}
	for i, r := range g.runs {
		w := g.weight[i]
		for l, v := range r {
			to[l] += w * v
		}
	}
}
