package run

import (
	"runtime/debug"
	"runtime/metrics"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

const (
	// largeHeap is from what live heap on, in bytes, memory is dearer than the time
	// to collect it: what the heap holds by then are histograms, which stay.
	largeHeap = 28 << 20
	// collectLarge is by how many percent a large heap grows before it is
	// collected: half of Go's default keeps the profile load below 100 MB, at a
	// collection of 5 ms every few seconds. A small one keeps Go's default, which
	// costs a twentieth less processor time at 10,000 arrivals a second.
	collectLarge = 50
	collectSmall = 100
	// collectAfterwards holds once nothing is measured any more, when time is
	// cheaper than memory.
	collectAfterwards = 20
)

// heapKeeper says how much garbage may pile up, unless the user did, with GOGC.
type heapKeeper struct {
	off  bool
	live []metrics.Sample
	now  int
}

func newHeapKeeper(lookupEnv func(string) (string, bool)) *heapKeeper {
	_, off := lookupEnv("GOGC")
	return &heapKeeper{off: off, live: []metrics.Sample{{Name: "/gc/heap/live:bytes"}}}
}

// tend looks at the heap. It is called about once a second.
func (k *heapKeeper) tend() {
	metrics.Read(k.live)
	if v := k.live[0].Value; v.Kind() == metrics.KindUint64 && v.Uint64() > largeHeap {
		k.set(collectLarge)
	}
}

// set changes how much may pile up; the runtime stops for it, so it is done once.
func (k *heapKeeper) set(percent int) {
	if !k.off && k.now != percent {
		debug.SetGCPercent(percent)
		k.now = percent
	}
}

// memoryShare is the part of a container's memory that the heap may have; the rest is for
// stacks, sockets and what the collector does not see.
const memoryShare = 0.9

// LimitMemory has garbage collected sooner where the process would else outgrow the memory
// that its cgroup may use: the kernel would kill it, and what was measured would end
// there. GOMEMLIMIT overrides it. It is called once, when the program starts.
func LimitMemory() { limitMemory(memlimit.FromCgroup) }

func limitMemory(of memlimit.Provider) {
	// Where the bound cannot be read there is none that could be kept.
	_, _ = memlimit.Set(memlimit.WithRatio(memoryShare), memlimit.WithProvider(of))
}
