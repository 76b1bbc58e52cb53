package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Shard is a shard's side of the protocol, in its pod: the meeting of the shards of a run
// that speak through whoever conducts them.
type Shard struct {
	// Manifest says what it is a shard of, Index which one.
	Manifest *Manifest
	Index    int
	// Folder may be written to, Root stands for the root of the machine that the plan's
	// files came from.
	Folder, Root string
	// Spool prints its frames.
	Spool *Spool

	plan     string
	private  Private
	farewell string
	ship     Shipper
	inbox    Inbox

	mu    sync.Mutex
	notes map[string]string
	// changed is closed and made anew each time that notes change.
	changed chan struct{}
	end     context.CancelFunc
	beside  sync.WaitGroup
}

// looks is how often a shard looks at its inbox, repeats how often it says once more
// what it waits for an answer to.
const (
	looks   = 50 * time.Millisecond
	repeats = 2 * time.Second
)

// RunFolder is where a shard's run directory goes.
func (s *Shard) RunFolder() string { return filepath.Join(s.Folder, "shard") }

// OpenShard reads what a pod was given, and begins to print frames to out. Leave gives it
// back.
func OpenShard(lookup func(string) (string, bool), out io.Writer) (*Shard, error) {
	get := func(name string) (string, error) {
		v, ok := lookup(name)
		if !ok || v == "" {
			return "", fmt.Errorf("%s is not set: this command runs in the pods that perfctl run --kubernetes makes", name)
		}
		return v, nil
	}
	var values [4]string
	for i, name := range []string{EnvParcel, EnvInbox, EnvFolder, EnvIndex} {
		var err error
		if values[i], err = get(name); err != nil {
			return nil, err
		}
	}
	index, err := strconv.Atoi(values[3])
	if err != nil {
		return nil, fmt.Errorf("%s is %q, which is no number", EnvIndex, values[3])
	}
	parcel, err := os.ReadFile(values[0])
	if err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	s := &Shard{Index: index, Folder: values[2], plan: ParcelHash(parcel), inbox: Inbox{Path: values[1], Every: looks}, changed: make(chan struct{})}
	if s.Manifest, s.Root, err = Unpack(parcel, filepath.Join(s.Folder, "plan")); err != nil {
		return nil, err
	}
	if text, ok := lookup(EnvSecret); ok && text != "" {
		if err := json.Unmarshal([]byte(text), &s.private); err != nil {
			return nil, fmt.Errorf("%s: %w", EnvSecret, err)
		}
	}
	for _, f := range s.private.Files {
		path := filepath.Join(s.Root, filepath.Clean("/"+f.Path))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, f.Data, 0o600)); err != nil {
			return nil, fmt.Errorf("unpack the plan: %w", err)
		}
	}
	s.farewell, _ = lookup(EnvFarewell)
	if s.Spool, err = NewSpool(out, filepath.Join(s.Folder, "frames")); err != nil {
		return nil, err
	}
	s.ship = Shipper{Dir: s.RunFolder(), Spool: s.Spool}
	ctx, cancel := context.WithCancel(context.Background())
	s.end = cancel
	s.beside.Go(func() { s.attend(ctx) })
	return s, nil
}

// Leave ends the shard's side of the protocol.
func (s *Shard) Leave() {
	s.end()
	s.beside.Wait()
	_ = s.Spool.Close() // all was printed
}

// Args are the arguments of perfctl run, with those that are secret.
func (s *Shard) Args() []string { return slices.Concat(s.Manifest.Args, s.private.Args) }

// WorkFolder stands for the folder in which the command was given.
func (s *Shard) WorkFolder() string { return filepath.Join(s.Root, s.Manifest.Folder) }

// attend reads the inbox and prints again what is asked for.
func (s *Shard) attend(ctx context.Context) {
	printed := ""
	_ = s.inbox.watch(ctx, func(notes map[string]string) bool {
		s.mu.Lock()
		s.notes = notes
		close(s.changed)
		s.changed = make(chan struct{})
		s.mu.Unlock()
		if again := notes[noteReprint]; again != "" && again != printed {
			printed = again
			_, from, _ := strings.Cut(again, ":")
			if n, err := strconv.ParseInt(from, 10, 64); err == nil {
				_ = s.Spool.Again(n) // what does not come is asked for once more
			}
		}
		return false
	})
}

// note waits for one of some annotations. While it waits, the last frame is repeated. It
// gives up after a time, 0 for never, and returns the name of the annotation that is
// there, the first one named first.
func (s *Shard) note(ctx context.Context, within time.Duration, names ...string) (name, value string, err error) {
	again := time.NewTicker(repeats)
	defer again.Stop()
	var late <-chan time.Time
	if within > 0 {
		timer := time.NewTimer(within)
		defer timer.Stop()
		late = timer.C
	}
	for {
		s.mu.Lock()
		notes, changed := s.notes, s.changed
		s.mu.Unlock()
		for _, n := range names {
			if v, ok := notes[n]; ok {
				return n, v, nil
			}
		}
		select {
		case <-changed:
		case <-again.C:
			_ = s.Spool.AgainLast() // what does not come is repeated
		case <-late:
			return "", "", fmt.Errorf("nothing was heard of the command for %s", within)
		case <-ctx.Done():
			return "", "", context.Cause(ctx)
		}
	}
}

// Serve prints what the run records, every second, until ctx ends, and calls stop once
// where the run is to end before its time.
func (s *Shard) Serve(ctx context.Context, stop func(Stop)) {
	var beside sync.WaitGroup
	defer beside.Wait()
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	beside.Go(func() {
		_, v, err := s.noteQuietly(waiting, noteStop)
		if err != nil {
			return
		}
		word, text, _ := strings.Cut(v, " ")
		stop(Stop{Interrupted: word != stopAbort, Text: text})
	})
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_ = s.ship.Ship() // what could not be read now is read the next time
		case <-ctx.Done():
			return
		}
	}
}

// noteQuietly is note without repeating anything: a run goes on.
func (s *Shard) noteQuietly(ctx context.Context, name string) (string, string, error) {
	for {
		s.mu.Lock()
		notes, changed := s.notes, s.changed
		s.mu.Unlock()
		if v, ok := notes[name]; ok {
			return name, v, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return "", "", context.Cause(ctx)
		}
	}
}

// Finish prints the rest and what it all comes to, leaves the totals as the pod's last
// words, and waits until everything was collected.
func (s *Shard) Finish(ctx context.Context, f Final) error {
	if err := s.ship.Ship(); err != nil {
		return err
	}
	var err error
	if f.Files, err = s.ship.Sums(); err != nil {
		return err
	}
	if s.farewell != "" {
		words, _ := json.Marshal(map[string]any{"verdict": f.Verdict, "totals": f.Totals}) // always encodes
		_ = os.WriteFile(s.farewell, words, 0o600)                                         // a second way, where there is one
	}
	if err := s.Spool.PrintFinal(&f); err != nil {
		return err
	}
	_, _, err = s.note(ctx, s.Manifest.Hold, noteCollected)
	return err
}

// Fail says why there is no run, and waits a short time for somebody to read it.
func (s *Shard) Fail(ctx context.Context, f Failed) {
	_ = s.Spool.PrintJSON(KindFailed, f) // the pod's exit code says the same
	_, _, _ = s.note(ctx, failureHeard, noteStop, noteCollected)
}

// failureHeard is how long a shard that failed waits to be heard.
const failureHeard = 10 * time.Second
