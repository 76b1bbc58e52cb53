package rundir

import (
	"encoding/json"
	"math"
	"strconv"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir/hdrlog"
)

// secondLine is a line of series.ndjson, as it is read. lineBuilder writes it.
type secondLine struct {
	// End and Start bound the second, in seconds since the first arrival could
	// be due; At is the wall-clock time of End.
	End   float64   `json:"t"`
	Start float64   `json:"start"`
	At    time.Time `json:"at"`
	Stage string    `json:"stage"`
	// Metrics describes the metrics that occur for the first time.
	Metrics  []MetricInfo         `json:"metrics"`
	Trends   map[string]trendLine `json:"trends"`
	Counters map[string]int64     `json:"counters"`
	Rates    map[string][2]int64  `json:"rates"`
	Gauges   map[string]float64   `json:"gauges"`
}

// trendLine is what the log does not say about an interval. Sum, Min and Max
// are in nanoseconds.
type trendLine struct {
	N        int64   `json:"n"`
	Sum      float64 `json:"sum"`
	Min      int64   `json:"min"`
	Max      int64   `json:"max"`
	Over     int64   `json:"over"`
	Censored int64   `json:"censored"`
}

// seriesKey is a series' key in the forms that the files need.
type seriesKey struct {
	json, tag string
}

// lineBuilder builds lines without building a key twice.
type lineBuilder struct {
	stages []string
	keys   map[*metrics.Series]*seriesKey
	known  map[string]bool
	fresh  []MetricInfo
	buf    []byte
}

func newLineBuilder(info *RunInfo) lineBuilder {
	b := lineBuilder{keys: map[*metrics.Series]*seriesKey{}, known: map[string]bool{}}
	for _, s := range info.Stages {
		b.stages = append(b.stages, s.Name)
	}
	for _, m := range info.Metrics {
		b.known[m.Name] = true
	}
	return b
}

// keyOf returns the series' key. A metric not described yet is described in the
// next line.
func (b *lineBuilder) keyOf(s *metrics.Series) *seriesKey {
	if k := b.keys[s]; k != nil {
		return k
	}
	key := s.Key()
	text, _ := json.Marshal(key) // a string always encodes
	k := &seriesKey{string(text), hdrlog.Tag(key)}
	b.keys[s] = k
	if !b.known[s.Name] {
		b.known[s.Name] = true
		b.fresh = append(b.fresh, infoOf(s.Desc))
	}
	return k
}

// written says that the line last built is in the file.
func (b *lineBuilder) written() { b.fresh = b.fresh[:0] }

// build returns the snapshot's line, valid until the next call.
func (b *lineBuilder) build(s *metrics.Snapshot) []byte {
	o := append(b.buf[:0], `{"t":`...)
	o = appendSeconds(o, s.End)
	o = append(o, `,"start":`...)
	o = appendSeconds(o, s.Start)
	o = append(o, `,"at":"`...)
	o = s.At.UTC().AppendFormat(o, time.RFC3339Nano)
	o = append(o, `","stage":`...)
	o = b.appendStage(o, s.Stage)
	o = b.appendTrends(o, s.Trends)
	o = b.appendCounts(o, s)
	o = append(o, `,"gauges":{`...)
	first := true
	for _, v := range s.Gauges {
		if math.IsNaN(v.Value) || math.IsInf(v.Value, 0) {
			continue // JSON cannot say it, and it is no reading
		}
		o, first = b.appendKey(o, v.Series, first), false
		o = strconv.AppendFloat(o, v.Value, 'g', -1, 64)
	}
	o = append(o, '}')
	if len(b.fresh) > 0 {
		if text, err := json.Marshal(b.fresh); err == nil {
			o = append(append(o, `,"metrics":`...), text...)
		}
	}
	o = append(o, '}', '\n')
	b.buf = o
	return o
}

func (b *lineBuilder) appendStage(o []byte, stage int) []byte {
	name := ""
	if stage >= 0 && stage < len(b.stages) {
		name = b.stages[stage]
	}
	text, _ := json.Marshal(name)
	return append(o, text...)
}

func (b *lineBuilder) appendTrends(o []byte, all []metrics.TrendValue) []byte {
	o = append(o, `,"trends":{`...)
	first := true
	for _, v := range all {
		h := v.Hist
		if h.Empty() {
			continue
		}
		o, first = b.appendKey(o, v.Series, first), false
		low, high := h.Min, h.Max
		if h.N == 0 {
			low, high = 0, 0
		}
		o = append(o, `{"n":`...)
		o = strconv.AppendInt(o, h.N, 10)
		o = append(o, `,"sum":`...)
		o = strconv.AppendFloat(o, h.Sum, 'g', -1, 64)
		o = append(o, `,"min":`...)
		o = strconv.AppendInt(o, low, 10)
		o = append(o, `,"max":`...)
		o = strconv.AppendInt(o, high, 10)
		o = append(o, `,"over":`...)
		o = strconv.AppendInt(o, h.Over, 10)
		o = append(o, `,"censored":`...)
		o = strconv.AppendInt(o, h.Censored, 10)
		o = append(o, '}')
	}
	return append(o, '}')
}

func (b *lineBuilder) appendCounts(o []byte, s *metrics.Snapshot) []byte {
	o = append(o, `,"counters":{`...)
	for i, v := range s.Counters {
		o = b.appendKey(o, v.Series, i == 0)
		o = strconv.AppendInt(o, v.Delta, 10)
	}
	o = append(o, `},"rates":{`...)
	for i, v := range s.Rates {
		o = b.appendKey(o, v.Series, i == 0)
		o = append(o, '[')
		o = strconv.AppendInt(o, v.Hits, 10)
		o = append(o, ',')
		o = strconv.AppendInt(o, v.Total, 10)
		o = append(o, ']')
	}
	return append(o, '}')
}

func (b *lineBuilder) appendKey(o []byte, s *metrics.Series, first bool) []byte {
	if !first {
		o = append(o, ',')
	}
	o = append(o, b.keyOf(s).json...)
	return append(o, ':')
}

// appendSeconds appends d in seconds, exact to the nanosecond.
func appendSeconds(o []byte, d time.Duration) []byte {
	return strconv.AppendFloat(o, float64(d)/1e9, 'f', -1, 64)
}

// duration is the inverse of appendSeconds.
func duration(seconds float64) time.Duration {
	return time.Duration(math.Round(seconds * 1e9))
}
