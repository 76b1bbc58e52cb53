package rundir

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir/hdrlog"
)

// Intervals reads the histograms of a run that was read from its directory once
// more and calls each with every one of the series that want picks, in the order
// of time: second is its index in r.Seconds, h is valid during the call.
// Histograms that were merged give percentiles of a longer time; percentiles are
// never averaged. An interval that holds censored values alone has no histogram
// in the log and comes before all others of its series.
//
// What Open could not read is left out here, too, be it the whole log. The error is
// one of a log that cannot be opened or read.
func (r *Run) Intervals(want func(*Line) bool, each func(second int, l *Line, h *metrics.Hist)) error {
	lines := map[string]*Line{}
	for _, l := range r.Lines {
		if l.Trend == nil || !want(l) {
			continue
		}
		lines[hdrlog.Tag(l.Series.Key())] = l
		for i := range l.Trend {
			if p := &l.Trend[i]; p.N == 0 && p.Censored > 0 {
				each(l.At[i], l, &metrics.Hist{Censored: p.Censored})
			}
		}
	}
	if len(lines) == 0 {
		return nil
	}
	f, err := os.Open(filepath.Join(r.Dir, LogFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // as Open noted
	}
	if err != nil {
		return fmt.Errorf("read the histograms of the run: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	starts := make(map[int64]int, len(r.Seconds))
	for i, s := range r.Seconds {
		starts[hdrlog.Millis(s.Start)] = i
	}
	log := hdrlog.NewReader(f)
	var dec hdrlog.Decoder
	var h metrics.Hist
	for {
		iv, err := log.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if _, torn := errors.AsType[*hdrlog.LineError](err); torn {
			continue // Open has said so
		}
		if err != nil {
			return fmt.Errorf("read the histograms of the run: %w", err)
		}
		second, known := starts[iv.Start]
		l := lines[string(iv.Tag)]
		if !known || l == nil {
			continue
		}
		i, known := l.point(second)
		if !known || !l.Trend[i].Whole {
			continue
		}
		p := &l.Trend[i]
		h.Reset()
		if dec.Decode(iv.Encoded, &h) != nil || h.N != p.N {
			continue
		}
		h.Sum, h.Over, h.Censored, h.Min, h.Max = p.Sum, p.Over, p.Censored, p.Min, p.Max
		each(second, l, &h)
	}
}
