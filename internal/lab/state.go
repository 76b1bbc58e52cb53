package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

// state is what a detached lab's file holds.
type state struct {
	Dir     string    `json:"dir"`
	Servers []*server `json:"servers"`
}

// Save remembers the lab in a file that only its owner may read: it holds the
// servers' passwords.
func (l *Lab) Save(path string) error {
	data, err := json.MarshalIndent(state{l.dir, l.servers}, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the lab's state: %w", err)
	}
	return os.WriteFile(path, data, 0o600)
}

// ErrGone says that the lab of a file no longer runs.
var ErrGone = errors.New("the lab's servers are gone")

// Open finds the lab that Save remembered. The error wraps os.ErrNotExist where
// there is no file, and ErrGone where none of the servers runs any more.
func Open(path string) (*Lab, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var s state
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("%s is not a lab's state: %w", path, err)
	}
	l := &Lab{dir: s.Dir, servers: s.Servers}
	if len(l.Pids()) == 0 {
		return nil, fmt.Errorf("%s: %w", path, ErrGone)
	}
	return l, nil
}
