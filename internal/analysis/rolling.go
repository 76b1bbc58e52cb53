package analysis

import (
	"slices"

	"github.com/perfctl/perfctl/internal/metrics"
)

// rolling merges histograms, which come in the order of time, into those of
// longer bins, and holds one of them at a time.
type rolling struct {
	done func(bin int, h *metrics.Hist)
	hist metrics.Hist
	bin  int
	// lost are the censored values of intervals that hold no others; they come
	// first.
	lost map[int]int64
}

func newRolling(done func(bin int, h *metrics.Hist)) *rolling {
	return &rolling{done: done, bin: -1, lost: map[int]int64{}}
}

func (r *rolling) add(bin int, h *metrics.Hist) {
	if h.N == 0 {
		r.lost[bin] += h.Censored
		return
	}
	if bin != r.bin {
		r.flush()
		r.bin = bin
	}
	r.hist.Merge(h)
}

func (r *rolling) flush() {
	if r.bin < 0 {
		return
	}
	r.hist.Censored += r.lost[r.bin]
	delete(r.lost, r.bin)
	r.done(r.bin, &r.hist)
	r.hist.Reset()
	r.bin = -1
}

// end delivers what is left: the last bin and those without any value.
func (r *rolling) end() {
	r.flush()
	bins := make([]int, 0, len(r.lost))
	for b := range r.lost {
		bins = append(bins, b)
	}
	slices.Sort(bins)
	for _, b := range bins {
		r.done(b, &metrics.Hist{Censored: r.lost[b]})
	}
}
