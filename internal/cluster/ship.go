package cluster

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Shipper prints what is new in a run directory into a spool.
type Shipper struct {
	// Dir is the run directory; it need not be there yet.
	Dir string
	// Spool takes the parts.
	Spool *Spool
	// sent holds how much of each file was printed.
	sent map[string]int64
}

// lastFile stands for the second that it has a line of: it is written last, and so it
// is looked at first and printed last. A summary says that all before it is there.
const (
	lastFile    = "series.ndjson"
	summaryFile = "summary.json"
)

// pageFile is a picture of what is in the other files, and made again from outside.
const pageFile = "report.html"

// Ship prints what was added to the run directory since the last call.
func (s *Shipper) Ship() error {
	if s.sent == nil {
		s.sent = map[string]int64{}
	}
	files, err := s.files()
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := s.shipFile(f.name, f.size); err != nil {
			return err
		}
	}
	return nil
}

// sized is a file and how long it was when it was looked at.
type sized struct {
	name string
	size int64
}

// files returns the files to print, in the order in which they are printed: a second's
// line after everything that belongs to the second. Their lengths are taken in the
// opposite order, so that nothing is missing of what a line stands for.
func (s *Shipper) files() ([]sized, error) {
	entries, err := os.ReadDir(s.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		n := e.Name()
		if e.Type().IsRegular() && plainName(n) && n != pageFile && !strings.HasSuffix(n, ".tmp") {
			names = append(names, n)
		}
	}
	rank := func(n string) int {
		switch n {
		case lastFile:
			return 1
		case summaryFile:
			return 2
		}
		return 0
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Or(rank(a)-rank(b), strings.Compare(a, b)) })
	out := make([]sized, len(names))
	for i := len(names) - 1; i >= 0; i-- {
		info, err := os.Stat(filepath.Join(s.Dir, names[i]))
		if err != nil {
			return nil, err
		}
		out[i] = sized{names[i], info.Size()}
	}
	return out, nil
}

// shipFile prints a file up to a length.
func (s *Shipper) shipFile(name string, upTo int64) error {
	if s.sent[name] >= upTo {
		return nil
	}
	f, err := os.Open(filepath.Join(s.Dir, name))
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	for at := s.sent[name]; at < upTo; at = s.sent[name] {
		data := make([]byte, min(upTo-at, MostBody))
		if _, err := f.ReadAt(data, at); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		p := Part{File: name, Offset: at, Data: data}
		if err := s.Spool.Print(KindData, p.encode()); err != nil {
			return err
		}
		s.sent[name] = at + int64(len(data))
	}
	return nil
}

// Sums returns the length and hash of each file that was printed.
func (s *Shipper) Sums() (map[string]FileSum, error) {
	out := map[string]FileSum{}
	for name := range s.sent {
		sum, err := sumFile(filepath.Join(s.Dir, name))
		if err != nil {
			return nil, err
		}
		out[name] = sum
	}
	return out, nil
}

// sumFile returns a file's length and hash.
func sumFile(path string) (FileSum, error) {
	f, err := os.Open(path)
	if err != nil {
		return FileSum{}, err
	}
	defer func() { _ = f.Close() }() // it was only read
	h := sha256.New()
	n, err := io.Copy(h, f)
	return FileSum{Bytes: n, SHA256: hex.EncodeToString(h.Sum(nil))}, err
}
