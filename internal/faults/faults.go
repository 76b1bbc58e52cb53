// Package faults says what is broken on purpose, where, from when to when: the words
// of a fault, how they are written, and the timetable of a run. It is pure: it breaks
// nothing itself, and knows no clock. What stands in front of a target is below it,
// in proxy.
package faults

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kind is what is done to a target.
type Kind string

// The kinds that a proxy in front of the target does to its connections.
const (
	// Delay puts a time, with jitter, on what goes over a connection.
	Delay Kind = "delay"
	// Bandwidth lets so many bytes a second over each connection.
	Bandwidth Kind = "bandwidth"
	// SlowStart lets each connection begin at so many bytes a second, and twice as
	// many with every second that it lasts.
	SlowStart Kind = "slow-start"
	// Refuse closes the connections, and refuses new ones, as a server does that is
	// not running.
	Refuse Kind = "refuse"
	// Reset resets the connections, and new ones at their first byte.
	Reset Kind = "reset"
	// BlackHole lets nothing through: connections are accepted, and nothing is
	// answered. What was held goes on when the fault ends, as TCP has it.
	BlackHole Kind = "blackhole"
	// HalfOpen takes the server's side of the connections away without a word to the
	// client; new connections are whole.
	HalfOpen Kind = "half-open"
	// Cut closes each connection after so many bytes of answers.
	Cut Kind = "cut"
	// Partition holds what goes in one direction, and lets the other through.
	Partition Kind = "partition"
)

// The kinds that are done to a server of a lab itself. Each is undone when it ends.
const (
	// Pause stops the server's processes where they are; its end lets them go on.
	Pause Kind = "pause"
	// Kill kills the server, and starts it again when the fault ends.
	Kill Kind = "kill"
	// Stop ends the server in good order, and starts it again when the fault ends.
	Stop Kind = "stop"
	// DiskFull leaves no room in the folder of the server's data.
	DiskFull Kind = "disk-full"
	// MemoryAlarm has the server hold that its memory is used up.
	MemoryAlarm Kind = "memory-alarm"
	// ConnectionLimit leaves the server so many connections: it ends those above, and
	// refuses new ones.
	ConnectionLimit Kind = "connection-limit"
	// FlushAll removes everything that the server holds, once.
	FlushAll Kind = "flushall"
	// ReadOnly makes the server what a failover to a replica leaves: it answers, and
	// refuses to write.
	ReadOnly Kind = "read-only"
)

// Command is what a command of the profile's does to a server of the user's own, and
// another one undoes.
const Command Kind = "command"

// OnServer says whether a kind is done to a server itself, and not to connections.
func (k Kind) OnServer() bool { return k == Command || len(kinds[k].on) > 0 }

// OnLab says whether a kind is done to a server of a lab.
func (k Kind) OnLab() bool { return len(kinds[k].on) > 0 }

// Direction is which way bytes go.
type Direction string

// The directions: to the server, to the client, and both.
const (
	Up   Direction = "up"
	Down Direction = "down"
	Both Direction = "both"
)

// Targets are what a fault can be on, by the names of faults.
var Targets = []string{"rabbitmq", "postgres", "redis", "http"}

// Fault is one thing that is broken on purpose.
type Fault struct {
	// Name tells it from the run's other faults, in rules and reports.
	Name string
	// Target is one of Targets. Endpoint, where it is not empty, narrows it to one of
	// several servers: host:port, or the name of an endpoint.
	Target, Endpoint string
	Kind             Kind
	// Delay and Jitter are of a delay: each byte is late by Delay, give or take up to
	// Jitter.
	Delay, Jitter time.Duration
	// Rate is of a bandwidth and of a slow start, in bytes a second.
	Rate float64
	// Bytes is after how many bytes a connection is cut.
	Bytes int64
	// Limit is how many connections a connection limit leaves.
	Limit int
	// Run and Undo are the shell commands of a command: what breaks, and what mends.
	Run, Undo string
	// Toward is the direction of what is delayed, slowed or held.
	Toward Direction
	// Share is the share of connections that it is done to: above 0 and up to 1.
	Share float64
	// At is when it begins: from the start of its stage, or of the run where it has
	// none. For is how long it lasts; 0 for to the end of the stage, or of the run.
	At, For time.Duration
	// Place says where it was asked for.
	Place string
}

