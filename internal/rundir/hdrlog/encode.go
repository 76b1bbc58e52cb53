package hdrlog

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"math"

	"github.com/perfctl/perfctl/internal/metrics"
)

// Encoder encodes histograms. It keeps its buffers and its compressor, so that
// it allocates nothing once they have grown. It is for one goroutine. The zero
// value is ready.
type Encoder struct {
	body     []byte
	packed   bytes.Buffer
	deflater *zlib.Writer
}

// Append appends the histogram to dst in compressed V2 form, base64-encoded,
// and returns the longer slice. The encoding holds the buckets and nothing
// else: exact minimum, maximum and sum, and censored values, are not in it.
func (e *Encoder) Append(dst []byte, h *metrics.Hist) []byte {
	e.fill(h)
	e.packed.Reset()
	var head [8]byte
	e.packed.Write(head[:])
	if e.deflater == nil {
		// The fastest level: the varints are short and rarely repeat, so that
		// better ones gain a few percent of the size for several times the time.
		e.deflater, _ = zlib.NewWriterLevel(&e.packed, zlib.BestSpeed)
	} else {
		e.deflater.Reset(&e.packed)
	}
	// A bytes.Buffer takes every write.
	_, _ = e.deflater.Write(e.body)
	_ = e.deflater.Close()
	packed := e.packed.Bytes()
	binary.BigEndian.PutUint32(packed, cookieCompressed)
	binary.BigEndian.PutUint32(packed[4:], uint32(len(packed)-len(head)))
	return base64.StdEncoding.AppendEncode(dst, packed)
}

// fill writes the uncompressed form into the body.
func (e *Encoder) fill(h *metrics.Hist) {
	b := append(e.body[:0], make([]byte, headerLen)...)
	next := 0
	h.Buckets(func(i int, n int64) {
		switch gap := int64(i - next); {
		case gap == 1:
			b = append(b, 0)
		case gap > 1:
			b = appendZigZag(b, -gap)
		}
		b = appendZigZag(b, n)
		next = i + 1
	})
	binary.BigEndian.PutUint32(b[0:], cookieBody)
	binary.BigEndian.PutUint32(b[4:], uint32(len(b)-headerLen))
	binary.BigEndian.PutUint32(b[8:], 0) // normalizing index offset: none
	binary.BigEndian.PutUint32(b[12:], metrics.SignificantDigits)
	binary.BigEndian.PutUint64(b[16:], metrics.LowestValue)
	binary.BigEndian.PutUint64(b[24:], metrics.HighestValue)
	binary.BigEndian.PutUint64(b[32:], math.Float64bits(1)) // integers stand for themselves
	e.body = b
}

// appendZigZag appends v as LEB128-64b9B of its ZigZag form: seven bits a byte,
// lowest first, the ninth byte whole.
func appendZigZag(b []byte, v int64) []byte {
	u := uint64(v<<1) ^ uint64(v>>63)
	for range maxVarint - 1 {
		if u < 0x80 {
			return append(b, byte(u))
		}
		b = append(b, byte(u)|0x80)
		u >>= 7
	}
	return append(b, byte(u))
}
