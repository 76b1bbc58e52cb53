package process

import (
	"os"
	"time"
)

// proc is what the kernel says of one process.
type proc struct {
	pid, parent int
	command     string
	born        uint64 // in ticks since boot
	cpu         time.Duration
	threads     int
	// resident and shared are in bytes; shared is the part that is of files or
	// shared memory.
	resident, shared int64
}

// maxCommand is how much of a program's name the kernel keeps (TASK_COMM_LEN - 1
// in Linux).
const maxCommand = 15

// tree is the watched processes and their descendants.
type tree struct {
	all   []proc
	roots map[int]uint64 // by number, when they were born
}

// tree picks the watched processes from all. perfctl itself is never one of
// them, unless its number was given: it is the generator, and watches itself.
func (w *Watch) tree(all []proc) tree {
	own := os.Getpid()
	byPID := make(map[int]*proc, len(all))
	for i := range all {
		byPID[all[i].pid] = &all[i]
	}
	is := func(p *proc) bool {
		if w.PID > 0 {
			return p.pid == w.PID
		}
		return p.command == w.Command[:min(len(w.Command), maxCommand)] && p.pid != own
	}
	t := tree{roots: map[int]uint64{}}
	for i := range all {
		p := &all[i]
		member, top := is(p), true
		// The way up is bounded: the table is no snapshot, and may hold a circle.
		for a, steps := byPID[p.parent], 0; a != nil && steps < 64; a, steps = byPID[a.parent], steps+1 {
			if is(a) {
				member, top = true, false
			}
		}
		if !member {
			continue
		}
		t.all = append(t.all, *p)
		if top {
			t.roots[p.pid] = p.born
		}
	}
	return t
}

// memory is the memory of all: what each has alone, and the largest shared part
// once. PostgreSQL's processes all map the same buffers, which the sum of their
// resident sizes would count for each.
func (t tree) memory() int64 {
	var alone, shared int64
	for _, p := range t.all {
		alone += max(p.resident-p.shared, 0)
		shared = max(shared, p.shared)
	}
	return alone + shared
}
