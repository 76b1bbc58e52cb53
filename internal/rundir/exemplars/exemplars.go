// Package exemplars holds two files of the run directory: the records of single
// arrivals, and what servers did meanwhile. They are written, read and merged here. Which
// arrivals are kept and what explains them is decided elsewhere.
package exemplars

import "time"

// The files.
const (
	// File holds a line for each arrival of which a record was kept.
	File = "exemplars.ndjson"
	// EvidenceFile holds a line for each thing that a server was seen doing.
	EvidenceFile = "evidence.ndjson"
)

// The bounds of the files, in bytes. Together they are at most 20 MB.
const (
	MaxFile     = 14_000_000
	MaxEvidence = 6_000_000
)

// What an arrival is kept as.
const (
	// Slow is one of the slowest of its second, Failed one that failed, Sample one of
	// a uniform sample of all.
	Slow   = "slow"
	Failed = "failed"
	Sample = "sample"
)

// Exemplar is the record of one arrival. Times are in milliseconds; Due is counted from
// the instant at which the first arrival of the run could be due, the others from Due.
type Exemplar struct {
	// K is its number, Shard the part of the run that offered it.
	K     int64 `json:"k"`
	Shard int   `json:"shard,omitempty"`
	// Scenario and Stage are names, User the number of its user, from 1.
	Scenario string `json:"scenario"`
	Stage    string `json:"stage"`
	User     int    `json:"user,omitempty"`
	// As is what it is kept as: slow, failed, sample.
	As  []string `json:"as"`
	Due float64  `json:"due_ms"`
	// Released is when the generator had come to it, Started when a worker began to
	// execute it; in between it waited for a worker.
	Released float64 `json:"released_ms"`
	Started  float64 `json:"started_ms"`
	// Response is from due until done, without pauses, Paused how long it paused.
	Response float64 `json:"response_ms"`
	Paused   float64 `json:"paused_ms,omitempty"`
	// Kind and Error say why it failed.
	Kind  string `json:"kind,omitempty"`
	Error string `json:"error,omitempty"`
	// Trace is the id of its trace, where one was made.
	Trace string `json:"trace,omitempty"`
	// Ops are its operations; More is how many there were besides. Blind says that
	// operations were not noted.
	Ops   []Op `json:"ops,omitempty"`
	More  int  `json:"more,omitempty"`
	Blind bool `json:"blind,omitempty"`
}

// Op is one operation of an arrival. Times are in milliseconds from the arrival's Due.
type Op struct {
	// Name is the operation's or the step's, Line the line of the flow that asked for
	// it.
	Name string `json:"name"`
	Line int    `json:"line,omitempty"`
	// System is postgres, redis, rabbitmq or api.
	System string `json:"system"`
	// Role is what it does with a message, whatever it is called: Publishes, Consumes;
	// empty for what handles none.
	Role string `json:"role,omitempty"`
	// Start and End bound it.
	Start float64 `json:"start_ms"`
	End   float64 `json:"end_ms"`
	// Wait is for a connection or a channel, opening one apart; Lookup asks for the
	// addresses of its name, Connect and TLS open one; Send writes the request; Server is from then until the answer began, or
	// where that is not known until it was read; Receive is reading it.
	Wait    float64 `json:"wait_ms,omitempty"`
	Lookup  float64 `json:"lookup_ms,omitempty"`
	Connect float64 `json:"connect_ms,omitempty"`
	TLS     float64 `json:"tls_ms,omitempty"`
	Send    float64 `json:"send_ms,omitempty"`
	Server  float64 `json:"server_ms,omitempty"`
	Receive float64 `json:"receive_ms,omitempty"`
	// Bytes is the length of the answer, Retries and Reconnects how often it was sent
	// again, and over a new connection.
	Bytes      int64 `json:"bytes,omitempty"`
	Retries    int   `json:"retries,omitempty"`
	Reconnects int   `json:"reconnects,omitempty"`
	// Conn is the number of the connection or channel, Process the server's process.
	Conn    uint32 `json:"conn,omitempty"`
	Process uint32 `json:"process,omitempty"`
	// Request and Answer are their beginnings, without secrets; Status is the answer's.
	Request string `json:"request,omitempty"`
	Answer  string `json:"answer,omitempty"`
	Status  int    `json:"status,omitempty"`
	Failed  bool   `json:"failed,omitempty"`
	// Open says that it had no end when the arrival ended.
	Open bool `json:"open,omitempty"`
}

