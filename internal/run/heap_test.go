package run

import (
	"runtime/debug"
	"testing"
)

func TestGarbageMayPileUpAsTheUserSays(t *testing.T) {
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	for _, c := range []struct {
		gogc bool
		want int
	}{{true, 100}, {false, collectAfterwards}} {
		k := newHeapKeeper(func(name string) (string, bool) { return "100", c.gogc && name == "GOGC" })
		k.set(collectAfterwards)
		if got := debug.SetGCPercent(100); got != c.want {
			t.Errorf("with GOGC %t it is %d %%, want %d", c.gogc, got, c.want)
		}
	}
}

func TestALargeHeapIsCollectedSooner(t *testing.T) {
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	k := newHeapKeeper(func(string) (string, bool) { return "", false })
	large := make([]byte, 2*largeHeap)
	debug.FreeOSMemory() // collects, so that the heap is known
	k.tend()
	large[0] = 1
	if got := debug.SetGCPercent(100); got != collectLarge {
		t.Errorf("with %d MB it is %d %%, want %d", len(large)>>20, got, collectLarge)
	}
}

// In a container the heap stays below what the container may use, unless GOMEMLIMIT says
// otherwise.
func TestTheHeapStaysBelowTheContainersMemory(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(before)
	limitMemory(func() (uint64, error) { return 1000 << 20, nil })
	if got := debug.SetMemoryLimit(-1); got != 900<<20 {
		t.Errorf("the limit is %d MB, want nine tenths of 1000", got>>20)
	}
	t.Setenv("GOMEMLIMIT", "1GiB")
	limitMemory(func() (uint64, error) { return 100 << 20, nil })
	if got := debug.SetMemoryLimit(-1); got != 900<<20 {
		t.Errorf("the limit is %d MB although GOMEMLIMIT is set", got>>20)
	}
}
