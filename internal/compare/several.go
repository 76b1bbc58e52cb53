package compare

import (
	"math"
	"slices"

	"golang.org/x/perf/benchmath"

	"github.com/perfctl/perfctl/internal/stats"
)

// fewestRuns is from how many runs a side the runs themselves are compared: with
// 4, Mann-Whitney's test can reach a significance of 0.029, with fewer not even
// 0.05.
const fewestRuns = 4

// several compares runs: one value of each, so that what differs from run to run
// is in the comparison.
func several(a, b []recording, effect float64) []Figure {
	var out []Figure
	var p []float64
	add := func(f Figure, x, y []float64) {
		base, next := stats.Median(x), stats.Median(y)
		f.Base, f.New = &base, &next
		th := benchmath.DefaultThresholds
		c := benchmath.AssumeNothing.Compare(benchmath.NewSample(x, &th), benchmath.NewSample(y, &th))
		out, p = append(out, f), append(p, c.P)
	}
	for _, k := range keys(a, b) {
		for i, name := range names {
			x, ok1 := values(a, k, i)
			y, ok2 := values(b, k, i)
			if !ok1 || !ok2 {
				continue
			}
			f := Figure{Metric: k.metric, Stage: k.stage, Stat: name}
			ratio, low, high := stats.RatioInterval(x, y, 1-alpha)
			f.Ratio, f.Low, f.High = &ratio, &low, &high
			add(f, x, y)
		}
	}
	timed := len(out)
	for _, k := range errorKeys(a, b) {
		x, y := shares(a, k), shares(b, k)
		diff := stats.Median(y) - stats.Median(x)
		add(Figure{Metric: errorRate, Stage: k.stage, Stat: "rate", Ratio: &diff}, x, y)
	}
	for i, significant := range stats.FalseDiscovery(p, alpha) {
		if i < timed {
			out[i].judge(significant, effect)
			continue
		}
		out[i].Word = OK
		if significant && math.Abs(*out[i].Ratio) >= leastErrors {
			out[i].Word = Improved
			if *out[i].Ratio > 0 {
				out[i].Word = Regressed
			}
		}
	}
	return out
}

// values returns a quantile of each run; ok is false where one cannot tell it.
func values(side []recording, k key, i int) (out []float64, ok bool) {
	for _, r := range side {
		var t tally
		for _, s := range r[k] {
			t.add(s)
		}
		out = append(out, t.quantiles(quantiles)[i])
	}
	return out, !slices.Contains(out, 0)
}

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
