package compare

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/states"
	"github.com/perfctl/perfctl/internal/stats"
)

// ErrInvalid is the error of a comparison with a run whose generator was the
// bottleneck.
var ErrInvalid = errors.New("an INVALID run cannot be compared")

// usable says why a run cannot be compared whatever it is compared with.
func usable(r *rundir.Run) error {
	if r.Outcome == nil || r.Outcome.Generator != states.GeneratorInvalid {
		return nil
	}
	var s struct {
		Generator struct {
			Reasons []string `json:"reasons"`
		} `json:"generator"`
	}
	_ = json.Unmarshal(r.Outcome.Text, &s) // without reasons the error is as true
	return fmt.Errorf("%s: %w: %s\n  next: measure it again", r.Dir, ErrInvalid, strings.Join(s.Generator.Reasons, "; "))
}

// cautions say why a difference of the figures may not be one of the systems.
func cautions(base, next []*rundir.Run) []string {
	out := []string{}
	if a, b := machines(base), machines(next); !slices.Equal(a, b) {
		out = append(out, fmt.Sprintf("measured on other machines: %s and %s", list(a), list(b)))
	}
	for i, side := range [][]*rundir.Run{base, next} {
		name := []string{"base", "new"}[i]
		var suspect, torn []string
		for _, r := range side {
			switch {
			case r.Outcome != nil && r.Outcome.Generator == states.GeneratorSuspect:
				suspect = append(suspect, r.Dir)
			case r.Incomplete, r.Outcome != nil && (r.Outcome.Verdict == states.Interrupted || r.Outcome.Verdict == states.Incomplete):
				torn = append(torn, r.Dir)
			}
		}
		if len(suspect) > 0 {
			out = append(out, fmt.Sprintf("the generator was SUSPECT in %d of %d %s: %s", len(suspect), len(side), runsOf(name, len(side)), some(suspect)))
		}
		if len(torn) > 0 {
			out = append(out, fmt.Sprintf("%d of %d %s not complete: %s", len(torn), len(side), runsOf(name, len(side)), some(torn)))
		}
	}
	return out
}

func runsOf(side string, n int) string {
	if n == 1 {
		return side + " run"
	}
	return side + " runs"
}

// some lists the first few.
func some(all []string) string {
	if len(all) > 3 {
		return strings.Join(all[:3], ", ") + " …"
	}
	return strings.Join(all, ", ")
}

func machines(runs []*rundir.Run) (out []string) {
	for _, r := range runs {
		m := &r.Info.Machine
		text := fmt.Sprintf("%d CPUs (GOMAXPROCS %d), %s/%s, kernel %s, %s", m.CPUs, m.GOMAXPROCS, m.OS, m.Arch, orDash(m.Kernel), figure.Value(float64(m.Memory), metrics.UnitBytes))
		if !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return slices.Sorted(slices.Values(out))
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// standsOut is how many times its side's usual distance from the median a run
// must lie off, and leastOff how far at least, to be named.
const (
	standsOut = 6
	leastOff  = 0.1
)

// standingOut names runs whose median response time lies far from those of their
// side: what they tell is not in doubt, but they widen the intervals.
func standingOut(runs []*rundir.Run, side []recording) []string {
	out := []string{}
	if len(side) < 4 {
		return out
	}
	x := logs(side, &spec{key: key{responseTime, ""}, stat: usual[0]})
	if !known(x) {
		return out
	}
	middle := stats.Median(x)
	off := make([]float64, len(x))
	for i, v := range x {
		off[i] = math.Abs(v - middle)
	}
	least := max(standsOut*stats.Median(off), leastOff)
	for i, v := range x {
		if off[i] > least {
			f := Figure{}
			a, b := math.Exp(v), math.Exp(middle)
			out = append(out, fmt.Sprintf("%s stands out: response_time p50 %s, %s of its side; see what was different in it, or measure it again", runs[i].Dir, f.show(&a), f.show(&b)))
		}
	}
	return out
}
