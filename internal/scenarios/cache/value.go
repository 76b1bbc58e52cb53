package cache

import (
	"encoding/binary"
	"strings"

	"github.com/perfctl/perfctl/internal/engine/work"
)

// headerSize is the part of a value that tells whose it is.
const headerSize = 16

// sizes says how long the value of each key is.
type sizes struct {
	least, most int
	seed        uint64
	filler      string
}

func newSizes(seed uint64, least, most int) sizes {
	most = max(least, most)
	return sizes{least, most, seed, strings.Repeat("perfctl.", most/8+1)[:most]}
}

// of returns the size of the value of a key, uniform from least to most.
func (z *sizes) of(id uint64) int {
	if z.most == z.least {
		return z.least
	}
	return z.least + int(work.Mix(z.seed, id, streamSize)%uint64(z.most-z.least+1))
}

// appendValue appends the value of a key: whose it is, then filler.
func (z *sizes) appendValue(b []byte, id uint64) []byte {
	b = binary.BigEndian.AppendUint64(b, id)
	b = binary.BigEndian.AppendUint64(b, work.Mix(z.seed, id, 0))
	return append(b, z.filler[:z.of(id)-headerSize]...)
}

// intact says whether v is the value of a key, up to its filler.
func (z *sizes) intact(v string, id uint64) bool {
	if len(v) != z.of(id) {
		return false
	}
	var want [headerSize]byte
	binary.BigEndian.PutUint64(want[:], id)
	binary.BigEndian.PutUint64(want[8:], work.Mix(z.seed, id, 0))
	return v[:headerSize] == string(want[:]) && v[headerSize:] == z.filler[:len(v)-headerSize]
}
