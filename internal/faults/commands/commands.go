// Package commands breaks servers of the user's own by the user's commands, and mends
// them by others. Before a command runs, a record of what undoes it is on the disk: what
// a run that was killed left broken can be mended later. When and whether commands may
// run is decided above it.
package commands

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/perfctl/perfctl/internal/faults"
)

// Timeout bounds one command.
const Timeout = time.Minute

// maxOutput bounds what an error quotes of what a command printed, in bytes.
const maxOutput = 400

// Record says what is broken and what mends it.
type Record struct {
	Run    string `json:"run"`
	Fault  string `json:"fault"`
	Target string `json:"target"`
	// Undo is the shell command, Folder where it runs.
	Undo   string    `json:"undo"`
	Folder string    `json:"folder"`
	Begun  time.Time `json:"begun"`
	path   string
}

// String names the fault with its run.
func (r Record) String() string { return "the fault " + r.Fault + " of the run " + r.Run }

// Folder returns where records are.
func Folder() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the user's cache folder: %w", err)
	}
	return filepath.Join(dir, "perfctl-faults"), nil
}

// Broken is a fault that is in force.
type Broken struct {
	record Record
	// lock is the record's file. The kernel holds it locked as long as this process is.
	lock *os.File
}

// Break runs the command of a fault. Where it fails, what undoes it has run already:
// half of it may have been done.
func Break(ctx context.Context, dir, run string, f *faults.Fault) (*Broken, error) {
	where, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	b := &Broken{record: Record{Run: run, Fault: f.Name, Target: f.Target, Undo: f.Undo, Folder: where, Begun: time.Now()}}
	if err := b.remember(dir); err != nil {
		return nil, fmt.Errorf("remember what undoes it, without which it is not done: %w", err)
	}
	if err := b.record.execute(ctx, f.Run); err != nil {
		return nil, errors.Join(err, b.Mend(context.WithoutCancel(ctx)))
	}
	return b, nil
}

// Mend undoes the fault. Where that fails the record stays.
func (b *Broken) Mend(ctx context.Context) error {
	defer b.lock.Close()
	return b.record.mend(ctx)
}

// remember writes the record, which is on the disk when it returns.
func (b *Broken) remember(dir string) error {
	text, err := json.Marshal(b.record)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if b.lock, err = os.CreateTemp(dir, "fault-*"+recordEnd); err != nil { // mode 0600
		return err
	}
	b.record.path = b.lock.Name()
	err = syscall.Flock(int(b.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		_, err = b.lock.Write(text)
	}
	if err == nil {
		err = b.lock.Sync()
	}
	if err != nil {
		return errors.Join(err, b.lock.Close(), os.Remove(b.record.path))
	}
	return nil
}

const recordEnd = ".json"

// Left is what runs left broken that are no more.
type Left struct {
	Record
	lock *os.File
}

// Find returns what is left. Close gives each back; until then nobody else finds it.
func Find(dir string) ([]Left, error) {
	files, err := filepath.Glob(filepath.Join(dir, "fault-*"+recordEnd))
	if err != nil {
		return nil, err
	}
	var out []Left
	for _, path := range files {
		if l, ok := open(path); ok {
			out = append(out, l)
		}
	}
	return out, nil
}

// open opens a record of this user's that no process holds.
func open(path string) (Left, bool) {
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return Left{}, false
	}
	info, err := f.Stat()
	own, ok := Left{lock: f}, false
	if err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 == 0 && syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
		err = json.NewDecoder(f).Decode(&own.Record)
		_, gone := os.Stat(path)
		ok = err == nil && gone == nil && own.Undo != ""
	}
	if !ok {
		_ = f.Close()
		return Left{}, false
	}
	own.path = path
	return own, true
}

// Mend undoes what is left.
func (l Left) Mend(ctx context.Context) error { return l.mend(ctx) }

// Close lets others find it, unless it was mended.
func (l Left) Close() { _ = l.lock.Close() }

// mend runs what undoes the fault, and forgets it.
func (r Record) mend(ctx context.Context) error {
	if err := r.execute(ctx, r.Undo); err != nil {
		return fmt.Errorf("undo it: %w\n  next: perfctl reset tries again what undoes it", err)
	}
	if err := os.Remove(r.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("it is undone, and its record stays: %w", err)
	}
	return nil
}

// execute runs a shell command in a group of its own, which a Ctrl-C on the terminal
// does not reach.
func (r Record) execute(ctx context.Context, text string) error {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	c := exec.CommandContext(ctx, "/bin/sh", "-c", text)
	c.Dir, c.Env = r.Folder, append(os.Environ(), "PERFCTL_RUN="+r.Run, "PERFCTL_FAULT="+r.Fault, "PERFCTL_TARGET="+r.Target)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	c.WaitDelay = time.Second
	out, err := c.CombinedOutput()
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay): // what it left running holds its output
		return nil
	case ctx.Err() != nil:
		err = fmt.Errorf("it was ended after %v", Timeout)
	}
	said := strings.TrimSpace(string(out))
	if cut := len(said) - maxOutput; cut > 0 {
		said = "… " + strings.ToValidUTF8(said[cut:], "")
	}
	if said != "" {
		said = ": " + said
	}
	return fmt.Errorf("the command %q: %w%s", text, err, said)
}
