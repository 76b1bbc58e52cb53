package work

import "encoding/hex"

// Tracing says which arrivals of a run are traced.
type Tracing struct {
	// Run tells the traces of runs apart; it is a hash of the run's identity.
	Run uint64
	// Share is the part of the arrivals that is traced.
	Share float64
}

// TraceID is the identity of a trace as the W3C's Trace Context has it; zero for an
// arrival that is not traced.
type TraceID [16]byte

// The random streams of a trace.
const (
	streamTraced = 0x74726301
	streamHigh   = 0x74726302
	streamLow    = 0x74726303
	streamSpan   = 0x74726304
)

// Of returns the identity of an arrival's trace. Whether it has one depends on the seed
// and its number alone. A nil Tracing traces nothing.
func (t *Tracing) Of(a *Arrival) (id TraceID) {
	if t == nil || a.Uniform(streamTraced) >= t.Share {
		return id
	}
	putUint64(id[:8], Mix(a.Seed^t.Run, uint64(a.K), streamHigh))
	putUint64(id[8:], Mix(a.Seed^t.Run, uint64(a.K), streamLow)|1) // never zero
	return id
}

func putUint64(b []byte, v uint64) {
	for i := range 8 {
		b[i] = byte(v >> (56 - 8*i))
	}
}

// None says that there is no trace.
func (t TraceID) None() bool { return t == TraceID{} }

// String returns the identity in 32 hexadecimal digits, empty for none.
func (t TraceID) String() string {
	if t.None() {
		return ""
	}
	return hex.EncodeToString(t[:])
}

// Span returns the identity of a span of the trace: 0 is the arrival's own, i that of its
// operation i, from 1.
func (t TraceID) Span(i int) (id [8]byte) {
	seed := uint64(0)
	for _, b := range t[8:] {
		seed = seed<<8 | uint64(b)
	}
	putUint64(id[:], Mix(seed, uint64(i), streamSpan)|1)
	return id
}

// TraceParent returns the value of the header traceparent for an operation, empty where
// it is not traced. It allocates.
func (o *Op) TraceParent() string {
	if o == nil || o.notes.Trace.None() {
		return ""
	}
	span := o.notes.Trace.Span(int(o.index))
	b := make([]byte, 0, 55)
	b = append(b, "00-"...)
	b = hex.AppendEncode(b, o.notes.Trace[:])
	b = append(b, '-')
	b = hex.AppendEncode(b, span[:])
	return string(append(b, "-01"...))
}
