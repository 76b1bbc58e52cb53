package rundir

import (
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

// noOutcome notes why there is no outcome.
func (r *reader) noOutcome(format string, args ...any) {
	r.lose(SummaryFile, format, args...)
	r.run.NoOutcome = r.run.Notes[len(r.run.Notes)-1]
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
			r.noOutcome("missing: the run was killed, or is still going")
		} else {
			r.noOutcome("cannot be read: %v", err)
		}
		return
	}
	o, err := readOutcome(text)
	if err != nil {
		r.noOutcome("damaged: %v", err)
		return
	}
	if o.schema > Schema {
		r.note(SummaryFile, "schema %d is newer than this perfctl knows (%d): what it added is left out", o.schema, Schema)
	}
	r.run.Outcome = o
	r.run.Killed = false
}
