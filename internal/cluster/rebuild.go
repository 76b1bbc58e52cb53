package cluster

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// Rebuilder writes the run directories of shards anew from their parts.
type Rebuilder struct {
	// Dir is the folder in which each shard has one, by its number.
	Dir string
	// open holds the files that grow.
	open map[string]*os.File
	seen map[int]bool
}

// ShardDir is where a shard's run directory is.
func (r *Rebuilder) ShardDir(shard int) string { return filepath.Join(r.Dir, strconv.Itoa(shard)) }

// Dirs returns the run directories of which there is something, by their numbers.
func (r *Rebuilder) Dirs() (out []string) {
	for _, i := range slices.Sorted(maps.Keys(r.seen)) {
		out = append(out, r.ShardDir(i))
	}
	return out
}

// Write writes a part where it belongs.
func (r *Rebuilder) Write(shard int, p *Part) error {
	path := filepath.Join(r.ShardDir(shard), p.File)
	f := r.open[path]
	if f == nil {
		if r.open == nil {
			r.open, r.seen = map[string]*os.File{}, map[int]bool{}
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("keep what shard %d recorded: %w", shard, err)
		}
		var err error
		if f, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o644); err != nil {
			return fmt.Errorf("keep what shard %d recorded: %w", shard, err)
		}
		r.open[path], r.seen[shard] = f, true
	}
	if _, err := f.WriteAt(p.Data, p.Offset); err != nil {
		return fmt.Errorf("keep what shard %d recorded: %w", shard, err)
	}
	return nil
}

// Check says in what a shard's files differ from what it said they come to.
func (r *Rebuilder) Check(shard int, f *Final) error {
	for name, want := range f.Files {
		if !plainName(name) {
			return fmt.Errorf("shard %d names a file %.80q", shard, name)
		}
		got, err := sumFile(filepath.Join(r.ShardDir(shard), name))
		if err != nil {
			return fmt.Errorf("shard %d: %s: %w", shard, name, err)
		}
		if got != want {
			return fmt.Errorf("shard %d: %s has %d bytes here and %d there, or other ones", shard, name, got.Bytes, want.Bytes)
		}
	}
	return nil
}

// Close closes the files.
func (r *Rebuilder) Close() error {
	var errs []error
	for _, f := range r.open {
		errs = append(errs, f.Close())
	}
	r.open = nil
	return errors.Join(errs...)
}
