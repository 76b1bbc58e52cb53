package tasks

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"hash/fnv"
	"time"
)

// task is what a message says of itself.
type task struct {
	// run tells the run's messages from all others.
	run uint64
	// n is the task's number among the tasks, k the arrival's in the run.
	n, k int64
	// stage is the arrival's stage.
	stage int
	// warm marks a message of the set-up, which is not counted.
	warm bool
	// due and sent are since 1970 in a message, and on the run's clock once an agent has
	// it.
	due, sent time.Duration
}

// A body begins with this fixed prefix, big-endian, and is padded to the size
// asked for:
//
//	0  magic    "pft1"
//	4  flags    bit 0: warm-up
//	5  zero
//	6  stage    uint16
//	8  run      uint64
//	16 n        int64
//	24 k        int64
//	32 due      int64, nanoseconds
//	40 sent     int64, nanoseconds
//	48 check    CRC-32C of the 48 bytes before it
const (
	bodyMagic  = 0x70667431
	prefixSize = 52
	maxStage   = 1<<16 - 1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errNotTask says that a body is not one of perfctl's tasks.
var errNotTask = errors.New("not a task of perfctl")

// encode writes the prefix of body, which has at least prefixSize bytes.
func (t *task) encode(body []byte) {
	binary.BigEndian.PutUint32(body, bodyMagic)
	body[4], body[5] = 0, 0
	if t.warm {
		body[4] = 1
	}
	binary.BigEndian.PutUint16(body[6:], uint16(min(max(t.stage, 0), maxStage)))
	binary.BigEndian.PutUint64(body[8:], t.run)
	binary.BigEndian.PutUint64(body[16:], uint64(t.n))
	binary.BigEndian.PutUint64(body[24:], uint64(t.k))
	binary.BigEndian.PutUint64(body[32:], uint64(t.due))
	binary.BigEndian.PutUint64(body[40:], uint64(t.sent))
	binary.BigEndian.PutUint32(body[48:], crc32.Checksum(body[:48], castagnoli))
}

// decode reads the prefix of a body. Anything that encode cannot have written
// is errNotTask.
func decode(body []byte) (task, error) {
	if len(body) < prefixSize || binary.BigEndian.Uint32(body) != bodyMagic ||
		body[4] > 1 || body[5] != 0 ||
		binary.BigEndian.Uint32(body[48:]) != crc32.Checksum(body[:48], castagnoli) {
		return task{}, errNotTask
	}
	return task{
		run:   binary.BigEndian.Uint64(body[8:]),
		n:     int64(binary.BigEndian.Uint64(body[16:])),
		k:     int64(binary.BigEndian.Uint64(body[24:])),
		stage: int(binary.BigEndian.Uint16(body[6:])),
		warm:  body[4] == 1,
		due:   time.Duration(binary.BigEndian.Uint64(body[32:])),
		sent:  time.Duration(binary.BigEndian.Uint64(body[40:])),
	}, nil
}

// runHash returns the number that stands for a run in its messages.
func runHash(queue string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(queue))
	return h.Sum64()
}
