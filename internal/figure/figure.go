// Package figure holds how figures are read and shown: the units that people
// write, and numbers, times, sizes and shares as text; text that is wrapped, and
// text from outside that is cleaned. It holds no judgement and no layout of a view.
package figure

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
)

// usual is how many significant digits people are shown.
const usual = 3

// Value prints a figure with its unit and the digits that mean
// something: times are given in nanoseconds.
func Value(v float64, unit metrics.Unit) string { return format(v, unit, usual) }

// Millis prints a time that is given in milliseconds.
func Millis(ms float64) string { return Value(ms*1e6, metrics.UnitTime) }

// Number prints a number without a unit, and no more decimals than it has.
func Number(v float64) string {
	return trimmed(Value(v, metrics.UnitCount))
}

// trimmed takes off the zeros behind a point.
func trimmed(text string) string {
	if strings.Contains(text, ".") && !strings.Contains(text, "e") {
		text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	}
	return text
}

// Beside is Value for a figure that stands beside its target: with as
// many digits as it takes to tell the two apart.
func Beside(v, target float64, unit metrics.Unit) string {
	text := Value(v, unit)
	if v == target {
		return text
	}
	beside := Value(target, unit)
	for n := usual + 1; n <= 9 && sameFigure(text, beside); n++ {
		text = format(v, unit, n)
	}
	return text
}

// sameFigure says whether two texts mean the same, as 100% and 100.0% do.
func sameFigure(a, b string) bool {
	cut := func(s string) (float64, string) {
		unit := strings.TrimLeft(s, "+-.,e0123456789")
		n, _ := strconv.ParseFloat(strings.ReplaceAll(strings.TrimSuffix(s, unit), ",", ""), 64)
		return n, unit
	}
	na, ua := cut(a)
	nb, ub := cut(b)
	return na == nb && ua == ub
}

// format prints a figure with at least n significant digits where it has them.
func format(v float64, unit metrics.Unit, n int) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "–"
	}
	switch unit {
	case metrics.UnitTime:
		return formatTime(v, n)
	case metrics.UnitSeconds:
		return formatTime(v*1e9, n)
	case metrics.UnitBytes:
		return formatBytes(v, n)
	case metrics.UnitRatio:
		return digits(v*100, n) + "%"
	case metrics.UnitPercent:
		return digits(v, n) + "%"
	case metrics.UnitPerSec:
		return trimmed(apart(digits(v, n))) + "/s"
	}
	return apart(digits(v, n))
}

func formatTime(ns float64, n int) string {
	a := math.Abs(ns)
	switch {
	case a == 0:
		return "0s"
	case a < 1e3:
		return fmt.Sprintf("%.0fns", ns)
	case a < 1e6:
		return digits(ns/1e3, n) + "µs"
	case a < 1e9:
		return digits(ns/1e6, n) + "ms"
	case a < 60e9:
		return fmt.Sprintf("%.*fs", n-1, ns/1e9)
	case n > usual:
		return time.Duration(ns).Round(time.Microsecond).String()
	}
	return time.Duration(ns).Round(time.Second).String()
}

func formatBytes(v float64, n int) string {
	for _, u := range []struct {
		name string
		size float64
	}{{"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}} {
		if math.Abs(v) >= u.size {
			return digits(v/u.size, n) + " " + u.name
		}
	}
	return digits(v, n) + " B"
}

// digits prints n significant digits, and never fewer than the whole part has.
func digits(v float64, n int) string {
	a := math.Abs(v)
	if a < 1 && a > 0 {
		return strconv.FormatFloat(v, 'g', n, 64)
	}
	decimals := n - 1
	for ; a >= 10 && decimals > 0; a /= 10 {
		decimals--
	}
	if r := math.Round(v); math.Abs(v-r) <= 1e-12*a { // 100·0.07 is meant to be 7
		decimals = 0
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}
