package analysis

import (
	"strings"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
)

// seconds prints a length of time: 12 s, 3 min 20 s.
func seconds(s float64) string { return figure.Length(s) }

// share prints a part of 1.
func share(v float64) string { return figure.Share(v) }

// millis prints a time in milliseconds.
func millis(v float64) string { return figure.Millis(v) }

// value prints a figure with its unit; times are in milliseconds.
func value(v float64, unit string) string {
	if unit == string(metrics.UnitTime) {
		return millis(v)
	}
	return figure.Value(v, metrics.Unit(unit))
}

// times prints a factor.
func times(v float64) string { return figure.Times(v) }

// list joins words: a, b and c.
func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
