package summary

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/perfctl/perfctl/internal/rundir"
)

// SuiteFile is what a suite leaves beside the run directories of its runs.
const SuiteFile = "suite.json"

// Suite is suite.json and the output of suite --json: what several runs in turn came to.
type Suite struct {
	Schema  int       `json:"schema"`
	Name    string    `json:"name"`
	Started time.Time `json:"started"`
	// Duration is how long all of it took, in seconds, pauses included.
	Duration float64 `json:"duration_s"`
	// Verdict is pass, or what the worst run came to; ExitCode is that run's.
	Verdict  string     `json:"verdict"`
	ExitCode int        `json:"exit_code"`
	Runs     []SuiteRun `json:"runs"`
}

// SuiteRun is one run of a suite.
type SuiteRun struct {
	// Name is its folder, too.
	Name string `json:"name"`
	// Command are the arguments of perfctl run.
	Command  []string `json:"command"`
	ExitCode int      `json:"exit_code"`
	// NotRun says why it was not begun, Error why it has no summary.
	NotRun string `json:"not_run,omitempty"`
	Error  string `json:"error,omitempty"`
	// Summary is the run's, nil where it has none.
	Summary *Summary `json:"summary,omitempty"`
}

// suiteSchema is the version of the layout of Suite. A later one only adds.
const suiteSchema = 1

// Encode returns the suite as suite.json holds it.
func (s *Suite) Encode() ([]byte, error) {
	s.Schema = suiteSchema
	text, err := rundir.Encode(s)
	if err != nil {
		return nil, fmt.Errorf("encode the suite: %w", err)
	}
	return text, nil
}

// WriteSuite writes a suite into its folder, which it makes where it is not there.
func WriteSuite(dir string, s *Suite) error {
	text, err := s.Encode()
	if err != nil {
		return err
	}
	return rundir.Keep(dir, SuiteFile, text)
}

// ReadSuite reads the suite that a folder holds; nil for a folder that holds none.
func ReadSuite(dir string) (*Suite, error) {
	text, err := rundir.Kept(dir, SuiteFile)
	if text == nil || err != nil {
		return nil, err
	}
	s := new(Suite)
	if err := json.Unmarshal(text, s); err != nil {
		return nil, fmt.Errorf("%s: %w", SuiteFile, err)
	}
	return s, nil
}
