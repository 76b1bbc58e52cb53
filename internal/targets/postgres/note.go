package postgres

import (
	"net"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
)

// opening is under which name a connection holds how long it took to open it, until its
// first use.
const opening = "perfctl.opening"

// tracing is under which name a connection holds the parent of the spans of what is done
// on it, until it is given to somebody else.
const tracing = "perfctl.traceparent"

// commented returns a statement with a comment that says to which trace it belongs, in
// the form of sqlcommenter; ok is false where it belongs to none. It is another text
// than the one that was prepared, and is sent as a whole.
func (c Conn) commented(sql string) (text string, ok bool) {
	data := c.pg.CustomData()
	if len(data) == 0 {
		return "", false
	}
	parent, ok := data[tracing].(string)
	if !ok {
		return "", false
	}
	// A comment to the end of the line may be the last thing in it.
	return sql + "\n/*traceparent='" + parent + "'*/", true
}

// port is the connection's own port, 0 for none.
func (c Conn) port() uint32 {
	if own, ok := c.pg.Conn().LocalAddr().(*net.TCPAddr); ok {
		return uint32(own.Port)
	}
	return 0
}

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
	// Whoever has a connection first that was opened in the run waited while it was.
	if data := c.pg.CustomData(); len(data) > 0 {
		if took, ok := data[opening].(time.Duration); ok {
			delete(data, opening)
			o.Connect, o.Reconnects = min(took, max(at-o.Start, 0)), o.Reconnects+1
		}
	}
	if parent := o.TraceParent(); parent != "" {
		c.pg.CustomData()[tracing] = parent
	}
	o.On(at, c.port(), process)
	o.Asks("", request)
}