// String returns the fault as it is written, without name and times.
func (f Fault) String() string {
	var b strings.Builder
	b.WriteString(f.Where() + ": " + string(f.Kind))
	switch f.Kind {
	case Delay:
		b.WriteString(" " + f.Delay.String())
		if f.Jitter > 0 {
			b.WriteString("±" + f.Jitter.String())
		}
	case Bandwidth, SlowStart:
		b.WriteString(" " + sizeText(f.Rate) + "/s")
	case Cut:
		b.WriteString(" " + sizeText(float64(f.Bytes)))
	case ConnectionLimit:
		b.WriteString(" " + strconv.Itoa(f.Limit))
	case Command:
		b.WriteString(" " + f.Run)
	}
	if k := kinds[f.Kind]; k.directed && f.Toward != k.toward {
		b.WriteString(" " + string(f.Toward))
	}
	if f.Share < 1 {
		b.WriteString(" share " + strconv.FormatFloat(f.Share*100, 'g', 4, 64) + "%")
	}
	return b.String()
}

// Where is the target, with the endpoint where there is one.
func (f Fault) Where() string {
	if f.Endpoint == "" {
		return f.Target
	}
	return f.Target + "@" + f.Endpoint
}

// sizes are the units of sizes, the largest first.
var sizes = []struct {
	name string
	of   float64
}{{"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"B", 1}}

func sizeText(n float64) string {
	for _, u := range sizes {
		if n >= u.of {
			return strconv.FormatFloat(n/u.of, 'g', 6, 64) + u.name
		}
	}
	return strconv.FormatFloat(n, 'g', 6, 64) + "B"
}

// named gives a fault the name that it has where nobody gave it one.
func (f *Fault) named() {
	if f.Name != "" {
		return
	}
	where := f.Target
	if f.Endpoint != "" {
		where += "-" + strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
				return r
			}
			return '-'
		}, f.Endpoint)
	}
	f.Name = where[:min(len(where), 63-len(f.Kind))] + "-" + string(f.Kind)
}

// Timed is a fault with its place in a run.
type Timed struct {
	Fault
	// Start and End are from the start of the run.
	Start, End time.Duration
}

// Timetable puts the faults of a run in the order of their beginnings. Each has its
// Start; one that has no End, or a later one than the run, has the run's. Names that
// were not given are made unique. A fault that begins after the run, or a name that
// is there twice, is an error.
func Timetable(list []Timed, length time.Duration) ([]Timed, error) {
	out := slices.Clone(list)
	seen := map[string]bool{}
	for i := range out {
		f := &out[i]
		if f.Start >= length {
			return nil, fmt.Errorf("%s: the fault %s begins at %v, and the run is over after %v", f.Place, f.Name, f.Start, length)
		}
		if f.End <= f.Start || f.End > length {
			f.End = length
		}
		base, given := f.Name, f.given()
		for n := 2; seen[f.Name]; n++ {
			if given {
				return nil, fmt.Errorf("%s: two faults are named %s", f.Place, f.Name)
			}
			f.Name = base + "-" + strconv.Itoa(n)
		}
		seen[f.Name] = true
	}
	slices.SortStableFunc(out, func(a, b Timed) int { return int(max(min(a.Start-b.Start, 1), -1)) })
	return out, nil
}

// given says whether a name was given, and not made.
func (f Fault) given() bool {
	made := f
	made.Name = ""
	made.named()
	return f.Name != made.Name
}
