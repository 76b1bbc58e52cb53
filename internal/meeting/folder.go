package meeting

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// seatFile is a file of each shard, locked as long as the shard's process lives.
const seatFile = "seat"

// seatPatience is how long another may hold a seat for a short time, to see whether somebody
// sits in it.
const seatPatience = time.Second

// folder is a board of processes that share a folder: words are files. A shard whose
// process ended is known by the lock that it held.
type folder struct {
	o    Options
	path string
	seat *os.File
}

// InDir takes this shard's seat in a meeting of processes that share a folder; the run has
// one of its own in it. That somebody has the seat, or had it before, is an error: a run
// offers each part of its load once.
func InDir(dir string, o Options) (*Place, error) {
	d := &folder{o: o, path: filepath.Join(dir, o.Run)}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("--barrier: %w", err)
	}
	if err := os.Mkdir(d.path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("--barrier: %w", err)
	}
	f, err := os.OpenFile(d.file(of(seatFile, o.Shard)), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("--barrier: %w", err)
	}
	d.seat = f
	for until := time.Now().Add(seatPatience); ; time.Sleep(pollEvery) {
		free, err := lockFile(f)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("--barrier: lock %s: %w", f.Name(), err), f.Close())
		}
		if free {
			break
		}
		if time.Now().After(until) {
			return nil, errors.Join(fmt.Errorf("shard %d of the run %s is running already: %s is taken", o.Shard, o.Run, f.Name()), f.Close())
		}
	}
	if info, err := f.Stat(); err != nil || info.Size() > 0 {
		return nil, errors.Join(fmt.Errorf("shard %d of the run %s was there before: choose another --run-id, or remove %s once none of the run's processes is left",
			o.Shard, o.Run, d.path), err, f.Close())
	}
	if _, err := f.WriteString(strconv.Itoa(os.Getpid()) + "\n"); err != nil {
		return nil, errors.Join(fmt.Errorf("--barrier: %w", err), f.Close())
	}
	return &Place{o: o, board: d}, nil
}

func (d *folder) file(word string) string { return filepath.Join(d.path, word) }

func (d *folder) where() (place, next string) {
	return d.path, "start all shards with one --run-id and one --barrier, a folder that all of them see"
}

// trouble is none: what a folder says about clocks is its own server's.
func (d *folder) trouble() string { return "" }

// read reads a word's file.
func (d *folder) read(word string) ([]byte, bool, error) {
	text, err := os.ReadFile(d.file(word))
	switch {
	case err == nil:
		return text, true, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, false, nil
	}
	return nil, false, err
}

// gone says whether nobody holds a shard's seat.
func (d *folder) gone(n int) bool {
	if !canLock || n == d.o.Shard {
		return false
	}
	f, err := os.OpenFile(d.file(of(seatFile, n)), os.O_RDWR, 0o600)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	defer f.Close()
	free, err := lockFile(f)
	return err == nil && free
}

// leave gives the seat up; the last shard that leaves removes the run's folder.
func (d *folder) leave(agreed bool) error {
	last := true
	for n := range d.o.Shards {
		came := exists(d.file(of(seatFile, n)))
		left := exists(d.file(of(doneWord, n))) || exists(d.file(of(helloWord, n))) && d.gone(n)
		last = last && (n == d.o.Shard || left || !agreed && !came)
	}
	err := d.seat.Close()
	if last {
		err = errors.Join(err, os.RemoveAll(d.path))
	}
	return err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// written is where a shard writes a word before it is there.
func (d *folder) written(word string, text []byte) (string, error) {
	tmp := d.file(word) + "." + strconv.Itoa(d.o.Shard) + ".tmp"
	return tmp, os.WriteFile(tmp, text, 0o600)
}

// say writes a file so that a reader finds it whole or not at all.
func (d *folder) say(word string, text []byte) error {
	tmp, err := d.written(word, text)
	if err != nil {
		return err
	}
	return os.Rename(tmp, d.file(word))
}

// sayFirst writes a file that is all shards', unless one did.
func (d *folder) sayFirst(word string, text []byte) error {
	tmp, err := d.written(word, text)
	if err != nil {
		return err
	}
	if err = os.Link(tmp, d.file(word)); errors.Is(err, fs.ErrExist) {
		err = nil
	}
	return errors.Join(err, os.Remove(tmp))
}
