package strictyaml

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// ParseDuration reads a length of time as Go writes them: 90s, 2m, 1h30m. A
// number without a unit is an error that says which to write, and so is a
// negative duration; only 0 needs no unit.
func ParseDuration(s string) (time.Duration, error) {
	if n, err := strconv.ParseFloat(s, 64); err == nil && n != 0 && len(s) < 20 {
		return 0, fmt.Errorf("%s has no unit: write %[1]ss, %[1]sm or %[1]sh", s)
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%s is not a duration: write one such as 90s, 2m or 1h30m", quote(s))
	}
	if d < 0 {
		return 0, fmt.Errorf("%s is negative", s)
	}
	return d, nil
}

// perSecond are the units of rates: how many seconds each is.
var perSecond = map[string]float64{"s": 1, "sec": 1, "min": 60, "m": 60, "h": 3600}

// ParseRate reads a number of events per second: 100, 100/s, 6000/min, 10/h. A
// negative rate and one that is not finite are errors.
func ParseRate(s string) (float64, error) {
	number, unit, hasUnit := strings.Cut(s, "/")
	n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		return 0, fmt.Errorf("%s is not a rate: write one such as 100 (per second), 100/s or 6000/min", quote(s))
	}
	seconds := 1.0
	if hasUnit {
		if seconds = perSecond[strings.TrimSpace(unit)]; seconds == 0 {
			return 0, fmt.Errorf("%s has an unknown unit: write /s, /min or /h", quote(s))
		}
	}
	if n < 0 {
		return 0, fmt.Errorf("%s is negative", quote(s))
	}
	return n / seconds, nil
}

// quote is strconv.Quote of what fits into a message.
func quote(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return strconv.Quote(s)
}
