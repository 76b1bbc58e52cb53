package sla

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
)

// FormatValue prints a figure with its unit and the digits that mean
// something: times are given in nanoseconds.
func FormatValue(v float64, unit metrics.Unit) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "–"
	}
	switch unit {
	case metrics.UnitTime:
		return formatTime(v)
	case metrics.UnitSeconds:
		return formatTime(v * 1e9)
	case metrics.UnitBytes:
		return formatBytes(v)
	case metrics.UnitRatio:
		return digits(v*100) + "%"
	case metrics.UnitPercent:
		return digits(v) + "%"
	case metrics.UnitPerSec:
		return digits(v) + "/s"
	}
	return digits(v)
}

func formatTime(ns float64) string {
	a := math.Abs(ns)
	switch {
	case a == 0:
		return "0s"
	case a < 1e3:
		return fmt.Sprintf("%.0fns", ns)
	case a < 1e6:
		return digits(ns/1e3) + "µs"
	case a < 1e9:
		return digits(ns/1e6) + "ms"
	case a < 60e9:
		return fmt.Sprintf("%.2fs", ns/1e9)
	}
	return time.Duration(ns).Round(time.Second).String()
}

func formatBytes(v float64) string {
	for _, u := range []struct {
		name string
		size float64
	}{{"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}} {
		if math.Abs(v) >= u.size {
			return digits(v/u.size) + " " + u.name
		}
	}
	return digits(v) + " B"
}

// digits prints three significant digits, and never fewer than the whole part
// has.
func digits(v float64) string {
	a := math.Abs(v)
	switch {
	case a >= 100 || v == math.Trunc(v):
		return strconv.FormatFloat(v, 'f', 0, 64)
	case a >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case a >= 1:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}
