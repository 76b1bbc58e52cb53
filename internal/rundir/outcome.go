package rundir

import (
	"encoding/json"
	"fmt"
)

// Outcome is what the store knows of a summary.json: its text, which package
// summary reads, and the few words of it by which runs are told apart.
type Outcome struct {
	// Verdict is what the run came to, ExitCode what it ended with, Generator
	// what the generator's check came to: valid, suspect or invalid.
	Verdict   string
	ExitCode  int
	Generator string
	// Text is the whole file.
	Text []byte

	schema int
}

// readOutcome reads a summary.json.
func readOutcome(text []byte) (*Outcome, error) {
	var head struct {
		Schema    int    `json:"schema"`
		Verdict   string `json:"verdict"`
		ExitCode  int    `json:"exit_code"`
		Generator struct {
			Status string `json:"status"`
		} `json:"generator"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, err
	}
	return &Outcome{Verdict: head.Verdict, ExitCode: head.ExitCode, Generator: head.Generator.Status, Text: text, schema: head.Schema}, nil
}

// LoseOutcome notes that summary.json cannot be read as a summary: the run
// counts as one that has none.
func (r *Run) LoseOutcome(err error) {
	r.Outcome, r.Killed = nil, true
	r.Lose(fmt.Sprintf("%s: damaged: %v", SummaryFile, err))
}
