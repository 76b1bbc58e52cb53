// Package keep chooses, while a run goes on, of which arrivals a record is kept: of
// each second the slowest, the failed and a uniform sample, by scenario and stage. It
// neither writes files nor explains anything.
package keep

import (
	"sync"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
)

// How many records of each sort a reservoir holds.
const (
	Slowest = 6
	Failed  = 8
	Sampled = 6
	// perKind bounds the failed of one kind as long as there are others.
	perKind = 3
)

// notedWorkers is how many workers of a scenario note their operations; each takes
// about 2 KB. The records of others hold no operations.
const notedWorkers = 4096

// Record is what is kept of one arrival. Times are on the run's clock.
type Record struct {
	// Lane is the scenario's index.
	Lane    int
	Arrival work.Arrival
	// End is when it was done, Err why it failed, nil where it did not.
	End time.Duration
	Err error
	// Notes are its operations.
	Notes work.Notes
	// Slow, Lost and Chosen say what it was kept as: one of the slowest, of the
	// failed, of the sample. Noted says that its operations were noted.
	Slow, Lost, Chosen, Noted bool

	hash     uint64
	response time.Duration
	kind     work.Kind
}

// Response is done − due without pauses.
func (r *Record) Response() time.Duration { return r.response }

// Kind is why it failed; empty where it did not.
func (r *Record) Kind() work.Kind { return r.kind }

func (r *Record) set(lane int, a *work.Arrival, end time.Duration, err error, kind work.Kind, hash uint64) {
	r.Lane, r.Arrival, r.End, r.Err, r.kind, r.hash = lane, *a, end, err, kind, hash
	r.Slow, r.Lost, r.Chosen = false, false, false
	r.response = end - a.Due - a.Paused
	r.Arrival.Notes = nil
	if r.Noted = a.Notes != nil; r.Noted {
		a.Notes.CopyTo(&r.Notes)
	} else {
		r.Notes.Reset()
	}
}

// cells is how many stages of a scenario a second is told apart by: those in which
// its arrivals were due. More share the last one.
const cells = 3

// Keeper is a work.Keeper.
type Keeper struct {
	lanes []lane
	log   *ring // of every failure; nil where none is asked for
	// traced is of every arrival that is traced; nil for none.
	traced *ring
}

type lane struct {
	mu sync.Mutex
	// now receives, then is empty and takes its place when it is taken.
	now, then *[cells]cell
	_         [40]byte // what is another lane's is on another cache line
}

// New returns a keeper for so many scenarios. failures is how many failed arrivals of
// a window are kept besides, for a log of them, traced how many of those that are
// traced; 0 for none.
func New(lanes, failures, traced int) *Keeper {
	k := &Keeper{lanes: make([]lane, lanes)}
	for i := range k.lanes {
		k.lanes[i].now, k.lanes[i].then = new([cells]cell), new([cells]cell)
	}
	if failures > 0 {
		k.log = newRing(failures)
	}
	if traced > 0 {
		k.traced = newRing(traced)
	}
	return k
}

// Notes returns the notes of a worker.
func (k *Keeper) Notes(_, worker int) *work.Notes {
	if worker >= notedWorkers {
		return nil
	}
	return new(work.Notes)
}

// streamSample is the random stream that chooses the sample: whether an arrival is in
// it depends on the seed and its number alone.
const streamSample = 0x6b656570

// Keep looks at an arrival that has ended.
func (k *Keeper) Keep(i int, a *work.Arrival, end time.Duration, err error) {
	hash := a.Random(streamSample)
	var kind work.Kind
	if err != nil {
		kind = work.KindOf(err)
		if k.log != nil {
			k.log.push(i, a, end, err, kind)
		}
	}
	if k.traced != nil && !a.Trace.None() {
		k.traced.push(i, a, end, err, kind)
	}
	l := &k.lanes[i]
	l.mu.Lock()
	l.cell(a.Stage).offer(i, a, end, err, kind, hash)
	l.mu.Unlock()
}

// cell returns the reservoir of a stage.
func (l *lane) cell(stage int) *cell {
	for i := range l.now {
		c := &l.now[i]
		if !c.used {
			c.used, c.stage = true, stage
		}
		if c.stage == stage || i == cells-1 {
			return c
		}
	}
	return nil // not reached
}

// Take gives the records that were kept since the last call, of every scenario in
// turn, each once, and forgets them. They are good until f returns. Only one
// goroutine may call it.
func (k *Keeper) Take(f func(*Record)) {
	for i := range k.lanes {
		l := &k.lanes[i]
		l.mu.Lock()
		l.now, l.then = l.then, l.now
		l.mu.Unlock()
		for c := range l.then {
			l.then[c].each(f)
			l.then[c].reset()
		}
	}
}

// TakeFailures gives the failed arrivals since the last call, and returns how many
// there were besides, for which there was no room. Only one goroutine may call it.
func (k *Keeper) TakeFailures(f func(*Record)) (left int64) {
	if k.log == nil {
		return 0
	}
	return k.log.take(f)
}

// TakeTraced is TakeFailures for the arrivals that are traced.
func (k *Keeper) TakeTraced(f func(*Record)) (left int64) {
	if k.traced == nil {
		return 0
	}
	return k.traced.take(f)
}
