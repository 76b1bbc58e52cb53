package rundir

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir/hdrlog"
)

// readLog reads latency.hlog into the totals and the lines' points. each, where
// it is not nil, gets every interval too.
func (r *reader) readLog(each func(second int, l *Line, h *metrics.Hist)) {
	log := r.openLog()
	defer log.close()
	for {
		l, point, h, ok := log.next()
		if !ok {
			break
		}
		r.run.Totals.AddTrend(&l.Series, h)
		l.Trend[point].quantiles(h)
		if each != nil {
			each(l.At[point], l, h)
		}
	}
	r.missing()
}

// missing notes the intervals whose histogram was not found. Their seconds are
// known, their values are not.
func (r *reader) missing() {
	for _, key := range sortedKeys(r.lines) {
		l := r.lines[key]
		var seconds, values int64
		for i := range l.Trend {
			if !l.Trend[i].Whole {
				seconds++
				values += l.Trend[i].N
			}
		}
		if seconds > 0 {
			r.lose(LogFile, "%s has no histogram for %d s and %d values, which are left out", key, seconds, values)
		}
	}
}

// logReader yields the log's intervals that agree with series.ndjson.
type logReader struct {
	r       *reader
	file    *os.File
	log     *hdrlog.Reader
	dec     hdrlog.Decoder
	hist    metrics.Hist
	current int
	orphans int
}

func (r *reader) openLog() *logReader {
	g := &logReader{r: r}
	f, err := os.Open(filepath.Join(r.run.Dir, LogFile))
	if err != nil {
		r.lose(LogFile, "cannot be read: %v", err)
		return g
	}
	g.file, g.log = f, hdrlog.NewReader(f)
	return g
}

func (g *logReader) close() {
	if g.file != nil {
		_ = g.file.Close() // it was only read
	}
}

// next returns the next interval: its series, the index of its point, and its
// histogram, valid until the next call. Seconds never go back.
func (g *logReader) next() (l *Line, point int, h *metrics.Hist, ok bool) {
	for g.log != nil {
		iv, err := g.log.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if bad, torn := errors.AsType[*hdrlog.LineError](err); torn {
			g.r.lose(LogFile, "%v: left out", bad)
			continue
		}
		if err != nil {
			g.r.lose(LogFile, "cannot be read further: %v", err)
			break
		}
		l, point, err := g.take(iv)
		switch {
		case err != nil:
			g.r.lose(LogFile, "line %d is left out: %v", iv.Line, err)
		case l != nil:
			return l, point, &g.hist, true
		}
	}
	g.log = nil
	if g.orphans > 0 {
		// A killed run has such a second when it was killed between the two files.
		g.r.note(LogFile, "%d intervals belong to no second of %s and are left out", g.orphans, SeriesFile)
		g.orphans = 0
	}
	return nil, 0, nil, false
}

// take decodes an interval and checks it against its line in series.ndjson. It
// returns no series for an interval of a second that is not known.
func (g *logReader) take(iv hdrlog.Interval) (*Line, int, error) {
	second, known := g.r.starts[iv.Start]
	l := g.r.tags[string(iv.Tag)]
	if !known || l == nil {
		g.orphans++
		return nil, 0, nil
	}
	if second < g.current {
		return nil, 0, errors.New("its second is over")
	}
	i, known := l.point(second)
	if !known {
		g.orphans++
		return nil, 0, nil
	}
	p := &l.Trend[i]
	if p.Whole {
		return nil, 0, errors.New("its second has that series already")
	}
	g.hist.Reset()
	if err := g.dec.Decode(iv.Encoded, &g.hist); err != nil {
		return nil, 0, err
	}
	if g.hist.N != p.N {
		return nil, 0, fmt.Errorf("it holds %d values, %s says %d", g.hist.N, SeriesFile, p.N)
	}
	g.bound(iv.Line, p)
	g.current = second
	p.Whole = true
	return l, i, nil
}

// bound takes the exact figures from the second's line. Extremes outside of the
// outermost buckets are damaged, and those of the buckets stand in for them.
func (g *logReader) bound(line int, p *TrendPoint) {
	h := &g.hist
	low, high := h.Min, h.Max // of the buckets
	first, last := -1, -1
	h.Buckets(func(i int, _ int64) {
		if first < 0 {
			first = i
		}
		last = i
	})
	h.Sum, h.Over, h.Censored = p.Sum, p.Over, p.Censored
	h.Min, h.Max = p.Min, p.Max
	if _, top := metrics.BucketBounds(first); h.Min < low || h.Min > top {
		g.r.note(LogFile, "line %d: the minimum %d ns is not in its bucket", line, h.Min)
		h.Min = low
	}
	if bottom, _ := metrics.BucketBounds(last); h.Max < bottom || h.Max > high && h.Over == 0 {
		g.r.note(LogFile, "line %d: the maximum %d ns is not in its bucket", line, h.Max)
		h.Max = high
	}
	p.Min, p.Max = h.Min, h.Max
}
