package postgres

import (
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
)

// Note notes of an operation that it has this connection since then, what it asks on
// it, and the server's process behind it. Behind a pooler that is not known.
func (c Conn) Note(o *work.Op, at time.Duration, request string) {
	if o == nil {
		return
	}
	process := uint32(0)
	if !c.pool.pooled {
		process = c.pg.PID()
	}
	o.On(at, 0, process)
	o.Asks("", request)
}
