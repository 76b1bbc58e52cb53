package analysis

import (
	"fmt"
	"math"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/stats"
)

const (
	// stallMillis is the shortest stall that counts, and stallFactor by what
	// factor the slowest arrival of a second is above that of a usual one.
	stallMillis = 250.0
	stallFactor = 10.0
	// stallSeconds is the longest: what lasts longer is an overload.
	stallSeconds = 5
)

// stall is a time in which all scenarios stood still.
type stall struct {
	from, to int
	millis   float64
}

// stalls finds the seconds in which every scenario was slow at once, as a
// checkpoint, a collection or a flush to disk makes them, and the generator was
// not.
func (a *axis) stalls() *Finding {
	all := a.standstills()
	if len(all) == 0 {
		return nil
	}
	longest := all[0]
	var gaps []float64
	for i, s := range all {
		if s.millis > longest.millis {
			longest = s
		}
		if i > 0 {
			gaps = append(gaps, a.start[s.from]-a.start[all[i-1].from])
		}
	}
	text := fmt.Sprintf("Every scenario stood still at once for about %s at %s", millis(longest.millis), figure.Moment(a.start[longest.from]))
	if len(all) > 1 {
		text = fmt.Sprintf("%d times every scenario stood still at once, longest for about %s at %s", len(all), millis(longest.millis), figure.Moment(a.start[longest.from]))
	}
	values := map[string]float64{"stalls": float64(len(all)), "longest_ms": longest.millis}
	if period := stats.Median(gaps); len(gaps) >= 2 && even(gaps, period) {
		text += fmt.Sprintf(", every %s or so", seconds(period))
		values["period_s"] = period
	}
	return &Finding{ID: "stall", Severity: Warning, Title: "Stalls", Sentence: text + "; the generator did not.",
		Advice: "Look for what stops everything at that time: checkpoints, garbage collection, fsync, a full disk, a neighbour on the machine",
		Evidence: Evidence{From: a.start[longest.from], To: a.end(longest.to - 1), Series: metrics.ResponseTime.Name, Unit: "ms",
			Values: values}}
}

// even says whether the gaps are about equal.
func even(gaps []float64, period float64) bool {
	for _, g := range gaps {
		if math.Abs(g-period) > 0.25*period {
			return false
		}
	}
	return true
}

// standstills returns the stalls in the order of time.
func (a *axis) standstills() (out []stall) {
	slow, worst := a.slowTogether()
	lag := a.maxima(metrics.DispatchLag.Name)[""]
	for i := 0; i < a.n; i++ {
		if !slow[i] {
			continue
		}
		s := stall{from: i}
		for i < a.n && slow[i] {
			s.millis = max(s.millis, worst[i])
			i++
		}
		s.to = i
		late := 0.0
		for k := max(s.from-1, 0); lag != nil && k < min(s.to+1, a.n); k++ {
			late = max(late, lag[k])
		}
		if s.to-s.from <= stallSeconds && late < s.millis/4 {
			out = append(out, s)
		}
	}
	return out
}

// slowTogether returns in which judged seconds every scenario that did anything
// was slow, and the slowest arrival of each. A single scenario is not all.
func (a *axis) slowTogether() (slow []bool, worst []float64) {
	slow, worst = make([]bool, a.n), make([]float64, a.n)
	all := a.maxima(metrics.ResponseTime.Name)
	delete(all, "")
	if len(all) < 2 {
		return slow, worst
	}
	bound := map[string]float64{}
	for name, x := range all {
		bound[name] = max(stallMillis, stallFactor*stats.Median(read(x)))
	}
	for i := range a.n {
		if !a.judged(i) {
			continue
		}
		slow[i] = true
		for name, x := range all {
			// What stood still is done in this second or in the one after or before.
			high := math.NaN()
			for k := max(i-1, 0); k <= min(i+1, a.n-1); k++ {
				if !math.IsNaN(x[k]) && (math.IsNaN(high) || x[k] > high) {
					high = x[k]
				}
			}
			slow[i] = slow[i] && high >= bound[name]
			if !math.IsNaN(x[i]) {
				worst[i] = max(worst[i], x[i])
			}
		}
	}
	return slow, worst
}

// judged says whether a second belongs to a judged stage, the first two seconds
// of the run aside.
func (a *axis) judged(i int) bool {
	if a.start[i] < 2-grain {
		return false
	}
	name := a.run.Seconds[i].Stage
	for _, s := range a.stages {
		if s.Name == name {
			return s.Judged && a.end(i) <= a.ended()+1
		}
	}
	return false
}

// maxima returns the largest value of a trend in each second, in milliseconds,
// by scenario.
func (a *axis) maxima(name string) map[string][]float64 {
	out := map[string][]float64{}
	for _, l := range a.run.Lines {
		if l.Series.Name != name || l.Trend == nil {
			continue
		}
		x := out[l.Series.Scenario]
		if x == nil {
			x = unread(a.n)
			out[l.Series.Scenario] = x
		}
		for i, at := range l.At {
			p := &l.Trend[i]
			if v := float64(p.Max) / 1e6; p.N > 0 && (math.IsNaN(x[at]) || v > x[at]) {
				x[at] = v
			}
		}
	}
	return out
}
