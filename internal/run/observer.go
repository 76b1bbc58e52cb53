package run

import (
	"time"

	"github.com/perfctl/perfctl/internal/faults"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/profiles"
	"github.com/perfctl/perfctl/internal/sla"
)

// Observer is told how a run goes on, and shows it. Its methods may be called by any
// goroutine; they must not wait, because the run does not go on before they return.
type Observer interface {
	// Step says what goes on besides offering load: setting up, draining. howFar,
	// which may be nil, says in a few words how far that has come.
	Step(text string, howFar func() string)
	// Minor is Step for something that is worth a word only where it takes long.
	Minor(text string)
	// Idle says that the step is over.
	Idle()
	// Say says what a user may want to know, Note what is about this one run of many.
	Say(text string)
	Note(text string)
	// Warn says what a user must know, whatever was asked to be left out.
	Warn(text string)
	// Begin says that load is about to be offered.
	Begin(View)
	// Second shows a second of the run.
	Second(*metrics.Snapshot, *metrics.Collector)
	// Broken says that a panic is about to end the program.
	Broken()
}

// View is what an observer can show of a run besides its seconds.
type View struct {
	// Profile is the profile's name.
	Profile  string
	Schedule *profiles.Schedule
	Stages   []profiles.Stage
	// Share is this process's part of the schedule's rate: 1 over the shards.
	Share float64
	// Faults are what is broken on purpose, in the order of their beginnings.
	Faults []faults.Timed
	// SoFar judges the rules and the generator by what was measured so far.
	SoFar func(*metrics.Totals) ([]sla.Result, Health)
}

// Health is the generator's state in mid-run.
type Health struct {
	// Status is valid, suspect or invalid.
	Status string
	// Reasons say why it is not valid.
	Reasons []string
}

// Users returns the users of closed stages that this process has at an instant of the
// run.
func (v *View) Users(at time.Duration) float64 { return v.Schedule.UsersAt(at) * v.Share }

// Offered returns the arrivals a second that this process owes at an instant of the
// run.
func (v *View) Offered(at time.Duration) float64 { return v.Schedule.RateAt(at) * v.Share }
