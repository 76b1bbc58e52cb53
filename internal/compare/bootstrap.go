package compare

import (
	"math"
	"math/rand/v2"
)

// resamples is how often the bootstrap draws: enough for a standard error
// (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, ch. 6).
const resamples = 200

// fewestSeconds is how many seconds of a run are needed to tell from it how much
// its figures vary.
const fewestSeconds = 5

// block is how many seconds the bootstrap keeps together, because neighbours are
// alike: a tenth of them, at least their cube root and at most 10 (Künsch 1989;
// Hall, Horowitz and Jing 1995 for the rate).
func block(n int) int {
	return max(min(n/10, 10), int(math.Round(math.Cbrt(float64(n)))), 1)
}

// draw calls f with so many seconds, drawn in blocks.
func draw(rng *rand.Rand, seconds []*second, f func(*second)) {
	n := len(seconds)
	size := block(n)
	for taken := 0; taken < n; {
		start := rng.IntN(n - size + 1)
		for i := 0; i < size && taken < n; i++ {
			f(seconds[start+i])
			taken++
		}
	}
}

// within is how much a figure varies within one run.
type within struct {
	// se is the standard error of its logarithm, NaN where the run cannot tell it.
	se float64
	// blocks is how many independent parts the run has.
	blocks int
}

// bootstrap returns how much each statistic of a key varies within a run, by the
// moving-block bootstrap over its seconds. Its random numbers are the same each
// time: so is the result.
func bootstrap(r recording, k key, qs []float64) []within {
	seconds := r.seconds(k)
	out := make([]within, len(qs))
	if len(seconds) == 0 {
		for i := range out {
			out[i].se = math.NaN()
		}
		return out
	}
	rng := rand.New(rand.NewPCG(1, uint64(len(seconds))))
	logs := make([][]float64, len(qs))
	var t tally
	for range resamples {
		t.reset()
		draw(rng, seconds, t.add)
		for i, v := range t.quantiles(qs) {
			if v > 0 {
				logs[i] = append(logs[i], math.Log(v))
			}
		}
	}
	for i, l := range logs {
		out[i] = within{se: math.NaN(), blocks: len(seconds) / block(len(seconds))}
		if len(l) >= resamples/2 {
			out[i].se = deviation(l)
		}
	}
	return out
}

func deviation(x []float64) float64 {
	var mean, sum float64
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		sum += (v - mean) * (v - mean)
	}
	return math.Sqrt(sum / float64(len(x)-1))
}
