package exemplars

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
)

// Set is what was kept of a run.
type Set struct {
	// Exemplars are in the order in which they were due.
	Exemplars []Exemplar
	// Evidence is in the order in which it began.
	Evidence []Evidence
	// Notes say what could not be read.
	Notes []string
}

// maxLine bounds a line of either file.
const maxLine = 1 << 20

// Read reads what a run directory has of both files. One without them holds nothing,
// which is no error; what cannot be read is left out and noted.
func Read(dir string) *Set {
	s := &Set{}
	seen := map[[2]int64]bool{}
	s.each(dir, File, func(text []byte) error {
		var e Exemplar
		if err := json.Unmarshal(text, &e); err != nil {
			return err
		}
		if err := e.check(); err != nil {
			return err
		}
		e.older()
		if id := [2]int64{int64(e.Shard), e.K}; !seen[id] {
			seen[id] = true
			s.Exemplars = append(s.Exemplars, e)
		}
		return nil
	})
	s.each(dir, EvidenceFile, func(text []byte) error {
		var v Evidence
		if err := json.Unmarshal(text, &v); err != nil {
			return err
		}
		if !possible(v.From, v.To) || v.From > v.To {
			return errors.New("it is of no possible time")
		}
		v.older()
		s.Evidence = append(s.Evidence, v)
		return nil
	})
	slices.SortStableFunc(s.Exemplars, func(a, b Exemplar) int { return cmp.Or(cmp.Compare(a.Due, b.Due), cmp.Compare(a.K, b.K)) })
	slices.SortStableFunc(s.Evidence, func(a, b Evidence) int { return cmp.Compare(a.From, b.From) })
	return s
}

// check refuses figures that no arrival has.
func (e *Exemplar) check() error {
	if !possible(e.Due, e.Released, e.Started, e.Response, e.Paused) || e.Response < 0 || e.Paused < 0 {
		return errors.New("it is of no possible time")
	}
	for i := range e.Ops {
		o := &e.Ops[i]
		if !possible(o.Start, o.End, o.Wait, o.Lookup, o.Connect, o.TLS, o.Send, o.Server, o.Receive) || o.End < o.Start {
			return fmt.Errorf("operation %d is of no possible time", i+1)
		}
	}
	return nil
}

// possible says whether figures are times of a run, in milliseconds.
func possible(all ...float64) bool {
	const most = 1e12
	for _, v := range all {
		if math.IsNaN(v) || v < -most || v > most {
			return false
		}
	}
	return true
}

// maxNotes bounds the notes on one file.
const maxNotes = 5

// each calls f with each line of a file.
func (s *Set) each(dir, name string, f func([]byte) error) {
	file, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			s.Notes = append(s.Notes, fmt.Sprintf("%s: cannot be read: %v", name, err))
		}
		return
	}
	defer func() { _ = file.Close() }() // it was only read
	bad := 0
	scan := bufio.NewReaderSize(io.LimitReader(file, 4*(MaxFile+MaxEvidence)), 64<<10)
	for n := 1; ; n++ {
		text, err := scan.ReadBytes('\n')
		whole := err == nil
		if text = bytes.TrimSpace(text); len(text) > 0 {
			problem := errors.New("it is cut off")
			switch {
			case len(text) > maxLine:
				problem = errors.New("it is too long")
			case whole:
				problem = f(text)
			}
			if problem != nil {
				if bad++; bad <= maxNotes {
					s.Notes = append(s.Notes, fmt.Sprintf("%s: line %d is left out: %v", name, n, problem))
				}
			}
		}
		if !whole {
			break
		}
	}
	if bad > maxNotes {
		s.Notes = append(s.Notes, fmt.Sprintf("%s: and %d more lines", name, bad-maxNotes))
	}
}
