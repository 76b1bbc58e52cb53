package cluster

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"
)

// The annotations by which a shard is told things.
const (
	annotationPrefix = "perfctl.io/"
	// noteAgreed says that all shards are of one mind; noteHandover is what the first one
	// made, in base64; noteStartAt the instant of the first arrival, in RFC 3339; noteGo
	// says that all wait for it; noteReached names the point of the end that all have
	// come to, and behind it the shards that are gone; noteStop why the shard is to end, with a word of Stop before
	// it; noteReprint the number of a request and that of the frame from which on all
	// are to be printed again; noteCollected that all is there.
	noteAgreed    = annotationPrefix + "agreed"
	noteGo        = annotationPrefix + "go"
	noteReached   = annotationPrefix + "reached"
	noteHandover  = annotationPrefix + "handover"
	noteStartAt   = annotationPrefix + "start-at"
	noteStop      = annotationPrefix + "stop"
	noteReprint   = annotationPrefix + "reprint"
	noteCollected = annotationPrefix + "collected"
	// noteReminder is a number that changes, so that a node looks at the pod again.
	noteReminder = annotationPrefix + "reminder"
)

// Inbox is the file in which a pod finds its annotations, as the downward API writes it.
type Inbox struct {
	// Path is the file's.
	Path string
	// Every is how often it is looked at.
	Every time.Duration
}

// read returns the annotations that are perfctl's; none where there is no file yet.
func (b *Inbox) read() (map[string]string, error) {
	text, err := os.ReadFile(b.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	scan := bufio.NewScanner(bytes.NewReader(text))
	scan.Buffer(nil, 1<<20)
	for scan.Scan() {
		key, quoted, ok := strings.Cut(scan.Text(), "=")
		if !ok || !strings.HasPrefix(key, annotationPrefix) {
			continue
		}
		value, err := strconv.Unquote(quoted)
		if err != nil {
			continue // half written
		}
		out[key] = value
	}
	return out, scan.Err()
}

// watch calls found with the annotations each time that they differ, until it returns
// true or ctx ends. A file that cannot be read is tried again.
func (b *Inbox) watch(ctx context.Context, found func(map[string]string) bool) error {
	tick := time.NewTicker(b.Every)
	defer tick.Stop()
	var last map[string]string
	for {
		if notes, err := b.read(); err == nil && !same(notes, last) {
			last = notes
			if found(notes) {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

func same(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if w, ok := b[k]; !ok || w != v {
			return false
		}
	}
	return true
}
