package cluster

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// listener follows the log of one shard and delivers its frames in their order, each
// once, whatever the way does to them: a stream that breaks is opened again at the last
// time seen, what came twice is left out, what is missing is asked for by its number.
type listener struct {
	client *Client
	shard  int
	pod    string
	// deliver takes a frame and when it came; other takes a line that is none.
	deliver func(Frame, time.Time)
	other   func(line string)
	// refused is told, once, that the log may not be read.
	refused func(error)
	told    bool
	// over says that the pod prints nothing any more.
	over atomic.Bool

	// next is the number that is due, ahead are those that came before their turn.
	next  int64
	ahead map[int64]Frame
	// last is the time of the last line.
	last time.Time
	// missed is since when a frame is missing, asked when it was asked for.
	missed, asked time.Time
}

const (
	// patience is how long a missing frame may still come by itself, askAgain how long
	// after a request the next one is made.
	patience = 500 * time.Millisecond
	askAgain = 5 * time.Second
	// mostAhead bounds the frames that are held.
	mostAhead = 1 << 16
	// mostLine bounds a line of a log.
	mostLine = 1 << 20
)

// listen follows until ctx ends, or the pod is over and all that it left was read.
func (l *listener) listen(ctx context.Context) {
	l.ahead = map[int64]Frame{}
	wait := 100 * time.Millisecond
	for ctx.Err() == nil {
		over := l.over.Load()
		read, err := l.once(ctx)
		if apierrors.IsForbidden(err) && !l.told {
			l.told = true
			l.refused(l.client.explain(err, "get pods/log", nil))
		}
		if over && (err == nil || !passing(err)) && !read {
			l.flush()
			return
		}
		if read {
			wait = 100 * time.Millisecond
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		wait = min(2*wait, time.Second)
	}
}

// once reads the log until it ends. read says that there was something new in it.
func (l *listener) once(ctx context.Context) (read bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := l.client.follow(ctx, l.pod, l.last)
	if err != nil {
		return false, err
	}
	defer func() { _ = stream.Close() }() // it was only read
	lines := make(chan []byte, 64)
	go readLines(ctx, stream, lines)
	tick := time.NewTicker(patience / 2)
	defer tick.Stop()
	for {
		select {
		case line, open := <-lines:
			if !open {
				return read, nil
			}
			read = l.take(line) || read
		case <-tick.C:
		case <-ctx.Done():
			return read, nil
		}
		l.askForMissing(ctx)
	}
}

// readLines reads lines until the stream ends; one that is too long is cut.
func readLines(ctx context.Context, from io.Reader, to chan<- []byte) {
	defer close(to)
	r := bufio.NewReaderSize(from, 32<<10)
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(line) < mostLine {
			line = append(line, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if n := len(line); n > 0 && line[n-1] == '\n' { // a last line without its end is half a line
			select {
			case to <- bytes.Clone(line[:n-1]):
			case <-ctx.Done():
				return
			}
		}
		line = line[:0]
		if err != nil {
			return
		}
	}
}

// take takes a line: a time, a blank, and what was printed. It says whether it is new.
func (l *listener) take(line []byte) bool {
	stamp, text, ok := bytes.Cut(line, []byte(" "))
	at, err := time.Parse(time.RFC3339Nano, string(stamp))
	if !ok || err != nil {
		text = line
	} else if at.After(l.last) {
		l.last = at
	}
	f, framed, err := ParseFrame(text)
	switch {
	case !framed:
		l.other(string(text))
		return false
	case err != nil: // damaged: it counts as missing
		if l.missed.IsZero() {
			l.missed = time.Now()
		}
		return false
	case f.Number < l.next:
		return false // known
	}
	if _, known := l.ahead[f.Number]; known {
		return false
	}
	if f.Number > l.next {
		if l.missed.IsZero() {
			l.missed = time.Now()
		}
		if len(l.ahead) < mostAhead {
			l.ahead[f.Number] = f
		}
		return true
	}
	l.pass(f)
	for {
		f, there := l.ahead[l.next]
		if !there {
			break
		}
		delete(l.ahead, l.next)
		l.pass(f)
	}
	if len(l.ahead) == 0 {
		l.missed, l.asked = time.Time{}, time.Time{}
	} else {
		l.missed = time.Now() // another one
	}
	return true
}

func (l *listener) pass(f Frame) {
	l.next = f.Number + 1
	l.deliver(f, time.Now())
}

// askForMissing asks the shard to print again from the frame on that is missing.
func (l *listener) askForMissing(ctx context.Context) {
	now := time.Now()
	if l.missed.IsZero() || now.Sub(l.missed) < patience || now.Sub(l.asked) < askAgain || l.over.Load() {
		return
	}
	l.asked = now
	// What cannot be asked for now is asked for later.
	_ = l.client.annotate(ctx, l.pod, map[string]string{noteReprint: fmt.Sprintf("%d:%d", now.UnixNano(), l.next)})
}

// flush delivers what came before its turn, of a shard that will not print the rest.
func (l *listener) flush() {
	var left []int64
	for n := range l.ahead {
		left = append(left, n)
	}
	slices.Sort(left)
	for _, n := range left {
		l.pass(l.ahead[n])
	}
	clear(l.ahead)
}
