package html

import (
	"slices"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
)

// still is a reading that was the same all along: it says as much in a word as in a
// chart.
type still struct{ Metric, Name, Value, Help string }

// fold takes out the charts that show nothing: those without a value, and those of
// readings that were the same all along, in the baseline too, and that no rule is
// about. The latter come back by group.
func (c *charts) fold() map[string][]still {
	out := map[string][]still{}
	c.Panels = slices.DeleteFunc(c.Panels, func(p panel) bool {
		switch {
		case p.ID == loadChart:
			return false
		case !p.drawn():
			return true
		case p.Group == "" || p.Group == judgedGroup || len(p.Limits) > 0:
			return false
		}
		var all []still
		for _, s := range p.Series {
			v, same := constant(s)
			if !same {
				return false
			}
			if v != nil {
				all = append(all, still{p.Title, s.Name, shown(*v, metrics.Unit(p.Unit)), p.Help})
			}
		}
		out[p.Group] = append(out[p.Group], all...)
		return true
	})
	return out
}

// drawn says whether there is anything to draw.
func (p panel) drawn() bool {
	return slices.ContainsFunc(p.Series, func(s series) bool {
		known := func(v *float64) bool { return v != nil }
		return slices.ContainsFunc(s.Values, known) || slices.ContainsFunc(s.Base, known)
	})
}

// constant returns the one value of a series, nil where it has none; same is false
// where it has several.
func constant(s series) (v *float64, same bool) {
	for _, values := range [][]*float64{s.Values, s.Base} {
		for _, x := range values {
			switch {
			case x == nil:
			case v == nil:
				v = x
			case *v != *x:
				return nil, false
			}
		}
	}
	return v, true
}

// shown prints a value of a chart, in which times are in milliseconds.
func shown(v float64, u metrics.Unit) string {
	if u == metrics.UnitTime {
		v *= 1e6
	}
	return figure.Value(v, u)
}
