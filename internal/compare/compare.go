// Package compare holds how one run, or several, differ from others: by how
// much, how sure that is, and in which settings they were not the same. It reads
// run directories, drives nothing and judges no SLA.
package compare

import (
	"errors"
	"fmt"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/rundir"
)

// Word is what came of one figure, and of the whole.
type Word string

// A figure is Regressed or Improved where its whole interval lies beyond the
// least difference that matters, OK where the whole interval lies within it, and
// Inconclusive otherwise.
const (
	Regressed    Word = "REGRESSED"
	Improved     Word = "IMPROVED"
	OK           Word = "OK"
	Inconclusive Word = "INCONCLUSIVE"
)

// Options say what counts.
type Options struct {
	// MinEffect is the smallest difference that counts, as a part of the base's
	// figure; 0 stands for DefaultMinEffect. Least overrides it.
	MinEffect float64
	// Least are the smallest differences that matter; nil stands for the default.
	Least *Leasts
	// Gate names figures that can make a comparison REGRESSED besides the usual
	// ones, as in "db_query_duration{scenario:crud}: p(95)".
	Gate []string
	// FailOn is the mildest word that fails: Regressed, the default, or
	// Inconclusive.
	FailOn Word
	// Force compares runs of different profiles or scenarios, too.
	Force bool
}

// DefaultMinEffect is what runs of one build differ by anyway.
const DefaultMinEffect = 0.05

// Comparison is how the new runs differ from the base.
type Comparison struct {
	// Base and New are the run directories.
	Base []string `json:"base"`
	New  []string `json:"new"`
	// Cautions say why the figures may not be comparable: another machine, a
	// generator that was not at ease. They come first.
	Cautions []string `json:"cautions"`
	// Method says how the intervals were found.
	Method string `json:"method"`
	// Confidence is how surely the intervals of all gated figures hold together.
	Confidence float64 `json:"confidence"`
	// MinEffect is the smallest difference that counted, as a part of the base's
	// figure, where a figure has none of its own.
	MinEffect float64 `json:"min_effect"`
	// Least is that smallest difference with its absolute parts.
	Least Least `json:"least_effect"`
	// Differences are what was not the same besides the figures.
	Differences []string `json:"differences"`
	Figures     []Figure `json:"figures"`
	// Notes say what stands out among the runs.
	Notes []string `json:"notes"`
	// Word is what came of the gated figures: REGRESSED if any of them regressed,
	// else INCONCLUSIVE if any of them cannot be told, else IMPROVED if any did,
	// else OK.
	Word Word `json:"word"`
	// FailOn is the mildest word that fails, and Fails whether the comparison
	// does: exit code 112.
	FailOn Word `json:"fail_on"`
	Fails  bool `json:"fails"`
	// Settle says what would settle an inconclusive comparison.
	Settle string `json:"settle,omitempty"`
	// Says is the outcome in one sentence.
	Says string `json:"sentence"`
}

// Figure is one figure of both sides.
type Figure struct {
	// Metric is the series, without its stage; Stage is empty for all judged
	// stages together.
	Metric string `json:"metric"`
	Stage  string `json:"stage"`
	// Stat is p50, p95, p99, another percentile, avg or rate.
	Stat string `json:"stat"`
	// Gated says that the figure has a say in the word of the whole; the others
	// are notes.
	Gated bool `json:"gated"`
	// Base and New are in milliseconds, or a share of one: the geometric mean of
	// the runs' figures, or the share over all of them.
	Base *float64 `json:"base"`
	New  *float64 `json:"new"`
	// Ratio is new over base with its interval. For a share it is the difference.
	// It is nil where it cannot be told.
	Ratio *float64 `json:"ratio"`
	Low   *float64 `json:"low"`
	High  *float64 `json:"high"`
	Word  Word     `json:"word"`
	// Settle says what would settle an inconclusive figure; MoreRuns is how many
	// more runs a side that is, 0 where it is something else.
	Settle   string `json:"settle,omitempty"`
	MoreRuns int    `json:"more_runs,omitempty"`
	// Says is the figure in one sentence.
	Says string `json:"sentence"`
}

// Runs compares runs. Both sides need at least one; runs of different profiles or
// scenario mixes are an error unless forced, and so are, forced or not, runs that
// are INVALID: their figures are the generator's, not the target's.
func Runs(base, next []*rundir.Run, o Options) (*Comparison, error) {
	if len(base) == 0 || len(next) == 0 {
		return nil, errors.New("compare: both sides need a run")
	}
	o = o.defaults()
	gates, err := parseGates(o.Gate)
	if err != nil {
		return nil, err
	}
	c := &Comparison{MinEffect: o.Least.All.Relative, Least: o.Least.All, Base: dirs(base), New: dirs(next), FailOn: o.FailOn, Confidence: confidence}
	all := append(append([]*rundir.Run{}, base...), next...)
	for i, r := range all {
		if err := usable(r); err != nil {
			return nil, err
		}
		if err := sameLoad(base[0], r); i > 0 && err != nil && !o.Force {
			return nil, err
		}
	}
	c.Differences = differences(base, next)
	c.Cautions = cautions(base, next)
	rules := ruleFigures(all)
	extra := append(append([]named{}, rules...), gates...)
	a, err := gather(base, extra...)
	if err != nil {
		return nil, err
	}
	b, err := gather(next, extra...)
	if err != nil {
		return nil, err
	}
	c.compare(all, a, b, rules, gates, o.Least)
	c.Notes = append(standingOut(base, a), standingOut(next, b)...)
	c.conclude()
	return c, nil
}

