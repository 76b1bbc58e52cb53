package rundir

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/perfctl/perfctl/internal/metrics"
)

// Outcome is what the store knows of a summary.json: its text, which package
// summary reads, and the few words of it by which runs are told apart.
type Outcome struct {
	// Verdict is what the run came to, ExitCode what it ended with, Generator
	// what the generator's check came to, in the words of package states.
	Verdict   string
	ExitCode  int
	Generator string
	// Text is the whole file.
	Text []byte

	// arrivals are what the summary says of the arrivals' ends, whole that it says of
	// itself that nothing is missing.
	arrivals map[string]int64
	whole    bool
	schema   int
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
		Run struct {
			Incomplete bool `json:"incomplete"`
		} `json:"run"`
		Arrivals map[string]int64 `json:"arrivals"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, err
	}
	return &Outcome{Verdict: head.Verdict, ExitCode: head.ExitCode, Generator: head.Generator.Status, Text: text,
		schema: head.Schema, arrivals: head.Arrivals, whole: !head.Run.Incomplete}, nil
}

// agree compares what a summary says of the arrivals with what was recorded of them:
// where seconds are gone, the two differ.
func (r *reader) agree() {
	o := r.run.Outcome
	if o == nil || !o.whole {
		return
	}
	for _, d := range []metrics.Desc{metrics.ArrivalsStarted, metrics.ArrivalsSucceeded, metrics.ArrivalsFailed, metrics.ArrivalsDropped, metrics.ArrivalsUnfinished} {
		word := strings.TrimPrefix(d.Name, "arrivals_")
		said, says := o.arrivals[word]
		recorded, _ := r.run.Totals.Counter(metrics.Selector{Name: d.Name})
		if says && said != recorded {
			r.lose(SeriesFile, "holds %d arrivals %s, and %s says %d: seconds are missing", recorded, word, SummaryFile, said)
			return
		}
	}
}

// LoseOutcome notes that summary.json cannot be read as a summary: the run
// counts as one that has none.
func (r *Run) LoseOutcome(err error) {
	r.Outcome, r.Killed = nil, true
	r.NoOutcome = fmt.Sprintf("%s: damaged: %v", SummaryFile, err)
	r.Lose(r.NoOutcome)
}
