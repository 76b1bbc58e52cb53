package rundir

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir/hdrlog"
)

// Open reads a run directory. It bears a directory that a killed run left
// behind, or that was damaged: what cannot be read is left out and noted, and
// nothing is made up for it. Only a folder that is no run directory is an
// error.
func Open(dir string) (*Run, error) {
	r, err := openReader(dir)
	if err != nil {
		return nil, err
	}
	r.readLog(nil)
	r.finish()
	return r.run, nil
}

// OpenHead reads what a run directory says of its run, and nothing that was recorded.
func OpenHead(dir string) (*Run, error) {
	r := newReader(dir)
	if err := r.readInfo(); err != nil {
		return nil, err
	}
	r.readSummary()
	return r.run, nil
}

// reader reads a run directory.
type reader struct {
	run   *Run
	descs map[string]metrics.Desc
	lines map[string]*Line
	// tags finds a line by its tag in the log, starts a second by its start in
	// milliseconds, which is all that the log says of time.
	tags   map[string]*Line
	starts map[int64]int
	noted  map[string]int
}

// openReader reads everything but the log.
func openReader(dir string) (*reader, error) {
	r := newReader(dir)
	if err := r.readInfo(); err != nil {
		return nil, err
	}
	r.readSeries()
	r.readSummary()
	r.agree()
	return r, nil
}

func newReader(dir string) *reader {
	return &reader{
		run:   &Run{Dir: dir, Totals: metrics.NewTotals()},
		descs: map[string]metrics.Desc{}, lines: map[string]*Line{}, tags: map[string]*Line{},
		starts: map[int64]int{}, noted: map[string]int{},
	}
}

// maxNotes bounds the notes on one file.
const maxNotes = 10

// note notes what is wrong with a file.
func (r *reader) note(file, format string, args ...any) {
	if r.noted[file]++; r.noted[file] <= maxNotes {
		r.run.Notes = append(r.run.Notes, file+": "+fmt.Sprintf(format, args...))
	}
}

// lose notes that data is missing.
func (r *reader) lose(file, format string, args ...any) {
	r.run.Incomplete = true
	r.note(file, format, args...)
}

func (r *reader) finish() {
	for _, file := range []string{InfoFile, SeriesFile, LogFile, SummaryFile} {
		if more := r.noted[file] - maxNotes; more > 0 {
			r.run.Notes = append(r.run.Notes, fmt.Sprintf("%s: and %d more problems", file, more))
		}
	}
	for _, l := range r.lines {
		r.run.Lines = append(r.run.Lines, l)
	}
	slices.SortFunc(r.run.Lines, func(a, b *Line) int { return cmp.Compare(a.Series.Key(), b.Series.Key()) })
	if n := len(r.run.Seconds); n > 0 {
		r.run.Elapsed = r.run.Seconds[n-1].End
	}
}

// readInfo reads run.json. Without it a folder is no run directory.
func (r *reader) readInfo() error {
	for _, d := range metrics.Standard() { // failures are declared as they occur
		r.descs[d.Name] = d
	}
	text, err := os.ReadFile(filepath.Join(r.run.Dir, InfoFile))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s is no run directory: it has no %s", r.run.Dir, InfoFile)
		}
		return fmt.Errorf("read the run directory: %w", err)
	}
	if err := json.Unmarshal(text, &r.run.Info); err != nil {
		r.lose(InfoFile, "damaged: %v", err)
		r.run.Info = RunInfo{}
	} else if r.run.Info.Schema == 0 {
		return fmt.Errorf("%s is no run directory: its %s is not perfctl's", r.run.Dir, InfoFile)
	}
	if s := r.run.Info.Schema; s > Schema {
		r.note(InfoFile, "schema %d is newer than this perfctl knows (%d)", s, Schema)
	}
	if m := r.run.Info.Merged; m != nil {
		r.run.Incomplete = m.Incomplete
		for _, n := range m.Notes {
			r.note(InfoFile, "%s", n)
		}
	}
	if late := r.run.Info.Late; late > 0 {
		r.lose(InfoFile, "%s", LateNote(late))
	}
	for _, m := range r.run.Info.Metrics {
		r.descs[m.Name] = r.descOf(m)
	}
	return nil
}

// LateNote says that a run was late for its instant, by so many seconds.
func LateNote(late float64) string {
	return fmt.Sprintf("late: all was set up %s after the instant of --start-at, so that nothing was sent", duration(late).Round(time.Millisecond))
}

// readSummary reads of summary.json what the store needs to know.
func (r *reader) readSummary() {
	r.run.Killed = true
	text, err := os.ReadFile(filepath.Join(r.run.Dir, SummaryFile))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			r.lose(SummaryFile, "missing: the run was killed, or is still going")
		} else {
			r.lose(SummaryFile, "cannot be read: %v", err)
		}
		return
	}
	o, err := readOutcome(text)
	if err != nil {
		r.lose(SummaryFile, "damaged: %v", err)
		return
	}
	if o.schema > Schema {
		r.note(SummaryFile, "schema %d is newer than this perfctl knows (%d): what it added is left out", o.schema, Schema)
	}
	r.run.Outcome = o
	r.run.Killed = false
}

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
