// Package compare holds how one run, or several, differ from others: by how
// much, how sure that is, and in which settings they were not the same. It reads
// run directories, drives nothing and judges no SLA.
package compare

import (
	"errors"
	"fmt"

	"github.com/perfctl/perfctl/internal/rundir"
)

// Word is what came of one figure, and of the whole.
type Word string

// A figure is Regressed or Improved where the difference is significant and no
// smaller than what was asked for, OK where a difference that matters is as good
// as excluded, and Inconclusive where the data cannot tell.
const (
	Regressed    Word = "REGRESSED"
	Improved     Word = "IMPROVED"
	OK           Word = "OK"
	Inconclusive Word = "INCONCLUSIVE"
)

// Options say what counts.
type Options struct {
	// MinEffect is the smallest difference that counts, as a part of the base's
	// figure; 0 stands for DefaultMinEffect.
	MinEffect float64
	// Force compares runs of different profiles or scenarios, too.
	Force bool
}

// DefaultMinEffect is what runs of one build differ by anyway.
const DefaultMinEffect = 0.05

// tooWide is the difference that OK must exclude: an interval that reaches
// beyond it may hide a regression.
const tooWide = 0.25

// alpha is how often the comparison of two equal systems may find a difference,
// over all figures together.
const alpha = 0.05

// Comparison is how the new runs differ from the base.
type Comparison struct {
	// Base and New are the run directories.
	Base []string `json:"base"`
	New  []string `json:"new"`
	// Method says how the intervals were had.
	Method string `json:"method"`
	// MinEffect is the smallest difference that counted.
	MinEffect float64 `json:"min_effect"`
	// Differences are what was not the same besides the figures.
	Differences []string `json:"differences"`
	Figures     []Figure `json:"figures"`
	// Word is what came of it: REGRESSED if any figure regressed, INCONCLUSIVE if
	// the response times of all stages together cannot tell, otherwise OK.
	Word Word `json:"word"`
}

// Figure is one figure of both sides.
type Figure struct {
	// Metric is the series, without its stage; Stage is empty for all judged
	// stages together.
	Metric string `json:"metric"`
	Stage  string `json:"stage"`
	// Stat is p50, p95, p99, rate.
	Stat string `json:"stat"`
	// Base and New are in milliseconds, or a share of one; the median over runs
	// where there are several.
	Base *float64 `json:"base"`
	New  *float64 `json:"new"`
	// Ratio is new over base with its confidence interval, for which all figures
	// together have a confidence of 95 %. For a rate of errors it is the
	// difference. It is nil where it cannot be told.
	Ratio *float64 `json:"ratio"`
	Low   *float64 `json:"low"`
	High  *float64 `json:"high"`
	Word  Word     `json:"word"`
}

// Runs compares runs. Both sides need at least one; runs of different profiles or
// scenario mixes are an error unless forced.
func Runs(base, next []*rundir.Run, o Options) (*Comparison, error) {
	if len(base) == 0 || len(next) == 0 {
		return nil, errors.New("compare: both sides need a run")
	}
	if o.MinEffect == 0 {
		o.MinEffect = DefaultMinEffect
	}
	c := &Comparison{MinEffect: o.MinEffect, Base: dirs(base), New: dirs(next)}
	for _, r := range append(append([]*rundir.Run{}, base[1:]...), next...) {
		if err := sameLoad(base[0], r); err != nil && !o.Force {
			return nil, err
		}
	}
	c.Differences = differences(base, next)
	a, err := gather(base)
	if err != nil {
		return nil, err
	}
	b, err := gather(next)
	if err != nil {
		return nil, err
	}
	if min(len(base), len(next)) >= fewestRuns {
		c.Method = fmt.Sprintf("Mann-Whitney U on %d and %d runs, corrected for the number of figures (Benjamini-Hochberg)", len(base), len(next))
		c.Figures = several(a, b, o.MinEffect)
	} else {
		c.Method = "moving-block bootstrap over one-second histograms, corrected for the number of figures (Bonferroni); what differs from run to run is not in the intervals"
		c.Figures = single(a, b, o.MinEffect)
	}
	c.Word = c.whole()
	return c, nil
}

func dirs(runs []*rundir.Run) (out []string) {
	for _, r := range runs {
		out = append(out, r.Dir)
	}
	return out
}

// whole returns the word of all figures together.
func (c *Comparison) whole() Word {
	main, unsure := 0, 0
	for _, f := range c.Figures {
		if f.Word == Regressed {
			return Regressed
		}
		if f.Stage == "" && f.Metric == responseTime && f.Stat != "p99" {
			main++
			if f.Word == Inconclusive {
				unsure++
			}
		}
	}
	if main == 0 || unsure > 0 {
		return Inconclusive
	}
	return OK
}

// judge gives a figure its word: for a ratio where more is worse.
func (f *Figure) judge(significant bool, effect float64) {
	switch {
	case f.Ratio == nil:
		f.Word = Inconclusive
	case significant && *f.Ratio >= 1+effect:
		f.Word = Regressed
	case significant && *f.Ratio <= 1/(1+effect):
		f.Word = Improved
	case f.High != nil && *f.High > 1+tooWide && *f.Ratio > 1+effect/2:
		f.Word = Inconclusive
	case f.High != nil && *f.High > 1+2*tooWide:
		f.Word = Inconclusive
	default:
		f.Word = OK
	}
}
