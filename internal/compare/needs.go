package compare

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/stats"
)

// Need is what a gate needs of runs, told from past ones.
type Need struct {
	Profile string   `json:"profile"`
	Runs    []string `json:"runs"`
	// Least is the smallest difference that the gate is to tell from none.
	Least Least `json:"least_effect"`
	// Length is how long the judged stages of a run are, in seconds.
	Length  float64      `json:"run_s"`
	Figures []NeedFigure `json:"figures"`
	// RunsASide is how many runs a side all figures need, 0 for more than 50.
	RunsASide int `json:"runs_a_side"`
	// Hours is how long the runs of both sides take, without their set-up.
	Seconds float64 `json:"all_s"`
}

// NeedFigure is one figure of the gate.
type NeedFigure struct {
	Metric string `json:"metric"`
	Stage  string `json:"stage"`
	Stat   string `json:"stat"`
	// Spread is the standard deviation of a run, as a part of the figure.
	Spread float64 `json:"spread"`
	// Runs is how many runs a side it needs, 0 for more than 50; With is how many
	// it would need if a run lasted four times as long and its part of the spread
	// that is within a run fell by half; 0 where that is not known.
	Runs int `json:"runs_a_side"`
	With int `json:"runs_a_side_if_four_times_as_long"`
}

// found is how often the gate is to find what it is for.
const found = 0.95

// Needs tells from past runs of one load how many runs a side a gate needs that
// calls equal systems OK, and finds twice the least effect, in 95 of 100
// comparisons.
func Needs(runs []*rundir.Run, o Options) (*Need, error) {
	if len(runs) < 3 {
		return nil, fmt.Errorf("how much runs differ takes 3 past runs at least, got %d\n  next: perfctl run PROFILE --repeat 5", len(runs))
	}
	o = o.defaults()
	gates, err := parseGates(o.Gate)
	if err != nil {
		return nil, err
	}
	for _, r := range runs {
		if err := errors.Join(usable(r), sameLoad(runs[0], r)); err != nil {
			return nil, err
		}
	}
	rules := ruleFigures(runs)
	side, err := gather(runs, append(slices.Clone(rules), gates...)...)
	if err != nil {
		return nil, err
	}
	n := &Need{Profile: runs[0].Info.Profile, Runs: dirs(runs), Least: o.Least.All}
	for _, s := range runs[0].Info.Stages {
		if s.Judged {
			n.Length += s.Duration
		}
	}
	n.fill(plan(runs, side, side, rules, gates), side, o.Least)
	return n, nil
}

func (n *Need) fill(specs []spec, side []recording, leasts *Leasts) {
	specs = slices.DeleteFunc(specs, func(s spec) bool { return !s.gated || s.share || !known(logs(side, &s)) })
	var pairs []stats.Pair
	for i := range specs {
		x := logs(side, &specs[i])
		pairs = append(pairs, stats.Pair{X: x, Y: x})
	}
	_, z := stats.Simultaneous(pairs, 0, confidence)
	for i := range specs {
		s := &specs[i]
		x := pairs[i].X
		sd := deviation(x)
		_, hi := leasts.of(s).margins(s, math.Exp(average(x)))
		f := NeedFigure{Metric: s.key.metric, Stage: s.key.stage, Stat: s.stat.name, Spread: sd}
		f.Runs = runsToFind(z, sd, hi)
		if in := withinAll(side, s); !math.IsNaN(in) {
			f.With = runsToFind(z, math.Sqrt(max(sd*sd-in*in, 0)+in*in/4), hi)
		}
		n.Figures = append(n.Figures, f)
	}
	for _, f := range n.Figures {
		if f.Runs == 0 {
			n.RunsASide = 0
			return
		}
		n.RunsASide = max(n.RunsASide, f.Runs)
	}
	n.Seconds = 2 * float64(n.RunsASide) * n.Length
}

// withinAll is how much a figure varies within a run, the mean over the runs; NaN
// where they do not tell.
func withinAll(side []recording, s *spec) float64 {
	sum := 0.0
	for _, r := range side {
		in := bootstrap(r, s.key, []float64{s.stat.q})[0]
		if len(r[s.key]) < fewestSeconds {
			return math.NaN()
		}
		sum += in.se * in.se / float64(len(side))
	}
	return math.Sqrt(sum)
}

// runsToFind returns how many runs a side tell in 95 of 100 comparisons a
// difference that is dist away from the least effect; 0 for more than mostRuns.
func runsToFind(z, sd, dist float64) int {
	for n := 2 + enoughFreedom/2 - 1; n <= mostRuns; n++ {
		freedom := float64(2*n - 2)
		reach := stats.StudentScore(z, freedom) + stats.StudentScore(stats.NormalQuantile((1+found)/2), freedom)
		if reach*sd*math.Sqrt(2/float64(n))+resolution <= dist {
			return n
		}
	}
	return 0
}

// Of says what the past runs are.
func (n *Need) Of() string {
	return fmt.Sprintf("%s, %s of %s", clean(n.Profile), countRuns(len(n.Runs)), length(n.Length))
}

// length shows how long runs are, from seconds.
func length(s float64) string {
	return time.Duration(s * float64(time.Second)).Round(100 * time.Millisecond).String()
}

// Sentence says how many runs it takes.
func (n *Need) Sentence() string {
	text := fmt.Sprintf("A gate with a least effect of %s calls equal systems OK, and finds twice that, in 95 of 100 comparisons with ", n.Least.text(false))
	if n.RunsASide == 0 {
		return text + fmt.Sprintf("more than %d runs a side: steady the machine, let runs last longer, or ask for less (--need 10%%)", mostRuns)
	}
	return text + fmt.Sprintf("%d runs a side of %s: %s for both", n.RunsASide, length(n.Length), length(n.Seconds))
}

// Row is a figure as texts: its metric, stage and statistic, by how much runs differ, and
// how many it takes of them and of longer ones.
func (f *NeedFigure) Row() []string {
	return []string{clean(f.Metric), stageOrAll(f.Stage), f.Stat, figure.Rough(f.Spread, metrics.UnitRatio), orMore(f.Runs), orMore(f.With)}
}

// NeedText writes for a terminal what a gate needs.
func NeedText(w io.Writer, n *Need) error {
	var b strings.Builder
	b.WriteString(n.Of() + "\n\n")
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "  figure\tstage\t\truns differ by\truns a side\tof four times the length")
	for i := range n.Figures {
		fmt.Fprintln(tw, "  "+strings.Join(n.Figures[i].Row(), "\t"))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	b.WriteString("\n" + n.Sentence() + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func orMore(n int) string {
	if n == 0 {
		return fmt.Sprintf("more than %d", mostRuns)
	}
	return fmt.Sprint(n)
}
