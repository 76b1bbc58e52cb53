package rundir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Reservation is a run directory that was made, and found fit to be written,
// before anything is started that a run would be lost for.
type Reservation struct {
	// made are the folders that were not there before, the outermost first.
	made []string
}

// Reserve makes a run directory and tries whether it can be written. A
// directory that already holds a run is an error. Release takes it back.
func Reserve(dir string) (*Reservation, error) {
	r := &Reservation{made: missingFolders(dir)}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		r.Release()
		return nil, fmt.Errorf("make the run directory: %w\n  next: choose a folder that can be written with --run-dir", err)
	}
	if err := holdsNone(dir); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(dir, ".perfctl-*")
	if err == nil {
		err = errors.Join(f.Close(), os.Remove(f.Name()))
	}
	if err != nil {
		r.Release()
		return nil, fmt.Errorf("the run directory cannot be written: %w\n  next: choose another one with --run-dir", err)
	}
	return r, nil
}

// Release removes the folders that Reserve made, unless there is something in
// them by now.
func (r *Reservation) Release() {
	for i := len(r.made) - 1; i >= 0; i-- {
		if os.Remove(r.made[i]) != nil {
			return
		}
	}
}

// missingFolders lists which of a folder and those above it are not there, the
// outermost first.
func missingFolders(dir string) (out []string) {
	for at := filepath.Clean(dir); ; at = filepath.Dir(at) {
		if _, err := os.Lstat(at); err == nil || at == filepath.Dir(at) {
			return out
		}
		out = append([]string{at}, out...)
	}
}

// holdsNone refuses a folder that holds a run.
func holdsNone(dir string) error {
	if _, err := os.Lstat(filepath.Join(dir, InfoFile)); err == nil {
		return fmt.Errorf("the run directory %s already holds a run: choose another one", dir)
	}
	return nil
}
