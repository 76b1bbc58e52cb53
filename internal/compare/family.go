package compare

import (
	"fmt"
	"math"

	"github.com/perfctl/perfctl/internal/stats"
)

// confidence is how surely the intervals of the gate's figures hold, all of them
// together: each of the two ways to be wrong, to find equal systems slower or to
// find them faster, has one comparison in a hundred at most.
const confidence = 0.98

// family compares figures whose intervals are to hold together.
type family struct {
	a, b   []recording
	leasts *Leasts
	// many says that the runs are enough to go by their own spread.
	many bool
	// z is the critical value, on the scale of the normal distribution.
	z float64
}

func (f *family) figures(specs []spec) []Figure {
	f.many = len(f.a)+len(f.b)-2 >= enoughFreedom
	xs, ys := make([][]float64, len(specs)), make([][]float64, len(specs))
	at := make([]int, len(specs)) // of a figure's pair
	var pairs []stats.Pair
	counts := 0
	for i := range specs {
		s := &specs[i]
		if s.share {
			counts++
			continue
		}
		xs[i], ys[i] = logs(f.a, s), logs(f.b, s)
		if known(xs[i]) && known(ys[i]) {
			at[i] = len(pairs)
			pairs = append(pairs, stats.Pair{X: xs[i], Y: ys[i]})
		}
	}
	var diffs []stats.Difference
	if f.many {
		diffs, f.z = stats.Simultaneous(pairs, counts, confidence)
	} else {
		// Šidák (1967): whatever the correlation.
		each := math.Pow(confidence, 1/float64(max(len(pairs)+counts, 1)))
		f.z = stats.NormalQuantile((1 + each) / 2)
	}
	out := make([]Figure, len(specs))
	for i := range specs {
		s := &specs[i]
		out[i] = Figure{Metric: s.key.metric, Stage: s.key.stage, Stat: s.stat.name, Gated: s.gated}
		switch {
		case s.share:
			f.shares(&out[i], s)
		case !known(xs[i]) || !known(ys[i]):
			out[i].Word, out[i].Settle = Inconclusive, f.untold(s)
		case f.many:
			f.times(&out[i], s, xs[i], ys[i], diffs[at[i]], -1)
		default:
			d, w, ok := few(f.a, f.b, s, xs[i], ys[i])
			if !ok {
				out[i].set(math.Exp(average(xs[i])), math.Exp(average(ys[i])))
				out[i].Word, out[i].Settle = Inconclusive, fmt.Sprintf("runs of %d s at least, or 4 a side", fewestSeconds)
				continue
			}
			d.Critical = stats.StudentScore(f.z, d.Freedom)
			f.times(&out[i], s, xs[i], ys[i], d, w)
		}
	}
	return out
}

func (g *Figure) set(base, next float64) { g.Base, g.New = &base, &next }

// times fills in a figure that is compared by its logarithm. w is how much it
// varies within a run, below 0 where that was not asked.
func (f *family) times(g *Figure, s *spec, x, y []float64, d stats.Difference, w float64) {
	base := math.Exp(average(x))
	g.set(base, math.Exp(average(y)))
	half := d.Critical*d.SE + resolution
	ratio, low, high := math.Exp(d.Diff), math.Exp(d.Diff-half), math.Exp(d.Diff+half)
	g.Ratio, g.Low, g.High = &ratio, &low, &high
	lo, hi := f.leasts.of(s).margins(s, base)
	g.judge(d.Diff-half, d.Diff+half, lo, hi, s.lessIsWorse)
	if g.Word == Inconclusive {
		g.Settle, g.MoreRuns = f.settleTimes(s, d, lo, hi, w)
	}
}

// shares fills in a figure that is compared by its difference.
func (f *family) shares(g *Figure, s *spec) {
	x, ok1 := count(f.a, s.key)
	y, ok2 := count(f.b, s.key)
	runs := float64(len(f.a) + len(f.b) - 2)
	x.freedom, y.freedom = max(x.freedom, runs), max(y.freedom, runs)
	if !ok1 || !ok2 {
		g.Word, g.Settle = Inconclusive, "runs in which it occurs"
		return
	}
	g.set(x.share(), y.share())
	diff, low, high := between(&x, &y, f.z)
	g.Ratio, g.Low, g.High = &diff, &low, &high
	lo, hi := f.leasts.of(s).margins(s, x.share())
	g.judge(low, high, lo, hi, s.lessIsWorse)
	if g.Word == Inconclusive {
		g.Settle, g.MoreRuns = f.settleShare(&x, &y, diff, lo, hi)
	}
}

// judge gives a figure its word, the same way for all: by where its interval lies
// to what does not matter, from lo to hi. OK is an equivalence, as by two
// one-sided tests (Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics
// 15, 1987), and not a difference that was not found.
func (g *Figure) judge(low, high, lo, hi float64, lessIsWorse bool) {
	worse, better := Regressed, Improved
	if lessIsWorse {
		worse, better = better, worse
	}
	switch {
	case low > hi:
		g.Word = worse
	case high < lo:
		g.Word = better
	case low > lo && high < hi:
		g.Word = OK
	default:
		g.Word = Inconclusive
	}
}
