package evidence

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/perfctl/perfctl/internal/rundir/exemplars"
)

type hostWatcher struct {
	segments, throttled int64
	known               bool
}

// NewHost returns a watcher of the machine that perfctl runs on: segments that TCP sent
// again, and processor time that its control group was refused.
func NewHost() Watcher { return &hostWatcher{} }

func (w *hostWatcher) String() string { return "this machine" }

func (w *hostWatcher) Watch(ctx context.Context, j *Journal) error {
	return every(ctx, j, 2*looks, func(before float64) error {
		segments, throttled := retransmitted(), throttledMicros()
		v := exemplars.Evidence{From: before, To: j.Now(), Source: "host"}
		if n := segments - w.segments; w.known && n > 0 {
			v.Kind, v.What = exemplars.Retransmits, fmt.Sprintf("TCP sent %d segments again, on all connections of this machine", n)
			j.Note(v)
		}
		if took := float64(throttled-w.throttled) / 1000; w.known && took >= 5 {
			v.Source, v.Kind, v.What = "generator", exemplars.Throttled, fmt.Sprintf("was refused %.0f ms of processor time by its limit", took)
			j.Note(v)
		}
		w.segments, w.throttled, w.known = segments, throttled, true
		return nil
	})
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

// throttledMicros is for how many microseconds the control group was held back; 0 where
// that is not known.
func throttledMicros() int64 {
	text, err := os.ReadFile("/sys/fs/cgroup/cpu.stat")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "throttled_usec ")
	value, _, _ := strings.Cut(rest, "\n")
	n, _ := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
	return n
}
