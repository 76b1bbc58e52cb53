package report

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
)

// none is what stands for a figure that there is not.
const none = "–"

// digits returns v with three significant digits, without trailing zeros.
func digits(v float64) string {
	decimals := 0
	switch a := math.Abs(v); {
	case a < 1:
		return strconv.FormatFloat(v, 'g', 3, 64)
	case a < 9.995:
		decimals = 2
	case a < 99.95:
		decimals = 1
	}
	s := strconv.FormatFloat(v, 'f', decimals, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// showMillis returns a time in milliseconds as 124µs, 3.2ms, 1.5s or 2m5s.
func showMillis(ms float64) string {
	switch ns := ms * 1e6; {
	case ns == 0:
		return "0s"
	case ns < 999.5:
		return digits(ns) + "ns"
	case ns < 999.5e3:
		return digits(ns/1e3) + "µs"
	case ns < 999.5e6:
		return digits(ns/1e6) + "ms"
	case ns < 59.95e9:
		return digits(ns/1e9) + "s"
	default:
		return time.Duration(ns).Round(time.Second).String()
	}
}

// showSeconds returns a length in seconds as a duration, without zero parts.
func showSeconds(s float64) string {
	d := time.Duration(s * 1e9)
	switch {
	case d < time.Minute:
		return showMillis(s * 1e3)
	default:
		text := d.Round(time.Second).String()
		text = strings.TrimSuffix(text, "m0s") + strings.Repeat("m", b2i(strings.HasSuffix(text, "m0s")))
		return strings.TrimSuffix(text, "h0m") + strings.Repeat("h", b2i(strings.HasSuffix(text, "h0m")))
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// showCount returns a whole number with its thousands apart.
func showCount(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// showNumber returns a number that need not be whole.
func showNumber(v float64) string {
	if math.Abs(v) < 1000 {
		return digits(v)
	}
	return showCount(int64(math.Round(v)))
}

// showBytes returns a size with decimal prefixes.
func showBytes(v float64) string {
	for _, u := range []string{"B", "kB", "MB", "GB"} {
		if math.Abs(v) < 999.5 {
			return digits(v) + " " + u
		}
		v /= 1000
	}
	return digits(v) + " TB"
}

// showShare returns a share of one in percent.
func showShare(v float64) string { return digits(v*100) + "%" }

// show returns a value of the given unit.
func show(v float64, u metrics.Unit) string {
	switch u {
	case metrics.UnitTime:
		return showMillis(v)
	case metrics.UnitBytes:
		return showBytes(v)
	case metrics.UnitRatio:
		return showShare(v)
	case metrics.UnitPercent:
		return digits(v) + "%"
	case metrics.UnitSeconds:
		return showMillis(v * 1e3)
	case metrics.UnitPerSec:
		return showNumber(v) + "/s"
	default:
		return showNumber(v)
	}
}

// optional returns a value, or none.
func optional(v *float64, f func(float64) string) string {
	if v == nil {
		return none
	}
	return f(*v)
}
