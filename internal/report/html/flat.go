package html

import (
	"slices"
	"strings"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
)

// still is a reading that was the same all along, or nearly: it says as much in a word
// as in a chart.
type still struct{ Metric, Name, Value, Help string }

// fold takes out what shows nothing: charts without a value, lines without one beside
// others that have some, and charts of readings that hardly changed, in the baseline too,
// and that no rule is about. The latter come back by group.
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
			low, high, same := hardlyChanged(s, metrics.Unit(p.Unit))
			if !same {
				return false
			}
			if low != nil {
				all = append(all, still{p.Title, s.Name, span(*low, *high, metrics.Unit(p.Unit)), p.Help})
			}
		}
		out[p.Group] = append(out[p.Group], all...)
		return true
	})
	for i := range c.Panels {
		c.Panels[i].untold()
	}
	return out
}

// untold takes the percentiles out of a chart that have too few values to be told in any
// of its points, and says so.
func (p *panel) untold() {
	if !p.Log || !p.drawn() {
		return
	}
	var names []string
	p.Series = slices.DeleteFunc(p.Series, func(s series) bool {
		if s.drawn() {
			return false
		}
		names = append(names, s.Name)
		return true
	})
	if len(names) > 0 {
		p.Untold = strings.Join(names, ", ") + ": too few values a point to tell"
	}
}

// drawn says whether there is anything to draw.
func (p panel) drawn() bool { return slices.ContainsFunc(p.Series, series.drawn) }

func (s series) drawn() bool {
	known := func(v *float64) bool { return v != nil }
	return slices.ContainsFunc(s.Values, known) || slices.ContainsFunc(s.Base, known)
}

// hardly is by what share of its highest value a reading may change and still say
// nothing. A share itself may not: 99.5 % is not 100 %.
const hardly = 0.01

// hardlyChanged returns the lowest and the highest value of a series, nil where it has
// none; same is false where they are further apart than hardly.
func hardlyChanged(s series, u metrics.Unit) (low, high *float64, same bool) {
	for _, values := range [][]*float64{s.Values, s.Base} {
		for _, x := range values {
			if x == nil {
				continue
			}
			if low == nil || *x < *low {
				low = x
			}
			if high == nil || *x > *high {
				high = x
			}
		}
	}
	if low == nil || *low == *high {
		return low, high, true
	}
	return low, high, u != metrics.UnitRatio && *low > 0 && *high-*low <= hardly**high
}

// span prints the values of a reading.
func span(low, high float64, u metrics.Unit) string {
	a, b := shown(low, u), shown(high, u)
	if a == b {
		return a
	}
	return a + " to " + b
}

// shown prints a value of a chart, in which times are in milliseconds.
func shown(v float64, u metrics.Unit) string {
	if u == metrics.UnitTime {
		v *= 1e6
	}
	return figure.Value(v, u)
}
