package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// state is what a detached lab's file holds.
type state struct {
	Dir     string    `json:"dir"`
	Servers []*server `json:"servers"`
}

// check refuses what Save never writes: stopping a lab signals processes and
// removes a folder, and a damaged file must not choose which.
func (s state) check() error {
	if !filepath.IsAbs(s.Dir) || filepath.Clean(s.Dir) != s.Dir || !strings.HasPrefix(filepath.Base(s.Dir), dirPrefix) {
		return fmt.Errorf("%q is not the folder of a lab", s.Dir)
	}
	for _, v := range s.Servers {
		switch {
		case v == nil || !slices.Contains(Services(), v.Name):
			return errors.New("it names a server that a lab does not have")
		case v.Pid <= 1 || v.Born == "":
			return fmt.Errorf("it does not say which process %s is", v.Name)
		case filepath.Dir(v.Log) != s.Dir:
			return fmt.Errorf("the log of %s is not in the lab's folder", v.Name)
		}
	}
	return nil
}

// StateFile is where a lab that outlives its program is remembered unless something else
// is asked for: in the user's cache folder.
func StateFile() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = os.TempDir()
	}
	return filepath.Join(dir, "perfctl-lab.json")
}

// Save remembers the lab in a file that only its owner may read: it holds the
// servers' passwords. An earlier file is replaced whole or not at all, a folder that
// is missing is made.
func (l *Lab) Save(path string) error {
	data, err := json.MarshalIndent(state{l.dir, l.servers}, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the lab's state: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("save the lab's state: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".perfctl-lab-*") // mode 0600
	if err != nil {
		return fmt.Errorf("save the lab's state: %w", err)
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("save the lab's state: %w", errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}

// ErrGone says that the lab of a file no longer runs.
var ErrGone = errors.New("the lab's servers are gone")

// Open finds the lab that Save remembered. The error wraps os.ErrNotExist where
// there is no file, and ErrGone where none of the servers runs any more.
func Open(path string) (*Lab, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("open the lab's state: %w", err)
	}
	var s state
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("%s is not a lab's state: %w", path, err)
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("%s is not a lab's state: %w", path, err)
	}
	l := &Lab{dir: s.Dir, servers: s.Servers, opened: true}
	if !l.alive() {
		return nil, fmt.Errorf("%s: %w", path, ErrGone)
	}
	return l, nil
}

// Shell is the setting as a POSIX shell assigns it: NAME='value'.
func (s Setting) Shell() string {
	return s.Name + "='" + strings.ReplaceAll(s.Value, "'", `'\''`) + "'"
}
