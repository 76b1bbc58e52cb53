// Package profiles turns profile files into checked profiles, and profiles into
// schedules: which arrival is due when, in which stage, for which scenario. It
// knows no clock, no goroutine, and no input or output beyond decoding.
package profiles

import (
	"slices"
	"time"

	"github.com/perfctl/perfctl/internal/faults"
	"github.com/perfctl/perfctl/internal/strictyaml"
)

// Class says which of the SLA table's columns a stage is judged by.
type Class string

// The classes of the SLA table, from the strictest to the most lenient.
const (
	Normal Class = "normal"
	High   Class = "high"
	Spike  Class = "spike"
)

// Limits beyond which a profile is a mistake, or cannot be scheduled exactly.
const (
	MaxRate     = 1e7              // arrivals/s
	MaxDuration = 1000 * time.Hour // of a whole run
	MaxArrivals = int64(1e12)      // of a whole run
	MaxStages   = 1000
)

// Profile is a named load shape: ordered stages, the scenarios that their
// arrivals exercise, and the settings of these.
type Profile struct {
	Name, Description string
	// Rates are the rates that have a name, and so can be bent, in file order.
	Rates []NamedRate
	// Scenarios are the scenarios and their weights, in file order; empty where
	// the profile leaves the choice to the caller.
	Scenarios []Weight
	Stages    []Stage
	// Settings are in force in all stages.
	Settings []Setting
}

// NamedRate is a rate that stages refer to by its name.
type NamedRate struct {
	Name  string
	Value float64 // arrivals/s
	Pos   strictyaml.Pos
}

// Stage is a part of a profile.
type Stage struct {
	Name     string
	Duration time.Duration
	// From and To are the rates at the start and the end, in arrivals/s; in
	// between the rate changes linearly.
	From, To float64
	// FromRate and ToRate are the names of the rates that From and To were
	// taken from; empty where the file gives a number.
	FromRate, ToRate string
	// Users, where it is not nil, makes the stage a closed one, without a rate.
	Users *Users
	// Burst is how many arrivals are due all at once at the start of the stage,
	// besides those of its rate.
	Burst int64
	Class Class
	// Judged is false for a stage that no SLA rule looks at, as a warm-up.
	Judged bool
	// Settings are in force in this stage only, and win over the profile's.
	Settings []Setting
	// Faults are what is broken on purpose in it; their times are from its start.
	Faults []faults.Fault
	Pos    strictyaml.Pos
}

// Setting is a scenario's setting. Value is the scalar as it stands in the
// file: what it may be is the scenario's to say.
type Setting struct {
	Scenario, Key, Value string
	Pos                  strictyaml.Pos
}

// Weight is a scenario's share of the arrivals: Weight of the sum of weights.
type Weight struct {
	Scenario string
	Weight   int
	Pos      strictyaml.Pos
}

// Duration returns the length of all stages together.
func (p *Profile) Duration() (d time.Duration) {
	for _, s := range p.Stages {
		d += s.Duration
	}
	return d
}

// clone returns a copy whose rates and stages can be changed.
func (p *Profile) clone() *Profile {
	c := *p
	c.Rates = slices.Clone(p.Rates)
	c.Stages = slices.Clone(p.Stages)
	return &c
}
