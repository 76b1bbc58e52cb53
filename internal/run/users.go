package run

import (
	"fmt"

	"github.com/perfctl/perfctl/internal/engine"
	"github.com/perfctl/perfctl/internal/profiles"
	"github.com/perfctl/perfctl/internal/rundir"
)

// usersInfo describes a stage's users for the run directory.
func usersInfo(u *profiles.Users) *rundir.UsersInfo {
	if u == nil {
		return nil
	}
	return &rundir.UsersInfo{From: u.From, To: u.To, Pace: u.Pace.Seconds(), Pause: u.Pause.Seconds(), Iterations: u.Iterations, PerUser: u.PerUser, Guide: u.Guide}
}

// endNotes says why stages ended before their time, for those in which something
// was used up: that iterations end a stage was asked for.
func (p *Plan) endNotes(o *engine.Outcome) (notes []string) {
	for _, e := range o.Ends {
		if e.Reason != "" {
			notes = append(notes, fmt.Sprintf("stage %s ended before its time: %s", p.request.Profile.Stages[e.Stage].Name, e.Reason))
		}
	}
	return notes
}
