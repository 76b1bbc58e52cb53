package cluster

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/perfctl/perfctl/internal/meeting"
)

// Hello is what a shard says first of all, before it reaches a target.
type Hello struct {
	meeting.Hello
	// Plan is the hash of the plan that the pod was given.
	Plan string `json:"plan"`
	Arch string `json:"arch"`
	// Processors is how many of them the shard may use at once.
	Processors int `json:"processors"`
	// Clock is the shard's wall clock.
	Clock time.Time `json:"clock"`
}

// Ready says that everything is set up but the arrivals.
type Ready struct {
	Clock time.Time `json:"clock"`
}

// Armed says that a shard waits for an instant that is still to come.
type Armed struct {
	StartAt time.Time `json:"start_at"`
	Clock   time.Time `json:"clock"`
}

// Final says that a shard's run is over, and what it left.
type Final struct {
	// Frames is the number of this frame: how many there were before it.
	Frames int64 `json:"frames"`
	// Files holds each file's length and SHA-256.
	Files map[string]FileSum `json:"files"`
	// Verdict and ExitCode are the shard's own; the whole is judged from outside.
	Verdict  string `json:"verdict"`
	ExitCode int    `json:"exit_code"`
	// Totals are the arrivals by what became of them.
	Totals map[string]int64 `json:"totals,omitempty"`
}

// FileSum is what a file must come to.
type FileSum struct {
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Failed says why a shard ends without a run.
type Failed struct {
	Error    string `json:"error"`
	ExitCode int    `json:"exit_code"`
}

// Part is a part of a file of a run directory.
type Part struct {
	// File is its name, Offset where the part begins.
	File   string `json:"f"`
	Offset int64  `json:"o"`
	// Data is the part itself; it follows the rest as bytes.
	Data []byte `json:"-"`
}

// encode returns a part as the body of a frame.
func (p *Part) encode() []byte {
	head, _ := json.Marshal(p) // strings and numbers always encode
	return append(append(head, '\n'), p.Data...)
}

// decodePart reads the body of a data frame.
func decodePart(body []byte) (Part, error) {
	head, data, ok := bytes.Cut(body, []byte("\n"))
	var p Part
	if !ok {
		return p, errors.New("a part of a file without a head")
	}
	if err := json.Unmarshal(head, &p); err != nil {
		return p, fmt.Errorf("a part of a file: %w", err)
	}
	if p.Offset < 0 || !plainName(p.File) {
		return p, fmt.Errorf("a part of a file %.80q at %d", p.File, p.Offset)
	}
	p.Data = data
	return p, nil
}

// plainName says whether a name is that of a file in a folder, and of nothing else.
func plainName(name string) bool {
	if name == "" || len(name) > 200 || name[0] == '.' {
		return false
	}
	for _, r := range name {
		if r == '/' || r == '\\' || r < ' ' {
			return false
		}
	}
	return true
}
