package evidence

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"

	"github.com/perfctl/perfctl/internal/rundir/exemplars"
)

// Port is where a target listens, and what it is.
type Port struct {
	Number uint16
	System string
}

type networkWatcher struct {
	ports    []Port
	log      *slog.Logger
	segments int64
	lost     map[connection]uint32 // segments sent again so far
	blind    bool
	// grown says that segments were sent again since the list, listed when that was, and
	// next when the next one may be.
	grown        bool
	listed, next float64
}

// connection is a connection of the generator's to a target, by the two ports.
type connection struct{ own, target uint16 }

// beforeSeen is how long before it was seen a segment may have been lost: the kernel
// sends it again after 200 ms at the soonest.
const beforeSeen = 250.0

// NewNetwork returns a watcher of the connections to the targets: on which of them the
// kernel had to send segments again. Those of a target on this machine are watched at
// both of their ends.
func NewNetwork(ports []Port, log *slog.Logger) Watcher {
	return &networkWatcher{ports: ports, log: log}
}

func (w *networkWatcher) String() string { return "the connections of this machine" }

func (w *networkWatcher) Watch(ctx context.Context, j *Journal) error {
	open := newSpans(j)
	defer open.end()
	w.lost, w.listed, w.next = nil, j.Now(), 0
	return every(ctx, j, looks, func(float64) error {
		segments := retransmitted()
		w.grown = w.grown || segments > w.segments
		w.segments = segments
		// Listing the connections costs more than the count of all: it is done where
		// that has grown, and now and then to know of new ones, in a hundredth of the
		// time.
		now := j.Now()
		if w.blind || now < w.next || !w.grown && now-w.listed < 2000 {
			return nil
		}
		before := w.listed
		w.grown, w.listed = false, now
		w.list(j, open, before)
		w.next = now + 100*(j.Now()-now)
		open.sweep()
		return nil
	})
}

// list notes the connections on which segments were sent again since the last time.
func (w *networkWatcher) list(j *Journal, open *spans, before float64) {
	now := j.Now()
	next := map[connection]uint32{}
	err := sockets(func(local, remote uint16, resent, needless uint32) {
		for _, p := range w.ports {
			c := connection{local, remote}
			if local == p.Number {
				c = connection{remote, local}
			} else if remote != p.Number {
				continue
			}
			next[c] += resent - min(needless, resent)
			if was, known := w.lost[c]; known && next[c] > was || !known && w.lost != nil && next[c] > 0 {
				w.note(open, c, p.System, before, now)
			}
			return
		}
	})
	if err != nil {
		w.blind = true
		w.log.Info("the kernel does not list connections: perfctl slow does not know on which of them segments were lost", "cause", err)
		return
	}
	w.lost = next
}

func (w *networkWatcher) note(open *spans, c connection, system string, before, now float64) {
	v := exemplars.Evidence{From: before - beforeSeen, To: now, Source: "host", System: system, Kind: exemplars.Retransmits, Conn: uint32(c.own),
		What: "segments of their connection were lost and sent again"}
	open.see(fmt.Sprint(c), v)
}

// retransmitted is how many segments TCP sent again since the machine started; 0 where
// that is not known. See RFC 4022, tcpRetransSegs.
func retransmitted() int64 {
	text, err := os.ReadFile("/proc/net/snmp")
	if err != nil {
		return 0
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] != "Tcp:" {
			continue
		}
		if names == nil {
			names = words
			continue
		}
		for i, name := range names {
			if name == "RetransSegs" && i < len(words) {
				n, _ := strconv.ParseInt(words[i], 10, 64)
				return n
			}
		}
	}
	return 0
}
