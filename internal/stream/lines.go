package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/perfctl/perfctl/internal/metrics"
)

// encoder turns a snapshot into lines.
type encoder interface {
	// header returns what stands before the first line, nil for nothing.
	header() []byte
	// lines appends the snapshot's lines.
	lines(to []byte, s *metrics.Snapshot) []byte
}

// queueSeconds is how many seconds of a run wait for a receiver that is slow: two
// minutes are a few megabytes.
const queueSeconds = 120

// Lines writes a line for each series and second to a file or a pipe, on a
// goroutine of its own.
type Lines struct {
	to    io.WriteCloser
	enc   encoder
	queue chan []byte
	done  chan struct{}
	// taken seconds had lines, dropped ones found the queue full, delivered ones
	// are written.
	taken, dropped int64
	delivered      atomic.Int64
	err            error // of the first write that failed; read after done
}

// NewJSON returns a stream of JSON objects, one a line, to an open file; Close
// closes it. See docs/outputs.md for the fields.
func NewJSON(to io.WriteCloser) *Lines { return newLines(to, &jsonEncoder{}) }

// NewCSV returns a stream of comma-separated lines under one header, to an open
// file; Close closes it. The columns are the fields of NewJSON's lines.
func NewCSV(to io.WriteCloser) *Lines { return newLines(to, &csvEncoder{}) }

func newLines(to io.WriteCloser, enc encoder) *Lines {
	l := &Lines{to: to, enc: enc, queue: make(chan []byte, queueSeconds), done: make(chan struct{})}
	go l.write()
	return l
}

// Snapshot encodes the second and queues it.
func (l *Lines) Snapshot(s *metrics.Snapshot) {
	text := l.enc.lines(nil, s)
	if len(text) == 0 {
		return
	}
	l.taken++
	select {
	case l.queue <- text:
	default:
		l.dropped++
	}
}

// write writes what is queued. A failure does not end it: a disk may have room
// again. After one the next text starts on a line of its own, so that what was torn
// spoils nothing else.
func (l *Lines) write() {
	defer close(l.done)
	before := l.enc.header()
	for text := range l.queue {
		if err := l.put(append(before, text...)); err != nil {
			before = append([]byte{'\n'}, l.headerUntilDelivered()...)
			continue
		}
		before = nil
		l.delivered.Add(1)
	}
	if err := l.to.Close(); err != nil && l.err == nil {
		l.err = err
	}
}

// headerUntilDelivered returns the header as long as no line stands below one.
func (l *Lines) headerUntilDelivered() []byte {
	if l.delivered.Load() > 0 {
		return nil
	}
	return l.enc.header()
}

func (l *Lines) put(text []byte) error {
	_, err := l.to.Write(text)
	if err != nil && l.err == nil {
		l.err = err
	}
	return err
}

// Close writes what is queued and closes the file.
func (l *Lines) Close(ctx context.Context) error {
	close(l.queue)
	select {
	case <-l.done:
	case <-ctx.Done():
		// The writer hangs in Write: closing may free it, and may hang as well.
		go func() { _ = l.to.Close() }()
		return l.loss(errors.New("it does not take what is written"))
	}
	if l.err != nil || l.dropped > 0 {
		return l.loss(l.err)
	}
	return nil
}

// loss says how many seconds did not arrive.
func (l *Lines) loss(why error) error {
	lost := l.taken - l.delivered.Load()
	if why == nil {
		return fmt.Errorf("%s lost, it was too slow", seconds(lost, l.taken))
	}
	return fmt.Errorf("%s lost: %w", seconds(lost, l.taken), why)
}

func seconds(n, of int64) string { return fmt.Sprintf("%d of %d seconds", n, of) }
