package evidence

import (
	"context"
	"strconv"
	"time"

	"github.com/perfctl/perfctl/internal/rundir/exemplars"
	"github.com/perfctl/perfctl/internal/targets/process"
)

type processWatcher struct {
	of      process.Watch
	system  string
	members []int
	last    map[int]process.Status
	looks   int
}

// maxMembers bounds how many of a watched program's processes are looked at.
const maxMembers = 64

// findEvery is after how many looks the processes are looked for again.
const findEvery = 25

// NewProcess returns a watcher of a program on this machine: processor time that it was
// refused or had to wait for, signals that stopped it, pages that it read from disk.
func NewProcess(w process.Watch) Watcher {
	return &processWatcher{of: w, system: w.System(), last: map[int]process.Status{}}
}

func (w *processWatcher) String() string { return "the process " + w.of.Name }

func (w *processWatcher) Watch(ctx context.Context, j *Journal) error {
	open := newSpans(j)
	defer open.end()
	return every(ctx, j, 2*looks, func(before float64) error {
		if w.looks%findEvery == 0 {
			w.members = w.of.Members()
			w.members = w.members[:min(len(w.members), maxMembers)]
		}
		w.looks++
		now := j.Now()
		next := make(map[int]process.Status, len(w.members))
		for i, pid := range w.members {
			m, ok := process.Look(pid)
			if !ok {
				continue
			}
			next[pid] = m
			if was, known := w.last[pid]; known {
				w.judge(open, &was, &m, pid, i, before, now)
			}
		}
		w.last = next
		open.sweep()
		return nil
	})
}

// judge notes what became of one process between two looks. i is its place: the first is
// the one that serves, where there are several that serve with it.
func (w *processWatcher) judge(open *spans, was, m *process.Status, pid, i int, before, now float64) {
	v := exemplars.Evidence{From: before, To: now, Source: w.of.Name}
	if w.system != w.of.Name {
		v.System = w.system
	}
	if w.system == "postgres" { // each of its connections has a process of its own
		v.Process = uint32(pid)
	} else if i > 0 {
		return
	}
	key := strconv.Itoa(pid)
	if m.Stopped && v.Process == 0 { // PostgreSQL's own watcher sees it as well, and more often
		v.Kind, v.What = exemplars.Stopped, "was stopped by a signal"
		open.see(key+"stopped", v)
	}
	if took := exemplars.Millis(m.Throttled - was.Throttled); took >= leastThrottled {
		v.Kind, v.What = exemplars.Throttled, "was refused processor time by the limit of its control group"
		open.see(key+"throttled", v)
	}
	if took := exemplars.Millis(longestWait(was, m)); took >= leastStarved && took >= (now-before)/2 {
		v.Kind, v.What = exemplars.Starved, "was ready to work and had no processor: others had them"
		open.see(key+"starved", v)
	}
	if n, took := m.Faults-was.Faults, exemplars.Millis(m.Disk-was.Disk); n > 0 && took >= (now-before)/2 {
		v.Kind, v.What = exemplars.Faults, "waited for pages that it had to read from disk"
		open.see(key+"faults", v)
	} else if took >= (now-before)/2 {
		v.Kind, v.Waited, v.Disk, v.What = exemplars.Waits, "the disk", true, "the disk"
		open.see(key+"disk", v)
	}
}

// longestWait is how long the thread that waited longest for a processor did so.
func longestWait(was, m *process.Status) (longest time.Duration) {
	for id, at := range m.Waited {
		if before, ok := was.Waited[id]; ok {
			longest = max(longest, at-before)
		}
	}
	return longest
}
