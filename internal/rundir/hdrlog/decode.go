package hdrlog

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/perfctl/perfctl/internal/metrics"
)

// Decoder decodes histograms. It keeps its buffers. It is for one goroutine.
// The zero value is ready.
type Decoder struct {
	packed, body []byte
	source       bytes.Reader
	inflater     io.ReadCloser
}

// maxPayload is the longest payload that a histogram of this layout can have.
const maxPayload = metrics.BucketCount * maxVarint

// Decode adds the encoded histogram's buckets to h, which must be empty, and
// sets its count. Sum, minimum and maximum are those of the buckets; a caller
// who knows the exact ones sets them. On an error h is empty again. Histograms
// of another layout than package metrics' are refused. Memory is bounded by the
// layout, whatever the text claims.
func (d *Decoder) Decode(text []byte, h *metrics.Hist) error {
	if err := d.inflate(text); err != nil {
		return err
	}
	if err := fillFrom(d.body[headerLen:], h); err != nil {
		h.Reset()
		return err
	}
	return nil
}

// inflate leaves the checked, uncompressed form in the body.
func (d *Decoder) inflate(text []byte) error {
	text = bytes.TrimSpace(text)
	var err error
	if d.packed, err = base64.StdEncoding.AppendDecode(d.packed[:0], text); err != nil {
		return fmt.Errorf("decode a histogram's base64: %w", err)
	}
	if len(d.packed) < 8 {
		return fmt.Errorf("a histogram of %d bytes is too short", len(d.packed))
	}
	if c := binary.BigEndian.Uint32(d.packed) &^ cookieWidthMask; c != cookieCompressed&^cookieWidthMask {
		return fmt.Errorf("a histogram begins with %#x, not with the cookie of the compressed V2 encoding", c)
	}
	packed := d.packed[8:]
	if n := binary.BigEndian.Uint32(d.packed[4:]); uint64(n) > uint64(len(packed)) {
		return fmt.Errorf("a histogram holds %d compressed bytes of %d", len(packed), n)
	} else {
		packed = packed[:n]
	}
	d.source.Reset(packed)
	if d.inflater == nil {
		d.inflater, err = zlib.NewReader(&d.source)
	} else {
		err = d.inflater.(zlib.Resetter).Reset(&d.source, nil)
	}
	if err != nil {
		return fmt.Errorf("decompress a histogram: %w", err)
	}
	return d.readBody()
}

func (d *Decoder) readBody() error {
	if cap(d.body) < headerLen {
		d.body = make([]byte, headerLen, 4096)
	}
	d.body = d.body[:headerLen]
	if _, err := io.ReadFull(d.inflater, d.body); err != nil {
		return fmt.Errorf("decompress a histogram's header: %w", err)
	}
	n, err := checkHeader(d.body)
	if err != nil {
		return err
	}
	// One byte more than the payload shows trailing data, and reading to the
	// end checks the checksum.
	buf := bytes.NewBuffer(d.body)
	read, err := buf.ReadFrom(io.LimitReader(d.inflater, int64(n)+1))
	d.body = buf.Bytes()
	switch {
	case err != nil:
		return fmt.Errorf("decompress a histogram: %w", err)
	case read != int64(n):
		return fmt.Errorf("a histogram's payload is not of the %d bytes that its header states", n)
	}
	return nil
}

// checkHeader returns the payload's length.
func checkHeader(b []byte) (int, error) {
	if c := binary.BigEndian.Uint32(b) &^ cookieWidthMask; c != cookieBody&^cookieWidthMask {
		return 0, fmt.Errorf("a histogram's body begins with %#x, not with the cookie of the V2 encoding", c)
	}
	digits := binary.BigEndian.Uint32(b[12:])
	lowest := int64(binary.BigEndian.Uint64(b[16:]))
	if digits != metrics.SignificantDigits || lowest != metrics.LowestValue {
		return 0, fmt.Errorf("a histogram of %d digits from %d is of another layout (%d digits from %d)",
			digits, lowest, metrics.SignificantDigits, metrics.LowestValue)
	}
	if ratio := math.Float64frombits(binary.BigEndian.Uint64(b[32:])); ratio != 1 {
		return 0, fmt.Errorf("a histogram of fractions (ratio %g) is of another layout", ratio)
	}
	n := binary.BigEndian.Uint32(b[4:])
	if n > maxPayload {
		return 0, fmt.Errorf("a histogram's payload of %d bytes is longer than any can be", n)
	}
	return int(n), nil
}

// fillFrom adds the payload's counts to h.
func fillFrom(p []byte, h *metrics.Hist) error {
	index := int64(0)
	for len(p) > 0 {
		v, n := readZigZag(p)
		if n == 0 {
			return errors.New("a histogram ends within a count")
		}
		p = p[n:]
		switch {
		case v < 0 && (v == math.MinInt64 || -v > metrics.BucketCount-index):
			return fmt.Errorf("a histogram skips past its last bucket")
		case v < 0:
			index -= v
			continue
		case index >= metrics.BucketCount:
			return errors.New("a histogram has more buckets than its layout")
		case v > math.MaxInt64-h.N:
			return errors.New("a histogram's counts are too large to be summed")
		case v > 0:
			addBucket(h, int(index), v)
		}
		index++
	}
	return nil
}

// addBucket adds n values of bucket i, whose index only rises.
func addBucket(h *metrics.Hist, i int, n int64) {
	low, high := metrics.BucketBounds(i)
	if h.N == 0 {
		h.Min = low
	}
	h.Max = high
	h.N += n
	h.Sum += (float64(low) + float64(high)) / 2 * float64(n)
	h.AddBucket(i, n)
}

// readZigZag returns the number that p begins with and its length, 0 if p ends
// within it.
func readZigZag(p []byte) (v int64, n int) {
	var u uint64
	for n < len(p) {
		b := p[n]
		if n == maxVarint-1 {
			u |= uint64(b) << (7 * n)
			n++
			return int64(u>>1) ^ -int64(u&1), n
		}
		u |= uint64(b&0x7f) << (7 * n)
		n++
		if b < 0x80 {
			return int64(u>>1) ^ -int64(u&1), n
		}
	}
	return 0, 0
}
