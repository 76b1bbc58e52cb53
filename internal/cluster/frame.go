package cluster

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"sync"
)

// Kind says what a frame is about.
type Kind string

// The kinds of frames.
const (
	// KindHello is Hello, KindReady is Ready, KindArmed is Armed, KindFinal is Final.
	KindHello Kind = "hello"
	KindReady Kind = "ready"
	KindArmed Kind = "armed"
	KindFinal Kind = "final"
	// KindMade is what the first shard made for the others, encrypted; KindReached is a
	// point of the run's end, KindAbort why the arrivals of all are to end.
	KindMade    Kind = "made"
	KindReached Kind = "reached"
	KindAbort   Kind = "abort"
	// KindData is a part of a file: see Part.
	KindData Kind = "data"
	// KindSay is a line for the user, KindStep what goes on besides offering load.
	KindSay  Kind = "say"
	KindStep Kind = "step"
	// KindFailed is Failed: the shard ends without a run.
	KindFailed Kind = "failed"
	// KindMeasured is what a pod measured that is no shard of a run.
	KindMeasured Kind = "measured"
)

// Frame is one message of a shard: a line of its log.
type Frame struct {
	// Number counts a shard's frames from 0.
	Number int64
	Kind   Kind
	Body   []byte
}

// framePrefix begins every frame's line. Other lines of a log are what a program
// prints that dies.
const framePrefix = "perfctl-frame "

// MostBody bounds a frame's body, in bytes, so that its line stays below the 16 KiB at
// which container runtimes cut lines in two.
const MostBody = 11 << 10

// mostInflated bounds what a line may inflate to.
const mostInflated = 1 << 20

var squeezers = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(io.Discard, gzip.BestCompression) // the level exists
	return w
}}

// Append appends the frame's line, with its end, to b.
func (f *Frame) Append(b []byte) []byte {
	var squeezed bytes.Buffer
	w := squeezers.Get().(*gzip.Writer)
	w.Reset(&squeezed)
	_, _ = w.Write(f.Body) // a buffer takes everything
	_ = w.Close()
	squeezers.Put(w)
	b = append(b, framePrefix...)
	b = strconv.AppendInt(b, f.Number, 10)
	b = append(b, ' ')
	b = append(b, f.Kind...)
	b = append(b, ' ')
	b = append(b, hashOf(f.Body)...)
	b = append(b, ' ')
	b = base64.StdEncoding.AppendEncode(b, squeezed.Bytes())
	return append(b, '\n')
}

// hashOf returns a short hash by which a damaged frame is known.
func hashOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:8])
}

// ParseFrame reads a line of a log, without its end. framed is false for a line that is
// no frame; a frame that is damaged is an error.
func ParseFrame(line []byte) (f Frame, framed bool, err error) {
	rest, framed := bytes.CutPrefix(line, []byte(framePrefix))
	if !framed {
		return Frame{}, false, nil
	}
	fields := bytes.Split(bytes.TrimRight(rest, "\r"), []byte(" "))
	if len(fields) != 4 {
		return Frame{}, true, fmt.Errorf("a frame of %d fields", len(fields))
	}
	if f.Number, err = strconv.ParseInt(string(fields[0]), 10, 64); err != nil || f.Number < 0 {
		return Frame{}, true, fmt.Errorf("a frame's number is %.20q", fields[0])
	}
	f.Kind = Kind(fields[1])
	squeezed, err := base64.StdEncoding.AppendDecode(nil, fields[3])
	if err != nil {
		return Frame{}, true, fmt.Errorf("frame %d: %w", f.Number, err)
	}
	r, err := gzip.NewReader(bytes.NewReader(squeezed))
	if err != nil {
		return Frame{}, true, fmt.Errorf("frame %d: %w", f.Number, err)
	}
	if f.Body, err = io.ReadAll(io.LimitReader(r, mostInflated)); err != nil {
		return Frame{}, true, fmt.Errorf("frame %d: %w", f.Number, err)
	}
	if h := hashOf(f.Body); h != string(fields[2]) {
		return Frame{}, true, fmt.Errorf("frame %d is damaged: its hash is %s and should be %.16s", f.Number, h, fields[2])
	}
	return f, true, nil
}
