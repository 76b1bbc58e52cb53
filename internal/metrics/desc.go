// Package metrics holds what a run counts: trends (HDR histograms), counters,
// gauges and rates, the handles that record into them without a lock or an
// allocation, and the one-second snapshots that everything downstream reads.
// It holds no file format, no target and no judgement.
package metrics

// Kind is what sort of metric a name stands for.
type Kind string

// The four kinds.
const (
	KindTrend   Kind = "trend"
	KindCounter Kind = "counter"
	KindGauge   Kind = "gauge"
	KindRate    Kind = "rate"
)

// Unit is what a metric's values are in.
type Unit string

// The units. A trend's values are always nanoseconds inside and milliseconds
// in reports.
const (
	UnitTime    Unit = "ms"
	UnitCount   Unit = "count"
	UnitBytes   Unit = "bytes"
	UnitRatio   Unit = "ratio"
	UnitPercent Unit = "percent"
	UnitPerSec  Unit = "1/s"
	UnitSeconds Unit = "s"
)

// Desc is the description of a metric.
type Desc struct {
	// Name is the metric's name in reports and thresholds.
	Name string
	// Kind is its sort.
	Kind Kind
	// Unit is the unit of its values in reports.
	Unit Unit
	// Help says what it counts, with its exact start and end where it is a time.
	Help string
	// Role is what it is to an analysis, and Part the part of the system that it
	// tells about, in words: the database, the broker.
	Role Role
	Part string
	// Of is whose figures it holds.
	Of Subject
	// Adds says of a gauge that the readings of the shards of a run add up to the whole
	// run's; those of others stand side by side.
	Adds bool
}

// As returns the description with that role.
func (d Desc) As(r Role) Desc {
	d.Role = r
	return d
}
