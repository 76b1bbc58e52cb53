package tasks

import (
	"encoding/binary"
	"encoding/hex"
)

// idSize is the length of a task's id as text.
const idSize = 36

// idText appends the id of task n of the run. It has the shape of a version 4
// UUID, which systems accept that check ids, and holds the run (60 bits) and
// the number (62 bits): a reply can be told without any table.
func idText(dst []byte, run uint64, n int64) []byte {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], run)
	binary.BigEndian.PutUint64(b[8:], uint64(n)&(1<<62-1)|1<<63)
	b[6] = b[6]&0x0f | 0x40
	for i, end := range [...]int{4, 6, 8, 10, 16} {
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, b[[...]int{0, 4, 6, 8, 10}[i]:end])
	}
	return dst
}

// parseID returns the number of the run's task that the id stands for; ours is
// false for every other text.
func parseID(text string, run uint64) (n int64, ours bool) {
	if len(text) != idSize || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return 0, false
	}
	var digits [32]byte
	d := append(append(append(digits[:0], text[:8]...), text[9:13]...), text[14:18]...)
	d = append(append(d, text[19:23]...), text[24:]...)
	var b [16]byte
	if _, err := hex.Decode(b[:], d); err != nil {
		return 0, false
	}
	low := binary.BigEndian.Uint64(b[8:])
	const version = 0xf000
	if high := binary.BigEndian.Uint64(b[:]); high&^version != run&^version || high&version != 0x4000 || low>>62 != 2 {
		return 0, false
	}
	return int64(low & (1<<62 - 1)), true
}
