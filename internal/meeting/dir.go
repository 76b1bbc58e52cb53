package meeting

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// Options say how the shards of a run meet in a folder.
type Options struct {
	// Dir is the folder that all shards share; the run has one of its own in it.
	Dir string
	// Run is the run's identity.
	Run string
	// Shard of Shards is this one.
	Shard, Shards int
	// Patience is how long the others may take to come.
	Patience time.Duration
}

// The files of a meeting. Each but the last three is one shard's own, with its number
// behind a dot.
const (
	seatFile  = "seat" // locked as long as the shard's process lives
	helloFile = "hello"
	readyFile = "ready"
	armedFile = "armed"
	doneFile  = "done"
	madeFile  = "made"
	startFile = "start"
	offFile   = "off"
	abortFile = "abort"
)

const (
	// pollEvery is the pause between two looks at something awaited.
	pollEvery = 25 * time.Millisecond
	// seatPatience is how long another may hold a seat for a moment, to see whether
	// somebody sits in it.
	seatPatience = time.Second
	// lead is from when all are ready to the first arrival, with leadEach more for each
	// shard; by armedBy before it all must know it, by offBy before it a run that is
	// called off is.
	lead     = 1500 * time.Millisecond
	leadEach = 10 * time.Millisecond
	armedBy  = 900 * time.Millisecond
	offBy    = 700 * time.Millisecond
)

// Dir is the meeting of processes that share a folder. A shard whose process ended is
// known by the lock that it held.
type Dir struct {
	o    Options
	path string
	seat *os.File
	// agreed says that all shards have come and are of one mind.
	agreed bool
}

// InDir takes this shard's seat in the meeting. That somebody has it, or had it before,
// is an error: a run offers each part of its load once.
func InDir(o Options) (*Dir, error) {
	d := &Dir{o: o, path: filepath.Join(o.Dir, o.Run)}
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("--barrier: %w", err)
	}
	if err := os.Mkdir(d.path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("--barrier: %w", err)
	}
	f, err := os.OpenFile(d.file(seatFile, o.Shard), os.O_RDWR|os.O_CREATE, 0o600)
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
	return d, nil
}

func (d *Dir) file(word string, shard int) string {
	return filepath.Join(d.path, word+"."+strconv.Itoa(shard))
}

