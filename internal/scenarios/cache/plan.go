package cache

import (
	"math"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/scenarios"
)

// The random streams of an arrival.
const (
	streamKey = iota + 1
	streamHot
	streamBackend
	streamSize
	streamTTL
)

// block is how many consecutive arrivals share one shuffled pattern of hits.
const block = 100

// stagePlan decides which arrivals of a stage hit. Over the whole stage, and to
// within one over any whole number of blocks, the share of hits is exactly the
// one asked for: hits are not drawn, they are dealt.
type stagePlan struct {
	first, total int64 // the scenario's arrivals before and in the stage
	ratio        float64
}

// hotSeed tells the deal of the hot key's readers from that of the hits.
const hotSeed = 0x686f74

// withoutHot returns the plan of the arrivals that the plan of the hot key's
// readers leaves: its numbers are the first and the ranks among these.
func (p stagePlan) withoutHot(hot stagePlan) stagePlan {
	p.total -= hot.hitsBefore(hot.total)
	return p
}

// hitsBefore returns how many of the stage's first n arrivals hit.
func (p stagePlan) hitsBefore(n int64) int64 { return int64(math.Floor(float64(n)*p.ratio + 1e-9)) }

// hit says whether the scenario's arrival number n is to hit. Within a block
// the order is a seeded permutation: position × step + offset, modulo the
// block's size, with the step coprime to it.
func (p stagePlan) hit(seed uint64, n int64) bool {
	hit, _ := p.deal(seed, n)
	return hit
}

// deal is hit, and returns the arrival's rank among those of the stage that
// hit, or among those that do not, from 0 and without gaps.
func (p stagePlan) deal(seed uint64, n int64) (hit bool, rank int64) {
	i := n - p.first
	from := i - i%block
	size := min(block, p.total-from)
	if i < 0 || size <= 0 { // beyond the plan: deal it as a block of its own
		from, size = i, 1
	}
	dealt := p.hitsBefore(from+size) - p.hitsBefore(from)
	h := work.Mix(seed, uint64(from), uint64(p.first))
	step := int64(h%uint64(size)) + 1
	for gcd(step, size) != 1 {
		step++
	}
	offset := int64((h >> 32) % uint64(size))
	order := ((i-from)*step + offset) % size
	if before := p.hitsBefore(from); order < dealt {
		return true, before + order
	} else {
		return false, from - before + order - dealt
	}
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// stagePlans returns the plan of every stage.
func stagePlans(e scenarios.Env) []stagePlan {
	out := make([]stagePlan, len(e.Plan.Stages))
	var first int64
	for i := range out {
		out[i].ratio = e.Values.Float(i, "hit_ratio")
		if isClosed(e, i) {
			continue
		}
		out[i].first, out[i].total = first, e.Plan.StageArrivals[i]
		first += e.Plan.StageArrivals[i]
	}
	for i := range out {
		if isClosed(e, i) { // their numbers follow all others, and nothing bounds them
			out[i].first, out[i].total = first, math.MaxInt64/2
		}
	}
	return out
}

func isClosed(e scenarios.Env, stage int) bool {
	return stage < len(e.Plan.Closed) && e.Plan.Closed[stage]
}
