package hdrlog

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
)

// AppendHeader appends the lines that open a log: the format's version, the
// start of the run, the base that the intervals' times count from (the same)
// and the columns.
func AppendHeader(dst []byte, start time.Time) []byte {
	s := float64(start.UnixMilli()) / 1000
	return fmt.Appendf(dst, "#[Histogram log format version 1.3]\n"+
		"#[StartTime: %.3f (seconds since epoch), %s]\n"+
		"#[BaseTime: %.3f (seconds since epoch)]\n"+
		"\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n",
		s, start.UTC().Format(time.RFC3339Nano), s)
}

// AppendInterval appends the line of one interval: its tag (see Tag), start
// and length (written to the millisecond), the largest value in milliseconds
// and the histogram.
func (e *Encoder) AppendInterval(dst []byte, tag string, start, length time.Duration, h *metrics.Hist) []byte {
	dst = append(dst, "Tag="...)
	dst = append(dst, tag...)
	dst = append(dst, ',')
	dst = strconv.AppendFloat(dst, float64(Millis(start))/1000, 'f', 3, 64)
	dst = append(dst, ',')
	dst = strconv.AppendFloat(dst, float64(Millis(length))/1000, 'f', 3, 64)
	dst = append(dst, ',')
	high := 0.0
	if h.N > 0 {
		high = float64(h.Max) / 1e6
	}
	dst = strconv.AppendFloat(dst, high, 'f', 3, 64)
	dst = append(dst, ',')
	dst = e.Append(dst, h)
	return append(dst, '\n')
}

// Millis returns d in whole milliseconds, the resolution of a log's times.
func Millis(d time.Duration) int64 { return d.Round(time.Millisecond).Milliseconds() }

// Interval is one interval of a log.
type Interval struct {
	// Line is the number of its line, from 1.
	Line int
	// Tag is the interval's tag, empty if it has none. It is valid until the
	// next call.
	Tag []byte
	// Start and Length are in milliseconds, Start since the log's base.
	Start, Length int64
	// Encoded is the histogram, for Decoder.Decode. It is valid until the next
	// call.
	Encoded []byte
}

// LineError says that a line is no interval. Reading can go on after it.
type LineError struct {
	Line int
	// Last says that it is an unfinished last line, as a killed writer leaves.
	Last bool
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns the cause.
func (e *LineError) Unwrap() error { return e.Err }

// maxLine bounds a line of a log: the longest histogram, poorly compressed and
// in base64, and its tag.
const maxLine = maxPayload*2 + 4096

// Reader reads the intervals of a log.
type Reader struct {
	in   *bufio.Reader
	line int
	long []byte
}

// NewReader returns a reader of the log in r.
func NewReader(r io.Reader) *Reader { return &Reader{in: bufio.NewReaderSize(r, 64<<10)} }

// Next returns the next interval, a *LineError for a line that is none, and
// io.EOF at the end.
func (r *Reader) Next() (Interval, error) {
	for {
		text, err := r.readLine()
		if err != nil {
			return Interval{}, err
		}
		if len(text) == 0 || text[0] == '#' || text[0] == '"' {
			continue
		}
		iv, err := parseInterval(text)
		if err != nil {
			return Interval{}, &LineError{r.line, false, err}
		}
		iv.Line = r.line
		return iv, nil
	}
}

// readLine returns the next line without its end, and a *LineError for a last
// line that has none and for one that is too long to be an interval.
func (r *Reader) readLine() ([]byte, error) {
	r.line++
	r.long = r.long[:0]
	for {
		part, err := r.in.ReadSlice('\n')
		switch {
		case err == nil && len(r.long) == 0:
			return bytes.TrimRight(part, "\r\n"), nil
		case err == nil && len(r.long)+len(part) > maxLine:
			return nil, &LineError{r.line, false, errors.New("the line is too long to be an interval")}
		case err == nil:
			r.long = append(r.long, part...)
			return bytes.TrimRight(r.long, "\r\n"), nil
		case errors.Is(err, bufio.ErrBufferFull):
			if len(r.long) <= maxLine {
				r.long = append(r.long, part...)
			}
		case errors.Is(err, io.EOF):
			if len(part) == 0 && len(r.long) == 0 {
				return nil, io.EOF
			}
			return nil, &LineError{r.line, true, errors.New("the line is cut off")}
		default:
			return nil, fmt.Errorf("read line %d: %w", r.line, err)
		}
	}
}

func parseInterval(text []byte) (Interval, error) {
	var iv Interval
	if rest, ok := bytes.CutPrefix(text, []byte("Tag=")); ok {
		if iv.Tag, text, ok = bytes.Cut(rest, []byte{','}); !ok {
			return iv, errors.New("nothing follows the tag")
		}
	}
	f := bytes.SplitN(text, []byte{','}, 4)
	if len(f) != 4 {
		return iv, fmt.Errorf("%d fields, want start, length, maximum and histogram", len(f))
	}
	var err error
	if iv.Start, err = parseMillis(f[0]); err != nil {
		return iv, err
	}
	if iv.Length, err = parseMillis(f[1]); err != nil {
		return iv, err
	}
	iv.Encoded = f[3]
	return iv, nil
}

func parseMillis(b []byte) (int64, error) {
	s, err := strconv.ParseFloat(string(b), 64)
	if err != nil || !(math.Abs(s) < 1e12) {
		return 0, fmt.Errorf("%.40q is no time in seconds", b)
	}
	return int64(math.Round(s * 1000)), nil
}
