package exemplars

import (
	"cmp"
	"errors"
	"slices"
)

// Part is the run directory of one shard of a run.
type Part struct {
	Shard int
	Dir   string
}

// Merge writes into a run directory what was kept beside all shards, and returns what
// could not be read. Where it is more than the files may hold, the sample gives way
// first, then the less slow.
func Merge(parts []Part, dir string) (notes []string, err error) {
	var all Set
	for _, p := range parts {
		s := Read(p.Dir)
		for _, e := range s.Exemplars {
			e.Shard = p.Shard
			all.Exemplars = append(all.Exemplars, e)
		}
		for _, v := range s.Evidence {
			v.Shard = p.Shard
			all.Evidence = append(all.Evidence, v)
		}
		notes = append(notes, s.Notes...)
	}
	return notes, all.write(dir)
}

// write writes what there is into a run directory; nothing makes no file.
func (s *Set) write(dir string) error {
	ranked := slices.Clone(s.Exemplars)
	slices.SortStableFunc(ranked, func(a, b Exemplar) int {
		return cmp.Or(cmp.Compare(rank(&a), rank(&b)), cmp.Compare(b.Response, a.Response))
	})
	size := 0
	kept := ranked[:0]
	for _, e := range ranked {
		if size += len(AppendLine(nil, &e)); size > MaxFile {
			break
		}
		kept = append(kept, e)
	}
	slices.SortStableFunc(kept, func(a, b Exemplar) int { return cmp.Compare(a.Due, b.Due) })
	slices.SortStableFunc(s.Evidence, func(a, b Evidence) int { return cmp.Compare(a.From, b.From) })
	return errors.Join(writeAll(dir, File, MaxFile, kept), writeAll(dir, EvidenceFile, MaxEvidence, s.Evidence))
}

// rank orders by what may be left out last.
func rank(e *Exemplar) int {
	switch {
	case e.Is(Slow):
		return 0
	case e.Is(Failed):
		return 1
	}
	return 2
}

func writeAll[T any](dir, name string, limit int64, all []T) error {
	if len(all) == 0 {
		return nil
	}
	w, err := Create(dir, name, limit)
	if err != nil {
		return err
	}
	for i := range all {
		w.Write(AppendLine(nil, &all[i]))
	}
	return errors.Join(w.Err(), w.Close())
}
