package rundir

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir/hdrlog"
)

// maxLine bounds a line of series.ndjson.
const maxLine = 16 << 20

// readSeries reads series.ndjson.
func (r *reader) readSeries() {
	f, err := os.Open(filepath.Join(r.run.Dir, SeriesFile))
	if err != nil {
		r.lose(SeriesFile, "cannot be read: %v", err)
		return
	}
	defer func() { _ = f.Close() }() // it was only read
	scan := bufio.NewScanner(f)
	scan.Buffer(make([]byte, 0, 64<<10), maxLine)
	cut := false
	scan.Split(func(data []byte, atEOF bool) (int, []byte, error) {
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			return i + 1, data[:i], nil
		}
		if atEOF && len(data) > 0 {
			cut = true
			return len(data), nil, nil
		}
		return 0, nil, nil
	})
	for n := 1; scan.Scan(); n++ {
		if text := bytes.TrimSpace(scan.Bytes()); len(text) > 0 {
			r.readSecond(n, text)
		}
	}
	if cut {
		r.lose(SeriesFile, "the last line is cut off and left out")
	}
	if err := scan.Err(); err != nil {
		r.lose(SeriesFile, "cannot be read further: %v", err)
	}
	for _, l := range r.lines {
		if l.Trend != nil {
			r.tags[hdrlog.Tag(l.Series.Key())] = l
		}
	}
}

// readSecond reads one line of series.ndjson.
func (r *reader) readSecond(number int, text []byte) {
	var s secondLine
	if err := json.Unmarshal(text, &s); err != nil {
		r.lose(SeriesFile, "line %d is torn and left out: %v", number, err)
		return
	}
	const maxSeconds = 1e9 // beyond it nanoseconds do not fit
	if s.Start < 0 || s.End < s.Start || s.End > maxSeconds {
		r.lose(SeriesFile, "line %d is left out: it is of no possible time (%g s to %g s)", number, s.Start, s.End)
		return
	}
	sec := Second{Start: duration(s.Start), End: duration(s.End), At: s.At, Stage: s.Stage}
	var before Second
	if n := len(r.run.Seconds); n > 0 {
		before = r.run.Seconds[n-1]
	}
	switch {
	case sec.Start < before.End:
		r.lose(SeriesFile, "line %d is left out: it begins at %g s, before the end of the line before", number, s.Start)
		return
	case sec.Start > before.End:
		r.lose(SeriesFile, "line %d: nothing is known of the %s before it", number, sec.Start-before.End)
	}
	i := len(r.run.Seconds)
	r.run.Seconds = append(r.run.Seconds, sec)
	r.starts[hdrlog.Millis(sec.Start)] = i
	for _, m := range s.Metrics {
		r.descs[m.Name] = r.descOf(m)
	}
	r.addSecond(number, i, &s)
}

// addSecond adds the line's values to the series.
func (r *reader) addSecond(number, i int, s *secondLine) {
	for _, key := range sortedKeys(s.Trends) {
		v := s.Trends[key]
		if v.N < 0 || v.Censored < 0 || v.Over < 0 || v.N > 0 && v.Min > v.Max {
			r.lose(SeriesFile, "line %d: %q is left out: impossible figures", number, key)
			continue
		}
		if l := r.line(number, i, key, metrics.KindTrend); l != nil {
			p := TrendPoint{N: v.N, Over: v.Over, Censored: v.Censored, Sum: v.Sum, Min: v.Min, Max: v.Max,
				P50: -1, P90: -1, P95: -1, P99: -1}
			if v.N == 0 {
				p.Whole = true
				r.run.Totals.AddTrend(&l.Series, &metrics.Hist{Censored: v.Censored})
			}
			l.Trend = append(l.Trend, p)
		}
	}
	for _, key := range sortedKeys(s.Counters) {
		if l := r.line(number, i, key, metrics.KindCounter); l != nil {
			l.Value = append(l.Value, float64(s.Counters[key]))
			r.run.Totals.AddCounter(&l.Series, s.Counters[key])
		}
	}
	for _, key := range sortedKeys(s.Rates) {
		v := s.Rates[key]
		if v[0] < 0 || v[0] > v[1] {
			r.lose(SeriesFile, "line %d: %q is left out: %d hits of %d", number, key, v[0], v[1])
			continue
		}
		if l := r.line(number, i, key, metrics.KindRate); l != nil {
			l.Value, l.Of = append(l.Value, float64(v[0])), append(l.Of, float64(v[1]))
			r.run.Totals.AddRate(&l.Series, v[0], v[1])
		}
	}
	for _, key := range sortedKeys(s.Gauges) {
		if l := r.line(number, i, key, metrics.KindGauge); l != nil {
			l.Value = append(l.Value, s.Gauges[key])
			r.run.Totals.AddGauge(&l.Series, s.Gauges[key])
		}
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// line returns the series of the given key with a new point at second i, or
// nil where the key is none.
func (r *reader) line(number, i int, key string, kind metrics.Kind) *Line {
	l := r.lines[key]
	if l == nil {
		s, ok := metrics.ParseKey(key)
		if !ok {
			r.lose(SeriesFile, "line %d: %.80q names no series and is left out", number, key)
			return nil
		}
		if d, known := r.descs[s.Name]; known {
			s.Desc = d
		} else {
			s.Kind, s.Unit = kind, usualUnit[kind]
			r.note(SeriesFile, "line %d: metric %s is described nowhere", number, s.Name)
		}
		l = &Line{Series: s}
	}
	if l.Series.Kind != kind {
		r.lose(SeriesFile, "line %d: %.80q is a %s, not a %s, and left out", number, key, l.Series.Kind, kind)
		return nil
	}
	r.lines[key] = l
	l.At = append(l.At, i)
	return l
}

// usualUnit is the unit of a metric that is described nowhere.
var usualUnit = map[metrics.Kind]metrics.Unit{
	metrics.KindTrend: metrics.UnitTime, metrics.KindCounter: metrics.UnitCount,
	metrics.KindGauge: metrics.UnitCount, metrics.KindRate: metrics.UnitRatio,
}
