package meeting

import (
	"fmt"
	"net"
	"time"
)

// seat is a shard that came.
type seat struct {
	process string
	conn    net.Conn // nil while it is away
	// gone says that it lives no more, left that it said so itself.
	gone, left bool
	timer      *time.Timer
}

// seatOf gives somebody a seat, or says why not.
func (h *hub) seatOf(j *join, conn net.Conn) (refused string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.seats[j.Shard]
	switch {
	case j.Run != h.o.Run:
		return fmt.Sprintf("at %s the run %s meets, and not %s: give all shards one --run-id, or each run another port", h.address, h.o.Run, j.Run)
	case j.Shards != h.o.Shards:
		return fmt.Sprintf("shards 0 and %d differ: the number of shards is %d and %d: give all shards the same", j.Shard, h.o.Shards, j.Shards)
	case j.Shard <= 0 || j.Shard >= h.o.Shards:
		return fmt.Sprintf("shard %d of the run %s is running already: it is at %s", j.Shard, j.Run, h.address)
	case s == nil:
		h.seats[j.Shard] = &seat{process: j.Process, conn: conn}
		return ""
	case s.process != j.Process && (s.gone || s.left):
		return fmt.Sprintf("shard %d of the run %s was there before: choose another --run-id", j.Shard, j.Run)
	case s.process != j.Process:
		return fmt.Sprintf("shard %d of the run %s is running already", j.Shard, j.Run)
	case s.gone:
		return fmt.Sprintf("shard %d was away for more than %v, and the others went on without it", j.Shard, away)
	}
	if s.timer != nil {
		s.timer.Stop()
	}
	if s.conn != nil {
		_ = s.conn.Close() // a new one takes its place
	}
	s.conn, s.timer = conn, nil
	return ""
}

// leaves notes that a guest's connection ended. One that does not come again is gone.
func (h *hub) leaves(shard int, conn net.Conn, bye bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	defer h.cond.Broadcast()
	s := h.seats[shard]
	if s.conn != conn {
		return // it came again already
	}
	s.conn, s.left = nil, s.left || bye
	if bye {
		h.lose(shard, s)
		return
	}
	s.timer = time.AfterFunc(away, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if s.conn == nil {
			h.lose(shard, s)
		}
	})
}

// lose notes that a guest lives no more.
func (h *hub) lose(shard int, s *seat) {
	if !s.gone {
		s.gone = true
		h.news = append(h.news, message{Gone: shard + 1})
		h.cond.Broadcast()
	}
}
