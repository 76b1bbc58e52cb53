package report

import (
	"math"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
)

// none is what stands for a figure that there is not.
const none = "–"

// showMillis returns a time in milliseconds as 124µs, 3.2ms, 1.5s or 2m5s.
func showMillis(ms float64) string { return figure.Millis(ms) }

// showSeconds returns a length in seconds as a duration: 10s, 15m30s, 2h.
func showSeconds(s float64) string { return figure.Seconds(s) }

// showCount returns a whole number with its thousands apart.
func showCount(n int64) string { return figure.Count(n) }

// showNumber returns a number that need not be whole.
func showNumber(v float64) string {
	if math.Abs(v) < 1000 {
		return figure.Value(v, metrics.UnitCount)
	}
	return showCount(int64(math.Round(v)))
}

func showBytes(v float64) string { return figure.Value(v, metrics.UnitBytes) }

// showShare returns a share of one in percent.
func showShare(v float64) string { return figure.Share(v) }

// show returns a value of the given unit; times are in milliseconds.
func show(v float64, u metrics.Unit) string {
	switch u {
	case metrics.UnitTime:
		return showMillis(v)
	case metrics.UnitPerSec:
		return showNumber(v) + "/s"
	case metrics.UnitCount:
		return showNumber(v)
	}
	return figure.Value(v, u)
}

// optional returns a value, or none.
func optional(v *float64, f func(float64) string) string {
	if v == nil {
		return none
	}
	return f(*v)
}
