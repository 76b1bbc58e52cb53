package compare

import (
	"bytes"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"github.com/perfctl/perfctl/internal/rundir"
)

// IndexFile is the index of a folder of runs: what histories keep of each of them. It is
// made of the run directories and may be removed at any time. A file that is read whole
// and written anew serves better than a database here: a history needs every row of it.
const IndexFile = ".perfctl-history"

const (
	// indexVersion changes where what is kept does.
	indexVersion = 1
	// leastIndexed is from how many runs in a folder on they have an index.
	leastIndexed = 50
)

// stamp tells a run directory that changed: sizes and times of its files.
type stamp [6]int64

func stampOf(dir string) (s stamp) {
	for i, file := range []string{rundir.InfoFile, rundir.SeriesFile, rundir.SummaryFile} {
		if info, err := os.Stat(filepath.Join(dir, file)); err == nil {
			s[2*i], s[2*i+1] = info.Size(), info.ModTime().UnixNano()
		}
	}
	return s
}

// index is the file: names that many runs share stand in it once.
type index struct {
	Version int
	Loads   []loadOf
	Series  []string
	Runs    []indexed
}

// indexed is a run in it. Past.Dir is the name of its folder; Series and Values are the
// numbers of its series, and three quantiles for each.
type indexed struct {
	Past   Past
	Stamp  stamp
	Load   int
	Series []int
	Values []float64
}

// ReadKept returns what histories need of run directories. What an index beside them
// knows of those that did not change is taken from there; the index is brought up to date
// where it can be written.
func ReadKept(dirs []string) ([]*Kept, error) {
	folders := map[string][]int{}
	for i, dir := range dirs {
		folder := filepath.Dir(filepath.Clean(dir))
		folders[folder] = append(folders[folder], i)
	}
	out := make([]*Kept, len(dirs))
	for folder, at := range folders {
		known := map[string]*indexed{}
		old := readIndex(filepath.Join(folder, IndexFile))
		for i := range old.Runs {
			known[old.Runs[i].Past.Dir] = &old.Runs[i]
		}
		stamps := make([]stamp, len(dirs))
		var missing []int
		for _, i := range at {
			stamps[i] = stampOf(dirs[i])
			if x := known[filepath.Base(dirs[i])]; x != nil && x.Stamp == stamps[i] {
				out[i] = old.kept(x, dirs[i])
				continue
			}
			missing = append(missing, i)
		}
		if err := keepAll(dirs, missing, out); err != nil {
			return nil, err
		}
		if len(at) >= leastIndexed && (len(missing) > 0 || len(at) != len(old.Runs)) {
			next := index{Version: indexVersion}
			next.fill(at, out, stamps)
			// A folder that takes no file has no index: the next history is as slow as this one.
			_ = next.write(filepath.Join(folder, IndexFile))
		}
	}
	return out, nil
}

// keepAll reads the runs of those numbers, several at a time.
func keepAll(dirs []string, missing []int, out []*Kept) error {
	errs := make([]error, len(missing))
	next := make(chan int)
	var wait sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(missing)) {
		wait.Go(func() {
			for n := range next {
				i := missing[n]
				r, err := rundir.Open(dirs[i])
				if err == nil {
					out[i], err = keep(r)
				}
				if errs[n] = err; err == nil && len(missing) >= leastIndexed {
					out[i].run = nil // they are large, and there are many
				}
			}
		})
	}
	for n := range missing {
		next <- n
	}
	close(next)
	wait.Wait()
	return errors.Join(errs...)
}

func (x *index) kept(r *indexed, dir string) *Kept {
	k := &Kept{Past: r.Past, load: x.Loads[r.Load], values: make(map[string][]float64, len(r.Series))}
	k.Dir = dir
	for i, s := range r.Series {
		k.values[x.Series[s]] = r.Values[i*len(quantiles) : (i+1)*len(quantiles)]
	}
	return k
}

func (x *index) fill(at []int, all []*Kept, stamps []stamp) {
	loads, series := map[string]int{}, map[string]int{}
	for _, i := range at {
		k := all[i]
		r := indexed{Past: k.Past, Stamp: stamps[i]}
		r.Past.Dir = filepath.Base(k.Dir)
		n, known := loads[k.load.Key]
		if !known {
			n = len(x.Loads)
			loads[k.load.Key] = n
			x.Loads = append(x.Loads, k.load)
		}
		r.Load = n
		for name, values := range k.values {
			s, known := series[name]
			if !known {
				s = len(x.Series)
				series[name] = s
				x.Series = append(x.Series, name)
			}
			r.Series, r.Values = append(r.Series, s), append(r.Values, values...)
		}
		x.Runs = append(x.Runs, r)
	}
}

// whole says whether every number in the index leads somewhere.
func (x *index) whole() bool {
	return x.Version == indexVersion && !slices.ContainsFunc(x.Runs, func(r indexed) bool {
		return r.Load < 0 || r.Load >= len(x.Loads) || len(r.Values) != len(quantiles)*len(r.Series) ||
			slices.ContainsFunc(r.Series, func(s int) bool { return s < 0 || s >= len(x.Series) })
	})
}

// readIndex reads an index; one that is missing, of another version or damaged is empty.
func readIndex(path string) *index {
	text, err := os.ReadFile(path)
	if err != nil || len(text) < crc32.Size {
		return &index{}
	}
	body, sum := text[:len(text)-crc32.Size], text[len(text)-crc32.Size:]
	var x index
	if binary.BigEndian.Uint32(sum) != crc32.ChecksumIEEE(body) || gob.NewDecoder(bytes.NewReader(body)).Decode(&x) != nil || !x.whole() {
		return &index{}
	}
	return &x
}

func (x *index) write(path string) error {
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(x); err != nil {
		return err
	}
	text := binary.BigEndian.AppendUint32(b.Bytes(), crc32.ChecksumIEEE(b.Bytes()))
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return fs.ErrExist // whatever it is, it is not ours
	}
	return rundir.Replace(path, text)
}
