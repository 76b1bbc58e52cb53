package process

import "time"

// Status is what the kernel says of one process at an instant, for who looks often.
type Status struct {
	// Stopped says that a signal has stopped it.
	Stopped bool
	// Waited is, by thread, for how long in all it was ready to work and had no
	// processor. Of many threads it holds the first.
	Waited map[int]time.Duration
	// Faults is how many pages it had to read from disk so far, Disk for how long it
	// waited for disks, where the kernel counts that.
	Faults int64
	Disk   time.Duration
	// Throttled is for how long the limit of its control group has held that back so
	// far; 0 where there is none.
	Throttled time.Duration
}

// maxThreads is of how many threads of a process it is read how long they waited.
const maxThreads = 32

// Members returns the numbers of the watched processes and of their descendants, the
// watched ones first; none where they cannot be read.
func (w *Watch) Members() []int {
	all, err := table()
	if err != nil {
		return nil
	}
	t := w.tree(all)
	var roots, rest []int
	for i := range t.all {
		if _, root := t.roots[t.all[i].pid]; root {
			roots = append(roots, t.all[i].pid)
		} else {
			rest = append(rest, t.all[i].pid)
		}
	}
	return append(roots, rest...)
}
