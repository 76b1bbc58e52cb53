package figure

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
)

// Share prints a part of 1: 12.3%.
func Share(v float64) string { return Value(v, metrics.UnitRatio) }

// Rough is Value with two digits, for what is not known any better: how much runs differ.
func Rough(v float64, unit metrics.Unit) string { return format(v, unit, 2) }

// Points prints a difference of two shares in percentage points, with two digits: 0.25 pp.
func Points(v float64) string { return digits(v*100, 2) + " pp" }

// SignedPoints prints how a share changed, in hundredths of a percentage point: +0.25 pp.
func SignedPoints(v float64) string { return fmt.Sprintf("%+.2f pp", v*100) }

// SignedShare prints how a figure changed, as a part of what it was, in tenths of a
// percent: +12.3%.
func SignedShare(v float64) string { return fmt.Sprintf("%+.1f%%", v*100) }

// Whole prints the nearest whole number, with its thousands apart: 12,345.
func Whole(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "–"
	}
	return apart(strconv.FormatFloat(v, 'f', 0, 64))
}

// Times prints a factor: 1.5 times, 12 times.
func Times(v float64) string {
	if v >= 10 {
		return Whole(v) + " times"
	}
	return fmt.Sprintf("%.1f times", v)
}

// Moment prints a moment of a run, which is given in seconds since its begin: 75 s.
func Moment(s float64) string { return fmt.Sprintf("%.0f s", s) }

// MomentTenths is Moment in tenths of a second: 75.2 s.
func MomentTenths(s float64) string { return fmt.Sprintf("%.1f s", s) }

// WholeMillis prints a time that is given in milliseconds and was measured no better
// than that: 120 ms.
func WholeMillis(ms float64) string { return fmt.Sprintf("%.0f ms", ms) }

// Length prints a length of time, given in seconds, within a sentence: 12 s,
// 3 min 20 s, 3 h 10 min, 12 days.
func Length(s float64) string {
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
		return tenths(s) + " s"
	case whole < 60:
		return fmt.Sprintf("%d s", whole)
	case whole < 3600:
		return part(whole/60, "min", whole%60, "s")
	case whole < 48*3600:
		return part(whole/3600, "h", whole%3600/60, "min")
	}
	return fmt.Sprintf("%d days", whole/86400)
}

// Seconds prints a length of time, given in seconds, in a table: 10s, 15m30s, 2h.
func Seconds(s float64) string {
	d := time.Duration(s * 1e9)
	if d < time.Minute {
		return tenths(s) + "s"
	}
	return Duration(d.Round(time.Second))
}

func tenths(s float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(s, 'f', 1, 64), ".0")
}
