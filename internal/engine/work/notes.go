package work

import "time"

// The bounds of Notes. What an arrival does beyond them is counted, not noted.
const (
	// MaxOps is how many operations of an arrival are noted.
	MaxOps = 8
	// MaxHeads is how many bytes of answers are kept, over all its operations.
	MaxHeads = 384
)

// Notes are what an arrival writes down of its operations while it is executed, so
// that it can be explained afterwards. They are of a fixed size and used again by the
// worker's next arrival: writing them allocates nothing.
type Notes struct {
	ops   [MaxOps]Op
	begun int
	heads [MaxHeads]byte
	used  int
	// Trace is the arrival's trace, zero for none.
	Trace TraceID
}

// Op is one operation of an arrival. Times are on the run's clock, 0 for what did not
// happen or is not known. A nil Op takes notes of nothing, so that a scenario need not
// ask whether notes are taken. One goroutine at a time may use it.
type Op struct {
	// Name is the operation's, Line the line of the file that asked for it, 0 for
	// none.
	Name string
	Line int
	// System is what did it: postgres, redis, rabbitmq, api.
	System string
	// Role is what it does with a message, whatever it is called; 0 where it has none.
	Role Role
	// Start is when the operation began, Ready when it had a connection to work with,
	// Sent when the request was written, First when the answer began, Done when it was
	// read.
	Start, Ready, Sent, First, Done time.Duration
	// Lookup, Connect and TLS are how long looking its name up and opening a connection
	// took, as part of what lies between Start and Ready.
	Lookup, Connect, TLS time.Duration
	// Bytes is how long the answer was, where that is known.
	Bytes int64
	// Retries is how often it was tried again, Reconnects how often over another
	// connection.
	Retries, Reconnects int
	// Conn is the number of the connection or channel, Process the server's process
	// that serves it (PostgreSQL's backend); 0 for unknown.
	Conn, Process uint32
	// Verb and Request are what was asked: a statement; a command and its key; a method
	// and its path. They are kept as they are until the arrival's record is written.
	Verb, Request string
	// Status is the answer's status, 0 for none.
	Status int
	// Failed says that the operation is what the arrival failed of.
	Failed bool

	notes    *Notes
	from, to uint16 // of the answer's head
	index    uint8  // among the arrival's operations, from 1
}

// Role is what an operation does with a message.
type Role uint8

const (
	// Publishes one, and waits for the broker's confirm.
	Publishes Role = iota + 1
	// Consumes one: waits until it is there.
	Consumes
)

// Begin begins to take notes of an operation; nil where none are taken.
func (a *Arrival) Begin(system, name string, at time.Duration) *Op {
	n := a.Notes
	if n == nil {
		return nil
	}
	n.begun++
	if n.begun > MaxOps {
		return nil
	}
	o := &n.ops[n.begun-1]
	*o = Op{System: system, Name: name, Start: at, notes: n, index: uint8(n.begun)}
	return o
}

// Last returns the operation that was begun last, nil for none.
func (a *Arrival) Last() *Op {
	if n := a.Notes; n != nil && n.begun > 0 && n.begun <= MaxOps {
		return &n.ops[n.begun-1]
	}
	return nil
}

// End notes the end of the operation that was begun last, where it has none yet.
func (a *Arrival) End(c Clock, err error) {
	if o := a.Last(); o != nil && o.Done == 0 {
		o.Ended(c.Now(), err)
	}
}

// Reset forgets what was noted.
func (n *Notes) Reset() { n.begun, n.used = 0, 0 }

// Ops returns the operations that were noted; they are good until the next Reset.
func (n *Notes) Ops() []Op { return n.ops[:min(n.begun, MaxOps)] }

// Begun returns how many operations were begun.
func (n *Notes) Begun() int { return n.begun }

// Head returns the beginning of an operation's answer, as it was read.
func (n *Notes) Head(o *Op) []byte { return n.heads[o.from:o.to] }

// CopyTo copies what was noted.
func (n *Notes) CopyTo(to *Notes) {
	to.begun, to.used = n.begun, n.used
	copy(to.ops[:], n.Ops())
	copy(to.heads[:], n.heads[:n.used])
}

// On says over which connection an operation goes, and when it was there.
func (o *Op) On(at time.Duration, conn, process uint32) {
	if o != nil {
		o.Ready, o.Conn, o.Process = at, conn, process
	}
}

// Does says what the operation does with a message.
func (o *Op) Does(r Role) {
	if o != nil {
		o.Role = r
	}
}

// Asks says what is asked.
func (o *Op) Asks(verb, request string) {
	if o != nil {
		o.Verb, o.Request = verb, request
	}
}

// Wrote says when the request was written.
func (o *Op) Wrote(at time.Duration) {
	if o != nil {
		o.Sent = at
	}
}

// Ended says when the operation was done.
func (o *Op) Ended(at time.Duration, err error) {
	if o != nil {
		o.Done, o.Failed = at, err != nil
	}
}

// Tried says that the operation is tried again.
func (o *Op) Tried() {
	if o != nil {
		o.Retries++
	}
}

// Answered keeps the beginning of an answer, as far as there is room.
func (o *Op) Answered(head []byte) {
	if o == nil {
		return
	}
	n := o.notes
	head = head[:min(len(head), MaxHeads/2)]
	o.from = uint16(n.used)
	n.used += copy(n.heads[n.used:], head)
	o.to = uint16(n.used)
}

// Keeper is told of every arrival that was executed, and keeps the record of some.
type Keeper interface {
	// Notes returns the notes of a worker, which are empty; nil for one whose
	// operations are not noted. lane is the scenario's index. It is called once for
	// each worker.
	Notes(lane, worker int) *Notes
	// Keep is told of an arrival that ended: end is on the run's clock, err why it
	// failed, nil where it did not. It must neither block nor allocate, and copies what
	// it needs of a and its notes.
	Keep(lane int, a *Arrival, end time.Duration, err error)
}
