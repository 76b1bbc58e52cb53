package main

import (
	"regexp"
	"time"
)

// idForm is what names of queues, tables and keys can carry.
var idForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`)

// identify reads the flags by which the shards of a run belong together.
func (p *plan) identify(f *runFlags) error {
	if f.runID != "" && !idForm.MatchString(f.runID) {
		return usageError("--run-id %q: want up to 32 lower-case letters, digits and hyphens", f.runID)
	}
	p.runID = f.runID
	if f.startAt == "" {
		return nil
	}
	at, err := time.Parse(time.RFC3339, f.startAt)
	if err != nil {
		return usageError("--start-at %q: want a time such as %s", f.startAt, time.Now().UTC().Add(time.Minute).Format(time.RFC3339))
	}
	if late := time.Since(at); late > 0 {
		return usageError("--start-at %s is %v ago", f.startAt, late.Round(time.Second))
	}
	p.startAt = at
	return nil
}

// lead returns how long it is to the first arrival, which is when --start-at
// says where there is one, and says so.
func (p *plan) lead(pr *progress) time.Duration {
	if p.startAt.IsZero() {
		return startLead
	}
	lead := time.Until(p.startAt)
	if lead < startLead {
		pr.say("warning: all was set up %v after --start-at; starting now\n  next: choose a later time for all shards", (startLead - lead).Round(time.Millisecond))
		return startLead
	}
	pr.step("waiting until %s …", p.startAt.Format(time.RFC3339))
	return lead
}
