package stream

import (
	"bytes"
	"encoding/csv"
	"strconv"
	"strings"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
)

// csvColumns are the fields of a line; a field that a kind of metric does not have
// is empty.
const csvColumns = "time,t,seconds,metric,type,unit,scenario,operation,stage,outcome,group," +
	"count,hits,value,min,avg,p50,p90,p95,p99,max,censored,at_least"

// csvEncoder builds the lines of NewCSV.
type csvEncoder struct {
	buf bytes.Buffer
	row []string
}

func (*csvEncoder) header() []byte { return []byte(csvColumns + "\n") }

func (e *csvEncoder) lines(o []byte, s *metrics.Snapshot) []byte {
	e.buf.Reset()
	w := csv.NewWriter(&e.buf)
	when := [...]string{s.At.UTC().Format(time.RFC3339Nano), number(s.End.Seconds()), number((s.End - s.Start).Seconds())}
	line := func(x *metrics.Series, fields map[string]string) {
		e.row = append(e.row[:0], when[:]...)
		e.row = append(e.row, x.Name, string(x.Kind), string(x.Unit), x.Scenario, x.Operation, x.Stage, x.Outcome, x.Group)
		for name := range strings.SplitSeq(csvFigures, ",") {
			e.row = append(e.row, fields[name])
		}
		_ = w.Write(e.row) // into memory, of fields that are valid
	}
	for _, v := range s.Trends {
		if !v.Hist.Empty() {
			line(v.Series, trendFields(figures(v.Hist)))
		}
	}
	for _, v := range s.Counters {
		line(v.Series, map[string]string{"count": whole(v.Delta)})
	}
	for _, v := range s.Rates {
		line(v.Series, map[string]string{
			"count": whole(v.Total), "hits": whole(v.Hits), "value": number(float64(v.Hits) / float64(v.Total)),
		})
	}
	for _, v := range s.Gauges {
		if finite(v.Value) {
			line(v.Series, map[string]string{"value": number(v.Value)})
		}
	}
	w.Flush()
	return append(o, e.buf.Bytes()...)
}

// csvFigures are the columns after those that say when and what.
var _, csvFigures, _ = strings.Cut(csvColumns, "group,")

func trendFields(f trendFigures) map[string]string {
	out := map[string]string{"count": whole(f.count), "at_least": f.atLeast}
	if f.censored > 0 {
		out["censored"] = whole(f.censored)
	}
	if f.count == 0 {
		return out
	}
	out["min"], out["avg"], out["max"] = number(f.min), number(f.avg), number(f.max)
	for i, v := range f.percentiles {
		out[quantiles[i].name] = number(v)
	}
	return out
}

func number(v float64) string { return string(appendNumber(nil, v)) }

func whole(n int64) string { return strconv.FormatInt(n, 10) }
