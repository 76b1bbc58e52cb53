// Package probe reads, about once a second, what servers and programs say of
// themselves: a database's connections, a broker's queues, a program's memory. It
// loads nothing, and what a reading is judged by is decided elsewhere.
package probe

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/targets"
)

// Reader reads one server or program.
type Reader interface {
	// String names what is read, for messages, without secrets.
	String() string
	// Read takes one reading and sets its gauges; counters grow by what happened
	// since the last one, for the stage. It opens what it needs, and again after
	// an error, which leaves every gauge without a reading.
	Read(ctx context.Context, stage int) error
	// Close gives everything back.
	Close(ctx context.Context)
}

// timeout bounds one reading: what does not answer leaves a hole in the readings.
const timeout = 5 * time.Second

// firstTimeout bounds the reading of programs before the run, which waits for it.
const firstTimeout = 2 * time.Second

// Set is all that is read in a run.
type Set struct {
	log     *slog.Logger
	readers []*reader
	through func(func())
}

// Through has what is read understood by way of do, which must run the function and
// return when it is over: answers may be long, and a run has arrivals to release. It
// must be called before Run.
func (s *Set) Through(do func(func())) { s.through = do }

// throughKey is where a reading's context holds what Through was given.
type throughKey struct{}

// aside runs f, which waits for nobody, as Through says.
func aside(ctx context.Context, f func()) {
	if through, ok := ctx.Value(throughKey{}).(func(func())); ok && through != nil {
		through(f)
		return
	}
	f()
}

type reader struct {
	Reader
	failing bool
	// tried says that it was read before the run.
	tried bool
}

// NewSet returns an empty set. What cannot be read is said to log, once.
func NewSet(log *slog.Logger) *Set { return &Set{log: log} }

// Add adds a reader.
func (s *Set) Add(r Reader) { s.readers = append(s.readers, &reader{Reader: r}) }

// addRead adds a reader that was read already, with that error.
func (s *Set) addRead(r Reader, err error) {
	x := &reader{Reader: r, tried: true}
	s.readers = append(s.readers, x)
	s.note(x, err)
}

// Run reads everything about once a second until ctx ends, and closes it. stage
// returns the number of the present stage.
func (s *Set) Run(ctx context.Context, stage func() int) {
	var all sync.WaitGroup
	for _, r := range s.readers {
		all.Go(func() {
			tick := time.NewTicker(time.Second)
			defer tick.Stop()
			for {
				s.read(ctx, r, stage())
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
			}
		})
	}
	all.Wait()
}

// First takes one reading of everything, so that what cannot be read is known
// before the run.
func (s *Set) First(ctx context.Context) {
	var all sync.WaitGroup
	for _, r := range s.readers {
		if !r.tried {
			all.Go(func() { s.read(ctx, r, 0) })
		}
	}
	all.Wait()
}

func (s *Set) read(ctx context.Context, r *reader, stage int) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := r.Read(context.WithValue(ctx, throughKey{}, s.through), stage)
	if context.Cause(ctx) == context.Canceled { //nolint:errorlint // the run is over
		return
	}
	s.note(r, err)
}

// note says what has changed about a reader.
func (s *Set) note(r *reader, err error) {
	switch {
	case err != nil && !r.failing:
		s.log.Warn("cannot read "+r.String()+"; its figures are missing from here on", "cause", err)
		r.failing = true
	case err == nil && r.failing:
		s.log.Info(r.String() + " can be read again")
		r.failing = false
	}
}

// Close closes every reader.
func (s *Set) Close(ctx context.Context) {
	for _, r := range s.readers {
		r.Close(ctx)
	}
}

// Delta makes a counter of a number that only grows, until its server begins anew.
type Delta struct {
	counter *metrics.Counter
	last    float64
	known   bool
}

// NewDelta returns the delta of a counter.
func NewDelta(c *metrics.Counter) *Delta { return &Delta{counter: c} }

// See takes a reading. The first one, and one that fell, add nothing.
func (d *Delta) See(stage int, now float64) {
	if d.known && now > d.last {
		d.counter.Add(stage, int64(now-d.last))
	}
	d.last, d.known = now, true
}

// Gauges are readings that are set and unset together.
type Gauges []*metrics.Gauge

// Unset leaves all without a reading.
func (g Gauges) Unset() {
	for _, x := range g {
		x.Unset()
	}
}

// Gauge describes a reading.
func Gauge(name string, unit metrics.Unit, help string) metrics.Desc {
	return metrics.Desc{Name: name, Kind: metrics.KindGauge, Unit: unit, Help: help}
}

// Counter describes a number of events.
func Counter(name, help string) metrics.Desc {
	return metrics.Desc{Name: name, Kind: metrics.KindCounter, Unit: metrics.UnitCount, Help: help}
}

// Target is what readers of targets are given.
type Target struct {
	Address targets.Address
	// Run is the run's identity, by which servers list the connection.
	Run     string
	Metrics *metrics.Registry
}
