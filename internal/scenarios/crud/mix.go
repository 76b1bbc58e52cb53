package crud

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/perfctl/perfctl/internal/suggest"
)

// The operations.
const (
	opInsert = iota
	opSelect
	opUpdate
	opDelete
	opCount
)

var opNames = [opCount]string{"insert", "select", "update", "delete"}

// mix holds, for each operation, the share of arrivals that are it or one of
// those before it; the last is 1.
type mix [opCount]float64

// parseMix reads "insert=40,select=60".
func parseMix(text string) (mix, error) {
	var weights mix
	var seen [opCount]bool
	for part := range strings.SplitSeq(text, ",") {
		name, value, found := strings.Cut(part, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		op := slices.Index(opNames[:], name)
		if op < 0 {
			near, ok := suggest.Nearest(name, opNames[:])
			if ok {
				return mix{}, fmt.Errorf("%q is not an operation; did you mean %q?", name, near)
			}
			return mix{}, fmt.Errorf("%q is not an operation; there are %s", name, strings.Join(opNames[:], ", "))
		}
		weight, err := strconv.ParseFloat(value, 64)
		if !found || err != nil || !(weight >= 0) || math.IsInf(weight, 0) || weight > 1e9 {
			return mix{}, fmt.Errorf("the weight of %s must be a number from 0, as in %s=40", name, name)
		}
		if seen[op] {
			return mix{}, fmt.Errorf("%s stands there twice", name)
		}
		seen[op], weights[op] = true, weight
	}
	return weights.normalised()
}

func (m mix) normalised() (mix, error) {
	var sum float64
	for _, w := range m {
		sum += w
	}
	if sum <= 0 {
		return mix{}, errors.New("no operation has a weight above 0")
	}
	var upTo float64
	last := 0
	for op, w := range m {
		if upTo += w / sum; w > 0 {
			last = op
		}
		m[op] = upTo
	}
	// Rounding must not leave a gap below 1.
	for op := last; op < opCount; op++ {
		m[op] = 1
	}
	return m, nil
}

func validMix(text string) error {
	_, err := parseMix(text)
	return err
}

// pick returns the operation of u, a uniform number in [0, 1).
func (m *mix) pick(u float64) int {
	for op := range opCount - 1 {
		if u < m[op] {
			return op
		}
	}
	return opCount - 1
}

// share returns the part of arrivals that are the operation.
func (m *mix) share(op int) float64 {
	if op == 0 {
		return m[0]
	}
	return m[op] - m[op-1]
}