// Impossible is the outcome where runs that were to be compared could not be, and why: a
// difference that nobody looked at is INCONCLUSIVE, whatever else went well.
func Impossible(base, next []*rundir.Run, o Options, why error) *Comparison {
	o = o.defaults()
	return &Comparison{
		MinEffect: o.Least.All.Relative, Least: o.Least.All, Base: dirs(base), New: dirs(next), FailOn: o.FailOn, Confidence: confidence,
		Cautions: []string{}, Differences: []string{}, Figures: []Figure{}, Notes: []string{}, Method: "not compared",
		Word: Inconclusive, Fails: o.FailOn == Inconclusive, Says: fmt.Sprintf("%s: not compared: %v", Inconclusive, why),
	}
}

// Either is Runs, or Impossible where that is an error.
func Either(base, next []*rundir.Run, o Options) *Comparison {
	c, err := Runs(base, next, o)
	if err != nil {
		return Impossible(base, next, o, err)
	}
	return c
}

func (o Options) defaults() Options {
	if o.Least == nil {
		o.Least = &Leasts{All: DefaultLeast}
		if o.MinEffect > 0 {
			o.Least.All.Relative = o.MinEffect
		}
	}
	if o.FailOn == "" {
		o.FailOn = Regressed
	}
	return o
}

// compare fills in the figures, those of the gate first.
func (c *Comparison) compare(runs []*rundir.Run, a, b []recording, rules, gates []named, leasts *Leasts) {
	var gated, notes []spec
	for _, s := range plan(runs, a, b, rules, gates) {
		if s.gated {
			gated = append(gated, s)
		} else {
			notes = append(notes, s)
		}
	}
	f := family{a: a, b: b, leasts: leasts}
	c.Figures = f.figures(gated)
	n := family{a: a, b: b, leasts: leasts}
	c.Figures = append(c.Figures, n.figures(notes)...)
	c.Method = f.method(len(gated))
}

// method says how the intervals were found.
func (f *family) method(gated int) string {
	together := fmt.Sprintf("intervals that hold together in %s of comparisons, over the %d figures of the gate", figure.Share(confidence), gated)
	switch {
	case f.many && min(len(f.a), len(f.b)) > 1:
		return fmt.Sprintf("Welch's statistic on the logarithms of the figures of %d and %d runs, %s (max-T, parametric bootstrap)", len(f.a), len(f.b), together)
	case f.many:
		return fmt.Sprintf("Student's statistic on the logarithms of the figures of %d and %d runs, %s (max-T, parametric bootstrap); the side with one run is taken to vary as the other one does", len(f.a), len(f.b), together)
	}
	return fmt.Sprintf("moving-block bootstrap over the seconds of %d and %d runs, %s (Šidák); so few runs do not show how much runs differ, which is taken to be 2%% for p50, 4%% for p95, 6%% for p99, or what they show if that is more", len(f.a), len(f.b), together)
}

func dirs(runs []*rundir.Run) (out []string) {
	for _, r := range runs {
		out = append(out, r.Dir)
	}
	return out
}

// conclude gives the whole its word and says it.
func (c *Comparison) conclude() {
	c.Word = OK
	timed := 0
	for i := range c.Figures {
		f := &c.Figures[i]
		f.Says = f.sentence()
		if f.Gated && f.Stat != "rate" {
			timed++
		}
		if f.Gated && rank(f.Word) > rank(c.Word) {
			c.Word = f.Word
		}
	}
	if f := c.telling(); f != nil && c.Word == Inconclusive {
		c.Settle = f.Settle
	}
	if timed == 0 && c.Word != Regressed {
		c.Word, c.Settle = Inconclusive, "longer runs: they hold too few arrivals to compare their response times"
	}
	c.Fails = c.Word == Regressed || c.FailOn == Inconclusive && c.Word == Inconclusive
	c.Says = c.sentence()
}

// telling returns the gated figure that says most about the word of the whole: the
// first of that word, or of those that are inconclusive the one that takes most to
// settle.
func (c *Comparison) telling() (out *Figure) {
	for i := range c.Figures {
		f := &c.Figures[i]
		if !f.Gated || f.Word != c.Word {
			continue
		}
		harder := out != nil && f.Word == Inconclusive && out.MoreRuns > 0 && (f.MoreRuns == 0 || f.MoreRuns > out.MoreRuns)
		if out == nil || harder {
			out = f
		}
	}
	return out
}

// rank orders words by how much they have to say in the whole.
func rank(w Word) int {
	switch w {
	case Regressed:
		return 3
	case Inconclusive:
		return 2
	case Improved:
		return 1
	}
	return 0
}
