package analysis

import (
	"fmt"
	"math"
	"strings"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
)

// seconds prints a length of time as people say it: 12 s, 3 min 20 s, 3 h 10 min,
// 12 days.
func seconds(s float64) string {
	if math.IsNaN(s) || math.IsInf(s, 0) {
		return "an unknown time"
	}
	whole := int64(math.Round(s))
	part := func(n int64, unit string, rest int64, small string) string {
		if rest == 0 {
			return fmt.Sprintf("%d %s", n, unit)
		}
		return fmt.Sprintf("%d %s %d %s", n, unit, rest, small)
	}
	switch {
	case s < 10:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", s), ".0") + " s"
	case whole < 60:
		return fmt.Sprintf("%d s", whole)
	case whole < 3600:
		return part(whole/60, "min", whole%60, "s")
	case whole < 48*3600:
		return part(whole/3600, "h", whole%3600/60, "min")
	}
	return fmt.Sprintf("%d days", whole/86400)
}

// share prints a part of 1.
func share(v float64) string { return figure.Value(v, metrics.UnitRatio) }

// millis prints a time in milliseconds.
func millis(v float64) string { return figure.Value(v*1e6, metrics.UnitTime) }

// value prints a figure with its unit; times are in milliseconds.
func value(v float64, unit string) string {
	if unit == string(metrics.UnitTime) {
		return millis(v)
	}
	return figure.Value(v, metrics.Unit(unit))
}

// times prints a factor.
func times(v float64) string {
	if v >= 10 {
		return fmt.Sprintf("%.0f times", v)
	}
	return fmt.Sprintf("%.1f times", v)
}

// list joins words: a, b and c.
func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
