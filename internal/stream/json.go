package stream

import (
	"encoding/json"
	"math"
	"strconv"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
)

// jsonEncoder builds the lines of NewJSON without building a series' part twice.
type jsonEncoder struct {
	series map[*metrics.Series]string
	when   []byte
}

func (*jsonEncoder) header() []byte { return nil }

func (e *jsonEncoder) lines(o []byte, s *metrics.Snapshot) []byte {
	e.when = s.At.UTC().AppendFormat(append(e.when[:0], `{"time":"`...), time.RFC3339Nano)
	e.when = appendNumber(append(e.when, `","t":`...), s.End.Seconds())
	e.when = appendNumber(append(e.when, `,"seconds":`...), (s.End - s.Start).Seconds())
	for _, v := range s.Trends {
		if !v.Hist.Empty() {
			o = appendTrend(e.begin(o, v.Series), figures(v.Hist))
		}
	}
	for _, v := range s.Counters {
		o = e.begin(o, v.Series)
		o = strconv.AppendInt(append(o, `,"count":`...), v.Delta, 10)
		o = append(o, '}', '\n')
	}
	for _, v := range s.Rates {
		o = e.begin(o, v.Series)
		o = strconv.AppendInt(append(o, `,"count":`...), v.Total, 10)
		o = strconv.AppendInt(append(o, `,"hits":`...), v.Hits, 10)
		o = appendNumber(append(o, `,"value":`...), float64(v.Hits)/float64(v.Total))
		o = append(o, '}', '\n')
	}
	for _, v := range s.Gauges {
		if finite(v.Value) {
			o = appendNumber(append(e.begin(o, v.Series), `,"value":`...), v.Value)
			o = append(o, '}', '\n')
		}
	}
	return o
}

// begin appends what a line says before its figures.
func (e *jsonEncoder) begin(o []byte, s *metrics.Series) []byte {
	text, ok := e.series[s]
	if !ok {
		if e.series == nil {
			e.series = map[*metrics.Series]string{}
		}
		// A struct of strings always encodes.
		b, _ := json.Marshal(struct {
			Metric string       `json:"metric"`
			Type   metrics.Kind `json:"type"`
			Unit   metrics.Unit `json:"unit"`
			metrics.Tags
		}{s.Name, s.Kind, s.Unit, s.Tags})
		text = string(b[1 : len(b)-1])
		e.series[s] = text
	}
	o = append(append(o, e.when...), ',')
	return append(o, text...)
}

func appendTrend(o []byte, f trendFigures) []byte {
	o = strconv.AppendInt(append(o, `,"count":`...), f.count, 10)
	if f.count > 0 {
		o = appendNumber(append(o, `,"min":`...), f.min)
		o = appendNumber(append(o, `,"avg":`...), f.avg)
		for i, v := range f.percentiles {
			o = append(append(append(o, `,"`...), quantiles[i].name...), `":`...)
			o = appendNumber(o, v)
		}
		o = appendNumber(append(o, `,"max":`...), f.max)
	}
	if f.censored > 0 {
		o = strconv.AppendInt(append(o, `,"censored":`...), f.censored, 10)
	}
	if f.atLeast != "" {
		o = append(append(append(o, `,"at_least":"`...), f.atLeast...), '"')
	}
	return append(o, '}', '\n')
}

// appendNumber appends a number as JSON and CSV write it, without an exponent
// where it has no need of one.
func appendNumber(o []byte, v float64) []byte {
	if math.Abs(v) < 1e15 {
		return strconv.AppendFloat(o, v, 'f', -1, 64)
	}
	return strconv.AppendFloat(o, v, 'g', -1, 64)
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
