package exemplars

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Writer appends lines to a file of at most so many bytes. A disk that fills stops the
// file and nothing else. One goroutine at a time may use it.
type Writer struct {
	file  *os.File
	limit int64
	size  int64
	left  int64
	err   error
}

// Create makes a file in a run directory, of at most limit bytes.
func Create(dir, name string, limit int64) (*Writer, error) {
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("create %s in the run directory: %w", name, err)
	}
	return &Writer{file: f, limit: limit}, nil
}

// Open reports whether more may be written: no error yet and room left.
func (w *Writer) Open() bool { return w != nil && w.err == nil && w.size < w.limit }

// Size is how many bytes were written.
func (w *Writer) Size() int64 { return w.size }

// Write appends whole lines, which are left out where they do not fit.
func (w *Writer) Write(lines []byte) {
	if w.err != nil || len(lines) == 0 {
		return
	}
	if w.size+int64(len(lines)) > w.limit {
		w.left++
		return
	}
	n, err := w.file.Write(lines)
	w.size += int64(n)
	if err != nil {
		// A part of a line is taken back, so that the file stays one of whole lines.
		w.err = errors.Join(err, w.file.Truncate(w.size-int64(n)))
	}
}

// Err returns why the file is not whole, nil where it is.
func (w *Writer) Err() error {
	if w.err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(w.file.Name()), w.err)
	}
	return nil
}

// Close closes the file.
func (w *Writer) Close() error { return w.file.Close() }

// AppendLine appends v as a line of JSON.
func AppendLine(to []byte, v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		return to // nothing that is kept here has no form in JSON
	}
	return append(append(to, text...), '\n')
}
