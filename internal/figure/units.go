package figure

import "github.com/perfctl/perfctl/internal/metrics"

// Unit is what a figure may be written in: Factor is what one of it is in the
// unit in which figures are kept (a time in nanoseconds, a size in bytes, a share
// as a part of 1), Of the unit of the metrics that it fits.
type Unit struct {
	Factor float64
	Of     metrics.Unit
}

var units = map[string]Unit{
	"ns": {1, metrics.UnitTime}, "us": {1e3, metrics.UnitTime}, "µs": {1e3, metrics.UnitTime}, "ms": {1e6, metrics.UnitTime},
	"s": {1e9, metrics.UnitTime}, "m": {60e9, metrics.UnitTime}, "h": {3600e9, metrics.UnitTime},
	"B": {1, metrics.UnitBytes}, "kB": {1e3, metrics.UnitBytes}, "MB": {1e6, metrics.UnitBytes}, "GB": {1e9, metrics.UnitBytes},
	"KiB": {1 << 10, metrics.UnitBytes}, "MiB": {1 << 20, metrics.UnitBytes}, "GiB": {1 << 30, metrics.UnitBytes},
	"%": {0.01, metrics.UnitRatio}, "/s": {1, metrics.UnitPerSec},
}

// UnitNamed returns the unit that is written so; ok is false for none.
func UnitNamed(name string) (u Unit, ok bool) {
	u, ok = units[name]
	return u, ok
}

// UnitNames are all units, as they are written.
func UnitNames() []string {
	return []string{"ns", "us", "µs", "ms", "s", "m", "h", "B", "kB", "MB", "GB", "KiB", "MiB", "GiB", "%", "/s"}
}
