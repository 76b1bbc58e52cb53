package compare

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/perfctl/perfctl/internal/stats"
)

var (
	quantiles = []float64{0.5, 0.95, 0.99}
	names     = []string{"p50", "p95", "p99"}
)

// resamples is how often the bootstrap draws: enough for a standard error
// (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, ch. 6: 200
// suffice).
const resamples = 300

// keys returns what both sides have, response times of stages first.
func keys(a, b []recording) []key {
	var out []key
	for k := range a[0] {
		if k.metric == errorRate {
			continue
		}
		both := true
		for _, r := range append(slices.Clone(a), b...) {
			both = both && len(r[k]) > 0
		}
		if both {
			out = append(out, k)
		}
	}
	rank := func(k key) int {
		switch {
		case k.metric == responseTime && k.stage == "":
			return 0
		case k.metric == responseTime:
			return 1
		}
		return 2
	}
	slices.SortFunc(out, func(x, y key) int {
		if d := rank(x) - rank(y); d != 0 {
			return d
		}
		if x.metric != y.metric {
			return compareText(x.metric, y.metric)
		}
		return compareText(x.stage, y.stage)
	})
	return out
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// draws is what the bootstrap found of one key on one side.
type draws struct {
	value []float64 // the figures themselves
	se    []float64 // standard errors of their logarithms
	// seconds are how many were recorded, and blocks how many independent parts
	// they make.
	seconds, blocks int
}

// fewestSeconds is how many seconds of a figure are needed to tell how much it
// varies.
const fewestSeconds = 20

// single compares one run with another, or two or three: their seconds are put
// together.
func single(a, b []recording, effect float64) []Figure {
	all := keys(a, b)
	figures := len(all)*len(quantiles) + len(errorKeys(a, b))
	level := 1 - alpha/2/float64(max(figures, 1))
	var out []Figure
	for _, k := range all {
		x, y := bootstrap(a, k), bootstrap(b, k)
		for i, name := range names {
			f := Figure{Metric: k.metric, Stage: k.stage, Stat: name}
			if x.value[i] > 0 && y.value[i] > 0 && min(x.seconds, y.seconds) >= fewestSeconds {
				ratio := y.value[i] / x.value[i]
				half := stats.StudentQuantile(level, float64(min(x.blocks, y.blocks)-1)) * math.Hypot(x.se[i], y.se[i])
				low, high := ratio*math.Exp(-half), ratio*math.Exp(half)
				f.Base, f.New, f.Ratio, f.Low, f.High = &x.value[i], &y.value[i], &ratio, &low, &high
				f.judge(low > 1 || high < 1, effect)
			} else {
				f.judge(false, effect)
			}
			out = append(out, f)
		}
	}
	for _, k := range errorKeys(a, b) {
		out = append(out, errorFigure(a, b, k, level))
	}
	return out
}

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

// bootstrap returns a key's quantiles and their standard errors. Its random
// numbers are the same each time: so is the result.
func bootstrap(side []recording, k key) draws {
	var seconds []*second
	for _, r := range side {
		seconds = append(seconds, r.seconds(k)...)
	}
	var t tally
	for _, s := range seconds {
		t.add(s)
	}
	out := draws{value: t.quantiles(quantiles), se: make([]float64, len(quantiles)), seconds: len(seconds), blocks: len(seconds) / block(len(seconds))}
	rng := rand.New(rand.NewPCG(1, uint64(len(seconds))))
	logs := make([][]float64, len(quantiles))
	for range resamples {
		t.reset()
		draw(rng, seconds, t.add)
		for i, v := range t.quantiles(quantiles) {
			if v > 0 {
				logs[i] = append(logs[i], math.Log(v))
			}
		}
	}
	for i, l := range logs {
		if len(l) < resamples/2 {
			out.value[i] = 0 // too few values to tell
			continue
		}
		// No interval is narrower than the histogram's buckets.
		out.se[i] = max(deviation(l), 0.0005)
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

func errorKeys(a, b []recording) []key {
	var out []key
	for k := range a[0] {
		if k.metric == errorRate && len(b[0][k]) > 0 {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, func(x, y key) int { return compareText(x.stage, y.stage) })
	return out
}

// leastErrors is the smallest difference in the share of failed arrivals that
// counts.
const leastErrors = 0.001

// errorFigure compares the shares of arrivals that failed, were dropped or did
// not finish: by their difference, for the base's may be 0.
func errorFigure(a, b []recording, k key, level float64) Figure {
	x, xse, blocks := share(a, k)
	y, yse, more := share(b, k)
	diff, half := y-x, stats.StudentQuantile(level, float64(min(blocks, more)-1))*math.Hypot(xse, yse)
	if xse == 0 && yse == 0 {
		half = 0 // no second of either differed from the others
	}
	low, high := diff-half, diff+half
	f := Figure{Metric: errorRate, Stage: k.stage, Stat: "rate", Base: &x, New: &y, Ratio: &diff, Word: OK}
	if math.IsInf(half, 0) || math.IsNaN(half) {
		f.Word = Inconclusive
		return f
	}
	f.Low, f.High = &low, &high
	switch {
	case low > 0 && diff >= leastErrors:
		f.Word = Regressed
	case high < 0 && -diff >= leastErrors:
		f.Word = Improved
	}
	return f
}

func share(side []recording, k key) (value, se float64, blocks int) {
	var seconds []*second
	for _, r := range side {
		seconds = append(seconds, r.seconds(k)...)
	}
	of := func(each func(func(*second))) float64 {
		var due, lost int64
		each(func(s *second) { due, lost = due+s.due, lost+s.lost })
		if due == 0 {
			return 0
		}
		return float64(lost) / float64(due)
	}
	value = of(func(f func(*second)) {
		for _, s := range seconds {
			f(s)
		}
	})
	rng := rand.New(rand.NewPCG(2, uint64(len(seconds))))
	all := make([]float64, resamples)
	for i := range all {
		all[i] = of(func(f func(*second)) { draw(rng, seconds, f) })
	}
	return value, deviation(all), len(seconds) / block(len(seconds))
}
