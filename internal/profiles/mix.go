package profiles

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// maxBlock bounds the sum of weights, and so what a Mix keeps in memory.
const maxBlock = 1 << 16

// Mix says which scenario an arrival exercises. Arrivals come in blocks as long
// as the sum of the weights, their common divisor taken out; in each block every
// scenario occurs exactly its weight times, in an order of the block's own that
// the seed decides, so that no shard meets one scenario only. The scenario of
// an arrival depends on its number and the seed alone.
//
// A Mix keeps the order of the block it was asked about last: it is cheap for
// rising numbers, right for any, and for one goroutine.
type Mix struct {
	weights []int64
	seed    uint64
	base    []uint16 // a block in the order of the weights
	order   []uint16 // of the cached block: which scenario, by position
	rank    []uint16 // and how many of that scenario came before in the block
	seen    []uint16 // by scenario
	block   int64    // the cached block, -1 for none
}

// NewMix returns the mix of scenarios with these weights. A weight below 1, a
// scenario named twice, and weights that sum to more than 65536 are errors.
func NewMix(w []Weight, seed uint64) (*Mix, error) {
	if len(w) == 0 {
		return nil, fmt.Errorf("no scenario to mix")
	}
	var divisor, sum int64
	for i, s := range w {
		if s.Weight < 1 {
			return nil, fmt.Errorf("scenario %s has weight %d: it must be 1 or more", s.Scenario, s.Weight)
		}
		if slices.ContainsFunc(w[:i], func(o Weight) bool { return o.Scenario == s.Scenario }) {
			return nil, fmt.Errorf("scenario %s is named twice", s.Scenario)
		}
		divisor = gcd(int64(s.Weight), divisor)
	}
	m := &Mix{seed: mix64(seed), seen: make([]uint16, len(w)), block: -1}
	for i, s := range w {
		n := int64(s.Weight) / divisor
		if n > maxBlock-sum {
			return nil, fmt.Errorf("the weights sum to more than %d: use smaller ones", maxBlock)
		}
		sum += n
		m.weights = append(m.weights, n)
		m.base = append(m.base, slices.Repeat([]uint16{uint16(i)}, int(n))...)
	}
	m.order, m.rank = slices.Clone(m.base), make([]uint16, sum)
	return m, nil
}

// At returns the scenario that arrival k exercises, as its index in the weights,
// and how many arrivals of that scenario come before it. k must not be negative.
func (m *Mix) At(k int64) (scenario int, n int64) {
	w := int64(len(m.order))
	block := k / w
	if block != m.block {
		m.shuffle(block)
	}
	i := k - block*w
	scenario = int(m.order[i])
	return scenario, block*m.weights[scenario] + int64(m.rank[i])
}

// Number returns the number k of the n-th arrival, from 0, that exercises the scenario:
// it undoes At.
func (m *Mix) Number(scenario int, n int64) int64 {
	block := n / m.weights[scenario]
	if block != m.block {
		m.shuffle(block)
	}
	rank := uint16(n - block*m.weights[scenario])
	for i, s := range m.order {
		if int(s) == scenario && m.rank[i] == rank {
			return block*int64(len(m.order)) + int64(i)
		}
	}
	return -1 // not for a scenario of the mix
}

// Count returns how many of the first total arrivals exercise the scenario.
func (m *Mix) Count(scenario int, total int64) int64 {
	w := int64(len(m.order))
	block := total / w
	n := block * m.weights[scenario]
	rest := total - block*w
	if rest > 0 && block != m.block {
		m.shuffle(block)
	}
	for _, s := range m.order[:rest] {
		if int(s) == scenario {
			n++
		}
	}
	return n
}

// shuffle caches the order of a block (Fisher–Yates).
func (m *Mix) shuffle(block int64) {
	var random rand.PCG
	random.Seed(m.seed, mix64(uint64(block)))
	m.block = block
	copy(m.order, m.base)
	for i := len(m.order) - 1; i > 0; i-- {
		// The bias of the remainder is below 2⁻⁴⁸: a block is short.
		j := random.Uint64() % uint64(i+1)
		m.order[i], m.order[j] = m.order[j], m.order[i]
	}
	clear(m.seen)
	for i, s := range m.order {
		m.rank[i] = m.seen[s]
		m.seen[s]++
	}
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