// The roles of operations: what they do with a message.
const (
	// Publishes: it waits for the broker's confirm.
	Publishes = "publishes"
	// Consumes: it waits until a message is there.
	Consumes = "consumes"
)

// Is says whether it is kept as that.
func (e *Exemplar) Is(as string) bool {
	for _, a := range e.As {
		if a == as {
			return true
		}
	}
	return false
}

// End is when the arrival was done, in milliseconds from the run's start.
func (e *Exemplar) End() float64 { return e.Due + e.Response + e.Paused }

// Evidence is something that a server, or the generator, was seen doing. Times are in
// milliseconds from the instant at which the first arrival of the run could be due.
type Evidence struct {
	// From and To bound the time in which it was seen.
	From float64 `json:"from_ms"`
	To   float64 `json:"to_ms"`
	// Source is postgres, redis, rabbitmq, generator, host, or a program's name; System,
	// where it is another one, is which of the targets it is: api for a program of the
	// user's own.
	Source string `json:"source"`
	System string `json:"system,omitempty"`
	// Kind names what it is; see the constants.
	Kind string `json:"kind"`
	// Process is the server's process that it befell, 0 for the whole server, and
	// Blockers those that it waited for.
	Process  uint32   `json:"process,omitempty"`
	Blockers []uint32 `json:"blockers,omitempty"`
	// Conn is the connection that it befell, by the generator's own port; 0 for all.
	Conn uint32 `json:"conn,omitempty"`
	// Took is for how long of the time nothing went on, in milliseconds, where that is
	// known; 0 for all of it.
	Took float64 `json:"took_ms,omitempty"`
	// Waited is what a process of the server waited for, as the server names it (of kind
	// Waits); Disk says that it was the disk, or another process that writes to it.
	Waited string `json:"waited,omitempty"`
	Disk   bool   `json:"disk,omitempty"`
	// Command is the name of the command, in capitals (of kind Command).
	Command string `json:"command,omitempty"`
	// What says in a few words what was seen, By what the blocker was doing. They are for
	// people: nothing decides by them.
	What string `json:"what"`
	By   string `json:"by,omitempty"`
	// Shard is the part of the run beside which it was seen.
	Shard int `json:"shard,omitempty"`
}

// The kinds of evidence.
const (
	// Lock: a process of the server waits for a lock that another one holds.
	Lock = "lock"
	// Busy: a process of the server executes one statement for long, and waits for
	// nothing that it would name.
	Busy = "busy"
	// Waits: a process of the server waits for something other than a lock.
	Waits = "waits"
	// Stopped: a process of the server is stopped by a signal.
	Stopped = "stopped"
	// Checkpoint, Vacuum: the server writes a checkpoint, vacuums a table.
	Checkpoint = "checkpoint"
	Vacuum     = "vacuum"
	// Command: the server executes one command for long and nothing else meanwhile.
	Command = "command"
	// Plan: a statement reads many times the pages that it used to.
	Plan = "plan"
	// Silent: the server did not answer a question that takes no time.
	Silent = "silent"
	// Fork: the server copied itself to write its data to disk.
	Fork = "fork"
	// Snapshot: a copy of the server writes its data to disk. Expiry: the server spends
	// its time on removing what has expired.
	Snapshot = "snapshot"
	Expiry   = "expiry"
	// Latency: the server's own monitor saw something hold it up.
	Latency = "latency"
	// Evictions: the server removed keys for want of memory.
	Evictions = "evictions"
	// Alarm: the broker takes no more messages.
	Alarm = "alarm"
	// Flow: the broker holds back one of the run's own connections or channels. Backlog:
	// messages wait in a queue for its consumers.
	Flow    = "flow"
	Backlog = "backlog"
	// Deadlock: the server broke a deadlock.
	Deadlock = "deadlock"
	// Temp: the server wrote temporary files.
	Temp = "temp_files"
	// Retransmits: the network lost packets.
	Retransmits = "retransmits"
	// Throttled: a program's processor time was taken away by its limit; Starved: it was
	// ready to work and had no processor; Pause: its garbage collection stopped it;
	// LoopLag: its event loop was late; Faults: it waited for memory to be read from disk.
	Throttled = "throttled"
	Starved   = "starved"
	Pause     = "gc_pause"
	LoopLag   = "loop_lag"
	Faults    = "page_faults"
)

// Millis is a duration in milliseconds, to the microsecond.
func Millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }
