package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/perfctl/perfctl/internal/engine/keep"
	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/evidence"
	"github.com/perfctl/perfctl/internal/rundir/exemplars"
)

// The bounds of what is kept of single arrivals.
const (
	// mostWindows is in how many windows a run is told apart, of a second at least:
	// each keeps its own slowest, failed and sample.
	mostWindows = 1000
	// loggedFailures bounds the lines of --log-failures in a second, tracedArrivals the
	// arrivals whose spans are sent.
	loggedFailures = 500
	tracedArrivals = 2000
)

// records writes the records of single arrivals, and what the servers did meanwhile,
// into the run directory while a run goes on. A nil one writes nothing.
type records struct {
	of     *Prepared
	keeper *keep.Keeper
	file   *exemplars.Writer
	// failures receives failed arrivals, nil for nobody.
	failures io.Writer
	window   time.Duration
	// budget is what a window may add to the file, in bytes, allowed what all windows
	// so far may have.
	budget, allowed int64
	elapsed         func() time.Duration
	// seen is where evidence is written, nil for nowhere; journal receives it.
	seen    *exemplars.Writer
	journal *evidence.Journal
	shown   map[string]string
	marks   marks
	once    sync.Once

	buf   []byte
	lines []line
}

// line is a record that waits to be written.
type line struct {
	lane, stage int
	as          string
	response    time.Duration
	rank        int
	from, to    int
}

// keepRecords begins to keep records in a run directory.
func (x *Prepared) keepRecords(dir string) error {
	if x.plan.request.NoExemplars && x.session.Failures == nil && x.session.Traces == nil {
		return nil
	}
	planned := x.plan.schedule.Duration() + x.plan.request.GracefulStop
	r := &records{of: x, failures: x.session.Failures, shown: map[string]string{}}
	r.window = max(time.Second, (planned / mostWindows).Truncate(time.Second))
	r.budget = exemplars.MaxFile / int64(planned/r.window+1)
	logged := 0
	if r.failures != nil {
		logged = loggedFailures
	}
	traced := 0
	if x.session.Traces != nil {
		traced = tracedArrivals
	}
	r.keeper = keep.New(len(x.scenarios), logged, traced)
	if !x.plan.request.NoExemplars {
		var err error
		if r.file, err = exemplars.Create(dir, exemplars.File, exemplars.MaxFile); err != nil {
			return err
		}
		if x.evidence != nil {
			if r.seen, err = exemplars.Create(dir, exemplars.EvidenceFile, exemplars.MaxEvidence); err != nil {
				return errors.Join(err, r.file.Close())
			}
		}
	}
	x.records = r
	return nil
}

// engineKeeper is what the engine is given: nothing at all for no records.
func (r *records) engineKeeper() work.Keeper {
	if r == nil {
		return nil
	}
	return r.keeper
}

// run writes what was kept once a window, and hands on once a second what others wait
// for, until ctx ends, each time inside a call of
// aside, and has the servers watched meanwhile. elapsed is the time since the run's start.
func (r *records) run(ctx context.Context, elapsed func() time.Duration, aside func(func())) {
	r.elapsed = elapsed
	var watching sync.WaitGroup
	defer watching.Wait()
	if r.seen != nil {
		r.journal = evidence.NewJournal(elapsed)
		watching.Go(func() { r.of.evidence.Run(ctx, r.journal) })
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for second := time.Second; ; second += time.Second {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if second%r.window == 0 {
				aside(r.flush)
			} else {
				aside(r.pass)
			}
		}
	}
}

// close writes what is left and closes the files. What could not be written is said,
// and costs the run nothing.
func (r *records) close() {
	if r == nil {
		return
	}
	r.once.Do(func() {
		if r.elapsed != nil {
			r.allowed = exemplars.MaxFile // the end of the run may have the rest
			r.flush()
		}
		var err error
		for _, f := range []*exemplars.Writer{r.file, r.seen} {
			if f != nil {
				err = errors.Join(err, f.Err(), f.Close())
			}
		}
		if err != nil {
			r.of.session.Observer.Warn(fmt.Sprintf("warning: %v: perfctl slow knows less of this run; nothing else is lost", err))
		}
	})
}

// flush writes what was kept since the last time.
func (r *records) flush() {
	zero := r.of.clock.Now() - r.elapsed() // the run's start on its clock
	r.buf, r.lines = r.buf[:0], r.lines[:0]
	r.keeper.Take(func(k *keep.Record) {
		if !r.file.Open() {
			return
		}
		from := len(r.buf)
		e := r.exemplar(k, zero)
		r.marks.add(k, &e, r.of.clock.Time(k.End))
		r.buf = exemplars.AppendLine(r.buf, e)
		l := line{lane: k.Lane, stage: k.Arrival.Stage, as: as(k)[0], response: k.Response(), from: from, to: len(r.buf)}
		r.lines = append(r.lines, l)
	})
	r.write()
	r.pass()
}

// pass hands on what others wait for.
func (r *records) pass() {
	zero := r.of.clock.Now() - r.elapsed()
	r.writeEvidence()
	r.logFailures(zero)
	r.sendTraces(zero)
}

// write writes the records of a window, as far as there is room: of every scenario,
// stage and sort the first, then the second of each.
func (r *records) write() {
	if r.file == nil {
		return
	}
	r.allowed = min(r.allowed+r.budget, exemplars.MaxFile)
	slices.SortFunc(r.lines, func(a, b line) int {
		return cmp.Or(cmp.Compare(a.lane, b.lane), cmp.Compare(a.stage, b.stage), cmp.Compare(a.as, b.as), cmp.Compare(b.response, a.response))
	})
	for i := 1; i < len(r.lines); i++ {
		if a, b := &r.lines[i-1], &r.lines[i]; a.lane == b.lane && a.stage == b.stage && a.as == b.as {
			b.rank = a.rank + 1
		}
	}
	slices.SortStableFunc(r.lines, func(a, b line) int { return cmp.Compare(a.rank, b.rank) })
	for _, l := range r.lines {
		if r.file.Size()+int64(l.to-l.from) > r.allowed {
			break
		}
		r.file.Write(r.buf[l.from:l.to])
	}
}

// logFailures writes the failed arrivals of a window where they are asked for.
func (r *records) logFailures(zero time.Duration) {
	if r.failures == nil {
		return
	}
	var text []byte
	left := r.keeper.TakeFailures(func(k *keep.Record) {
		text = exemplars.AppendLine(text, failureLine{Time: r.of.clock.Time(k.End), Run: r.of.id, Exemplar: r.exemplar(k, zero)})
	})
	if left > 0 {
		text = exemplars.AppendLine(text, leftOut{Time: time.Now(), Run: r.of.id, LeftOut: left})
	}
	if len(text) == 0 {
		return
	}
	if _, err := r.failures.Write(text); err != nil {
		r.of.session.Observer.Warn(fmt.Sprintf("warning: --log-failures: %v; nothing more is written to it", err))
		r.failures = nil
	}
}

// failureLine is a line of --log-failures.
type failureLine struct {
	Time time.Time `json:"time"`
	Run  string    `json:"run"`
	exemplars.Exemplar
}

// leftOut is a line of --log-failures that counts what it has no line for.
type leftOut struct {
	Time    time.Time `json:"time"`
	Run     string    `json:"run"`
	LeftOut int64     `json:"left_out"`
}
