package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// Spool prints a shard's frames, and keeps them to print them again. Its methods may be
// called by several goroutines.
type Spool struct {
	mu   sync.Mutex
	out  io.Writer
	file *os.File
	// ends holds where each frame's line ends in the file.
	ends []int64
	line []byte
	// err is why frames can no longer be kept; they are printed all the same.
	err error
}

// NewSpool returns a spool that prints to out and keeps its frames in a new file.
func NewSpool(out io.Writer, path string) (*Spool, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("keep the shard's frames: %w", err)
	}
	return &Spool{out: out, file: f}, nil
}

// Close gives the file back.
func (s *Spool) Close() error { return s.file.Close() }

// Print prints a frame.
func (s *Spool) Print(kind Kind, body []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.print(kind, body)
}

func (s *Spool) print(kind Kind, body []byte) error {
	f := Frame{Number: int64(len(s.ends)), Kind: kind, Body: body}
	s.line = f.Append(s.line[:0])
	var end int64
	if n := len(s.ends); n > 0 {
		end = s.ends[n-1]
	}
	if s.err == nil {
		_, s.err = s.file.WriteAt(s.line, end)
	}
	s.ends = append(s.ends, end+int64(len(s.line)))
	_, err := s.out.Write(s.line)
	return errors.Join(err, s.err)
}

// PrintJSON prints a frame whose body is a value as JSON.
func (s *Spool) PrintJSON(kind Kind, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return s.Print(kind, body)
}

// PrintFinal prints the last of a run's frames, which says how many there were.
func (s *Spool) PrintFinal(f *Final) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.Frames = int64(len(s.ends))
	body, err := json.Marshal(f)
	if err != nil {
		return err
	}
	return s.print(KindFinal, body)
}

// AgainLast prints the last frame once more: while a shard waits, nothing else would show
// that it was lost on its way.
func (s *Spool) AgainLast() error {
	s.mu.Lock()
	n := int64(len(s.ends))
	s.mu.Unlock()
	return s.Again(n - 1)
}

// Again prints the frames from a number on once more.
func (s *Spool) Again(from int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := int64(len(s.ends))
	if from < 0 || from >= n {
		return nil
	}
	var begin int64
	if from > 0 {
		begin = s.ends[from-1]
	}
	_, err := io.Copy(s.out, io.NewSectionReader(s.file, begin, s.ends[n-1]-begin))
	return err
}
