package rundir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir/hdrlog"
)

// Writer writes a run directory. Its methods are called by one goroutine at a
// time.
type Writer struct {
	dir         string
	log, series *os.File
	lines       lineBuilder
	enc         hdrlog.Encoder
	logBuf      []byte
	logTorn     bool
	seriesTorn  bool
	lost        int
	err         error
	closed      bool
}

// Create makes the run directory and writes run.json into it. descs are the
// metrics declared so far; others are described where they first occur. A
// directory that already holds a run is an error.
func Create(dir string, info RunInfo, descs []metrics.Desc) (*Writer, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the run directory: %w", err)
	}
	if err := holdsNone(dir); err != nil {
		return nil, err
	}
	info.Metrics, info.Roles, info.Subjects = nil, true, true
	for _, d := range descs {
		info.Metrics = append(info.Metrics, infoOf(d))
	}
	w := &Writer{dir: dir, lines: newLineBuilder(&info)}
	if err := writeInfo(dir, &info); err != nil {
		return nil, err
	}
	var err error
	if w.log, err = newFile(dir, LogFile); err != nil {
		return nil, err
	}
	if w.series, err = newFile(dir, SeriesFile); err != nil {
		return nil, errors.Join(err, w.log.Close())
	}
	if _, err := w.log.Write(hdrlog.AppendHeader(nil, info.Started)); err != nil {
		return nil, errors.Join(fmt.Errorf("write %s: %w", LogFile, err), w.Close())
	}
	return w, nil
}

func newFile(dir, name string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("create %s in the run directory: %w", name, err)
	}
	return f, nil
}

// Snapshot appends one second: its histograms to the log, then its line to the
// series. A subscriber of metrics.Collector. It returns nothing: a disk that is
// full must not disturb the run, so that the first error is kept for Err and
// later seconds are tried again.
func (w *Writer) Snapshot(s *metrics.Snapshot) {
	if w.closed {
		return
	}
	w.logBuf = w.logBuf[:0]
	for i := range s.Trends {
		t := &s.Trends[i]
		if t.Hist.N > 0 {
			w.logBuf = w.enc.AppendInterval(w.logBuf, w.lines.keyOf(t.Series).tag, s.Start, s.End-s.Start, t.Hist)
		}
	}
	line := w.lines.build(s)
	if !w.append(w.log, &w.logTorn, w.logBuf) || !w.append(w.series, &w.seriesTorn, line) {
		w.lost++
		return
	}
	w.lines.written()
}

// append writes text with one call. After a failure the next text starts on a
// line of its own, so that what was torn spoils nothing else.
func (w *Writer) append(f *os.File, torn *bool, text []byte) bool {
	if *torn && len(text) > 0 {
		if _, err := f.Write([]byte{'\n'}); err != nil {
			return false
		}
		*torn = false
	}
	if _, err := f.Write(text); err != nil {
		*torn = true
		if w.err == nil {
			w.err = fmt.Errorf("write the run directory: %w", err)
		}
		return false
	}
	return true
}

// Err returns why data is missing: the first error of writing, or that the
// directory is no longer what was written. It returns nil if every second is there.
func (w *Writer) Err() error {
	if w.err != nil {
		return fmt.Errorf("%w (seconds lost: %d)", w.err, w.lost)
	}
	if w.closed {
		return nil
	}
	for _, f := range []*os.File{w.log, w.series} {
		if err := inPlace(f); err != nil {
			return err
		}
	}
	return nil
}

// inPlace says whether an open file still is what its name stands for: what is
// written to one that was removed is lost.
func inPlace(f *os.File) error {
	open, err := f.Stat()
	if err != nil {
		return fmt.Errorf("look at the run directory: %w", err)
	}
	named, err := os.Stat(f.Name())
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && !os.SameFile(open, named):
		return fmt.Errorf("%s was removed while the run went on", f.Name())
	case err != nil:
		return fmt.Errorf("look at the run directory: %w", err)
	}
	return nil
}

// Finish closes the logs and writes summary.json, which is given as it is to
// stand in the file: from then on the run is complete.
func (w *Writer) Finish(summary []byte) error {
	return errors.Join(w.Close(), WriteSummary(w.dir, summary))
}

// Close closes the logs. A run that ends so is read as an incomplete one.
func (w *Writer) Close() error {
	if w.closed {
		return nil
	}
	w.closed = true
	if err := errors.Join(w.log.Close(), w.series.Close()); err != nil {
		return fmt.Errorf("close the run directory: %w", err)
	}
	return nil
}