// Greet says who this shard is and compares it with what the others say.
func (d *Dir) Greet(ctx context.Context, h Hello) error {
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	if err := d.say(d.file(helloFile, d.o.Shard), text); err != nil {
		return err
	}
	until := time.Now().Add(d.o.Patience)
	for n := range d.o.Shards {
		text, err := d.await(ctx, d.file(helloFile, n), func() error {
			if time.Now().After(until) {
				return d.callOff("shard %d of %d did not come to %s within %v: start all shards with one --run-id and one --barrier, a folder that all of them see",
					n, d.o.Shards, d.path, d.o.Patience)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if d.o.Shard != 0 && n != 0 {
			continue // the first one looks at all, and each at the first one
		}
		var other Hello
		if err := json.Unmarshal(text, &other); err != nil {
			return d.callOff("what shard %d says of itself cannot be read: %v", n, err)
		}
		if text := h.Differs(&other); text != "" {
			return d.callOff("%s: give all shards the same", text)
		}
	}
	d.agreed = true
	return nil
}

// HandOver writes what the other shards inherit.
func (d *Dir) HandOver(_ context.Context, made []byte) error {
	return d.say(filepath.Join(d.path, madeFile), made)
}

// Inherit waits for what the first shard made, as long as it is there.
func (d *Dir) Inherit(ctx context.Context) ([]byte, error) {
	return d.await(ctx, filepath.Join(d.path, madeFile), func() error { return d.present(0) })
}

// Start waits until all are ready and know when to start.
func (d *Dir) Start(ctx context.Context, wish time.Time) (time.Time, error) {
	if err := d.say(d.file(readyFile, d.o.Shard), nil); err != nil {
		return wish, err
	}
	by := time.Time{}
	if !wish.IsZero() {
		by = wish.Add(-armedBy)
	}
	at := wish
	if d.o.Shard == 0 || !wish.IsZero() {
		if err := d.everyone(ctx, readyFile, by); err != nil {
			return wish, err
		}
	}
	if wish.IsZero() {
		var err error
		if at, err = d.agree(ctx); err != nil {
			return at, err
		}
	}
	if err := d.say(d.file(armedFile, d.o.Shard), nil); err != nil {
		return at, err
	}
	if err := d.everyone(ctx, armedFile, at.Add(-offBy)); err != nil {
		return at, err
	}
	return at, nil
}

// agree has the first shard choose the instant, and the others read it.
func (d *Dir) agree(ctx context.Context) (time.Time, error) {
	path := filepath.Join(d.path, startFile)
	if d.o.Shard == 0 {
		at := time.Now().Add(lead + time.Duration(d.o.Shards)*leadEach).Round(time.Millisecond)
		return at, d.say(path, []byte(at.Format(time.RFC3339Nano)))
	}
	text, err := d.await(ctx, path, func() error { return d.present(0) })
	if err != nil {
		return time.Time{}, err
	}
	at, err := time.Parse(time.RFC3339Nano, string(text))
	if err != nil {
		return at, d.callOff("%s: %v", path, err)
	}
	return at, nil
}

// everyone waits until all have said a word, and calls the run off where one is gone or
// did not by an instant, if there is one.
func (d *Dir) everyone(ctx context.Context, word string, by time.Time) error {
	for n := range d.o.Shards {
		_, err := d.await(ctx, d.file(word, n), func() error {
			if !by.IsZero() && time.Now().After(by) {
				return d.callOff("shard %d was not ready in time for the start: let the run start later", n)
			}
			return d.present(n)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// present calls the run off where a shard that came is gone.
func (d *Dir) present(n int) error {
	if d.isGone(n) {
		return d.callOff("shard %d ended before the run began: its own output says why", n)
	}
	return nil
}

// Aborted looks for an abort.
func (d *Dir) Aborted() (string, bool) {
	text, err := os.ReadFile(filepath.Join(d.path, abortFile))
	return string(text), err == nil
}

// Reach says that this shard is there, and waits for those that live.
func (d *Dir) Reach(ctx context.Context, p Point) (gone []int, err error) {
	if err := d.say(d.file(string(p), d.o.Shard), nil); err != nil {
		return nil, err
	}
	for n := range d.o.Shards {
		for !exists(d.file(string(p), n)) {
			if (d.isGone(n) || !exists(d.file(helloFile, n))) && !exists(d.file(string(p), n)) {
				gone = append(gone, n)
				break
			}
			if err := pause(ctx); err != nil {
				return gone, fmt.Errorf("shard %d has not %s: %w", n, p, err)
			}
		}
	}
	return gone, nil
}

// CallOff ends the run before its first arrival.
func (d *Dir) CallOff(reason string) { _ = d.sayFirst(offFile, reason) }

// Abort ends the arrivals of all.
func (d *Dir) Abort(reason string) { _ = d.sayFirst(abortFile, reason) }

// callOff calls the run off and returns why it is: another may have been first.
func (d *Dir) callOff(format string, args ...any) error {
	err := off(format, args...)
	d.CallOff(err.Error())
	if e := d.isOff(); e != nil {
		return e
	}
	return err
}

func (d *Dir) isOff() error {
	text, err := os.ReadFile(filepath.Join(d.path, offFile))
	if err != nil {
		return nil //nolint:nilerr // there is none
	}
	return &OffError{string(text)}
}

// Close gives the seat up; the last shard that leaves removes the run's folder.
func (d *Dir) Close() error {
	err := d.say(d.file(doneFile, d.o.Shard), nil)
	last := true
	for n := range d.o.Shards {
		last = last && (n == d.o.Shard || exists(d.file(doneFile, n)) || d.isGone(n) || !d.agreed && !exists(d.file(seatFile, n)))
	}
	err = errors.Join(err, d.seat.Close())
	if last {
		err = errors.Join(err, os.RemoveAll(d.path))
	}
	return err
}

// isGone says whether a shard that has greeted lives no more: nobody holds its seat.
func (d *Dir) isGone(n int) bool {
	if !canLock || n == d.o.Shard || !exists(d.file(helloFile, n)) {
		return false
	}
	f, err := os.OpenFile(d.file(seatFile, n), os.O_RDWR, 0o600)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	defer f.Close()
	free, err := lockFile(f)
	return err == nil && free
}

// await returns what a file holds once it is there. ok says each time whether to go on.
func (d *Dir) await(ctx context.Context, path string, ok func() error) ([]byte, error) {
	for {
		if err := d.isOff(); err != nil {
			return nil, err
		}
		text, err := os.ReadFile(path)
		switch {
		case err == nil:
			return text, nil
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		}
		if err := ok(); err != nil {
			return nil, err
		}
		if err := pause(ctx); err != nil {
			return nil, err
		}
	}
}

func pause(ctx context.Context) error {
	t := time.NewTimer(pollEvery)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// say writes a file so that a reader finds it whole or not at all.
func (d *Dir) say(path string, text []byte) error {
	tmp := path + "." + strconv.Itoa(d.o.Shard) + ".tmp"
	if err := os.WriteFile(tmp, text, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

// sayFirst writes a file that is all shards', unless one did.
func (d *Dir) sayFirst(word, text string) error {
	path := filepath.Join(d.path, word)
	tmp := path + "." + strconv.Itoa(d.o.Shard) + ".tmp"
	if err := os.WriteFile(tmp, []byte(text), 0o600); err != nil {
		return err
	}
	err := os.Link(tmp, path)
	if errors.Is(err, fs.ErrExist) {
		err = nil
	}
	return errors.Join(err, os.Remove(tmp))
}
