// Package evidence looks, while a run goes on, at what servers do at the time:
// who waits for whose lock, which command holds everybody up, when a broker takes no
// more. It changes nothing at a server and explains nothing: what is seen is kept with
// its time.
package evidence

import (
	"context"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/perfctl/perfctl/internal/rundir/exemplars"
)

// Watcher watches one server until its context ends.
type Watcher interface {
	// String names what is watched, for messages, without secrets.
	String() string
	// Watch watches. It returns nil when ctx ends, an error where it cannot go on.
	Watch(ctx context.Context, j *Journal) error
}

// again is how long after an error a watcher is tried again.
const again = 2 * time.Second

// Set is all that is watched in a run.
type Set struct {
	log      *slog.Logger
	watchers []Watcher
}

// NewSet returns an empty set. What cannot be watched is said to log, once.
func NewSet(log *slog.Logger) *Set { return &Set{log: log} }

// Add adds a watcher.
func (s *Set) Add(w Watcher) { s.watchers = append(s.watchers, w) }

// Run watches everything until ctx ends.
func (s *Set) Run(ctx context.Context, j *Journal) {
	var all sync.WaitGroup
	for _, w := range s.watchers {
		all.Go(func() {
			said := false
			for {
				err := w.Watch(ctx, j)
				if ctx.Err() != nil {
					return
				}
				if err != nil && !said {
					said = true
					s.log.Info("cannot watch "+w.String()+"; what it does is missing in perfctl slow", "cause", err)
				}
				select {
				case <-ctx.Done():
					return
				case <-time.After(again):
				}
			}
		})
	}
	all.Wait()
}

// Journal receives what is seen. Its methods may be called by any goroutine.
type Journal struct {
	elapsed func() time.Duration
	mu      sync.Mutex
	pending []exemplars.Evidence
}

// NewJournal returns a journal; elapsed is the time since the run's start.
func NewJournal(elapsed func() time.Duration) *Journal { return &Journal{elapsed: elapsed} }

// Now is the time since the run's start in milliseconds.
func (j *Journal) Now() float64 { return exemplars.Millis(j.elapsed()) }

// mostPending bounds what waits to be taken: beyond it there is no use in more.
const mostPending = 20_000

// Note keeps something that was seen.
func (j *Journal) Note(v exemplars.Evidence) {
	j.mu.Lock()
	defer j.mu.Unlock()
	v.From, v.To = math.Round(v.From*1e3)/1e3, math.Round(v.To*1e3)/1e3
	if len(j.pending) < mostPending {
		j.pending = append(j.pending, v)
	}
}

// Take gives what was noted since the last call.
func (j *Journal) Take(f func(*exemplars.Evidence)) {
	j.mu.Lock()
	all := j.pending
	j.pending = nil
	j.mu.Unlock()
	for i := range all {
		f(&all[i])
	}
}

// spans joins what is seen in readings that follow one another. longest bounds a span,
// so that a run that is killed has lost little.
type spans struct {
	j    *Journal
	open map[string]*exemplars.Evidence
	seen map[string]bool
}

const longest = 5000.0 // ms

func newSpans(j *Journal) *spans {
	return &spans{j, map[string]*exemplars.Evidence{}, map[string]bool{}}
}

// see says that something is there now. v.From is when it may have begun; a span that
// is open already keeps its own.
func (s *spans) see(key string, v exemplars.Evidence) {
	s.seen[key] = true
	if o := s.open[key]; o != nil {
		o.To = v.To
		if o.By == "" {
			o.By = v.By
		}
		if o.To-o.From < longest {
			return
		}
		s.j.Note(*o)
		v.From = o.To
	}
	s.open[key] = &v
}

// sweep ends the spans of what was not seen since the last call.
func (s *spans) sweep() {
	for key, o := range s.open {
		if !s.seen[key] {
			s.j.Note(*o)
			delete(s.open, key)
		}
	}
	clear(s.seen)
}

// end ends all.
func (s *spans) end() {
	clear(s.seen)
	s.sweep()
}

// every calls f about every so often until ctx ends or f fails. f is given when the
// call before began, on the journal's clock.
func every(ctx context.Context, j *Journal, period time.Duration, f func(before float64) error) error {
	return oftener(ctx, j, func() time.Duration { return period }, f)
}

// oftener is every with a period that may change from call to call.
func oftener(ctx context.Context, j *Journal, period func() time.Duration, f func(before float64) error) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	before, next := j.Now(), j.Now()
	for {
		now := j.Now()
		if err := f(before); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		before = now
		// A call that takes its time costs the next one none of its.
		next = max(next+exemplars.Millis(period()), j.Now())
		timer.Reset(time.Duration((next - j.Now()) * float64(time.Millisecond)))
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
	}
}
