package postgres

import (
	"sync"
	"sync/atomic"
)

// Outcome is what became of a write, as its client knows it.
type Outcome uint8

// The outcomes.
const (
	// NotSent: it was never sent.
	NotSent Outcome = iota
	// Committed: the server confirmed it.
	Committed
	// Refused: it certainly has no effect.
	Refused
	// Unknown: it was sent, and whether it took effect is not known; also what
	// is still under way.
	Unknown
)

// OutcomeOf returns what became of a write that was sent and ended with err.
func OutcomeOf(err error) Outcome {
	switch {
	case err == nil:
		return Committed
	case Definite(err):
		return Refused
	}
	return Unknown
}

// MaxRows is the highest number of rows of a write that Outcomes can hold.
const MaxRows = 1<<14 - 1

// A write's word: two bits for the outcome, 14 for the rows that it writes, 16
// for the rows of it that were found in the server.
const (
	outcomeMask = 3
	rowsShift   = 2
	seenShift   = 16
)

const outcomePageLen = 4096

type outcomePage [outcomePageLen]atomic.Uint32

// Outcomes holds the outcome of every write by its number, with the number of
// rows that it writes, and how many of them were found by whoever compares
// them with the server. Numbers may be sparse: pages are made where they are
// needed. Setting takes no lock but for the first write of a page for which
// there was no room.
type Outcomes struct {
	dir  atomic.Pointer[[]*outcomePage]
	grow sync.Mutex
}

// Write is one write and what was found of it.
type Write struct {
	N       int64
	Outcome Outcome
	// Rows is how many rows it writes, Seen how many of them were found.
	Rows, Seen int64
}

// NewOutcomes returns outcomes with room for the numbers below n.
func NewOutcomes(n int64) *Outcomes {
	o := &Outcomes{}
	pages := make([]*outcomePage, (max(n, 0)+outcomePageLen-1)/outcomePageLen)
	for i := range pages {
		pages[i] = new(outcomePage)
	}
	o.dir.Store(&pages)
	return o
}

// Set notes what became of write n of that many rows, at most MaxRows. What
// was found of it is forgotten. Negative numbers are left out.
func (o *Outcomes) Set(n int64, to Outcome, rows int) {
	if n < 0 {
		return
	}
	w := o.word(n)
	if w == nil {
		w = o.extend(n)
	}
	w.Store(uint32(to) | uint32(min(max(rows, 0), MaxRows))<<rowsShift)
}

// Get returns write n.
func (o *Outcomes) Get(n int64) Write {
	if w := o.word(n); w != nil {
		return writeOf(n, w.Load())
	}
	return Write{N: n}
}

// See notes that one more row of write n was found.
func (o *Outcomes) See(n int64) {
	if w := o.word(n); w != nil && w.Load()>>seenShift < 1<<16-1 {
		w.Add(1 << seenShift)
	}
}

// Each calls f for every write that was sent, in the order of their numbers.
func (o *Outcomes) Each(f func(Write)) {
	for i, p := range *o.dir.Load() {
		if p == nil {
			continue
		}
		for j := range p {
			if w := p[j].Load(); w&outcomeMask != 0 {
				f(writeOf(int64(i)*outcomePageLen+int64(j), w))
			}
		}
	}
}

func writeOf(n int64, w uint32) Write {
	return Write{n, Outcome(w & outcomeMask), int64(w >> rowsShift & MaxRows), int64(w >> seenShift)}
}

func (o *Outcomes) word(n int64) *atomic.Uint32 {
	dir := *o.dir.Load()
	if i := n / outcomePageLen; n >= 0 && i < int64(len(dir)) && dir[i] != nil {
		return &dir[i][n%outcomePageLen]
	}
	return nil
}

func (o *Outcomes) extend(n int64) *atomic.Uint32 {
	o.grow.Lock()
	defer o.grow.Unlock()
	old := *o.dir.Load()
	i := int(n / outcomePageLen)
	dir := make([]*outcomePage, max(len(old), i+1))
	copy(dir, old)
	if dir[i] == nil {
		dir[i] = new(outcomePage)
	}
	o.dir.Store(&dir)
	return &dir[i][n%outcomePageLen]
}
