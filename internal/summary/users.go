package summary

import (
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/stats"
)

// Users is how a closed stage went.
type Users struct {
	rundir.UsersInfo
	// Mean is how many users there were on average, by the ramp.
	Mean float64 `json:"mean"`
	// Response is the mean response time, Paused the mean time between two arrivals
	// of a user that was a pause, within an arrival or after it; both in seconds.
	Response float64 `json:"response_mean_s"`
	Paused   float64 `json:"paused_mean_s"`
	// Expected is the throughput that Little's law expects of them, in arrivals/s:
	// users ÷ (response + pause). It is null where users have a pace, which fixes it,
	// where something else guides them, or where nothing succeeded.
	Expected *float64 `json:"expected_rps"`
}

// users returns how the users of a stage did, nil for an open one.
func (t *tally) users(p *rundir.StageInfo, took float64) *Users {
	if p.Users == nil {
		return nil
	}
	u := &Users{UsersInfo: *p.Users, Mean: float64(p.Users.From+p.Users.To) / 2, Paused: p.Users.Pause}
	if n := t.run.Info.Shards; n > 1 {
		u.Mean /= float64(n)
	}
	if p.Duration > 0 && took < p.Duration { // cut short on a ramp
		to := float64(p.Users.From) + float64(p.Users.To-p.Users.From)*took/p.Duration
		u.Mean *= (float64(p.Users.From) + to) / float64(p.Users.From+p.Users.To)
	}
	h := t.hist(metrics.ServiceTime.Name, p.Name)
	if h == nil || h.N == 0 {
		return u
	}
	u.Response = h.Mean() / 1e9
	if paused := t.hist(metrics.SessionPause.Name, p.Name); paused != nil && paused.N > 0 {
		u.Paused += paused.Mean() / 1e9 * float64(paused.N) / float64(h.N)
	}
	if cycle := u.Response + u.Paused; p.Users.Pace == 0 && p.Users.Guide == "" && cycle > 0 {
		x := stats.Throughput(u.Mean, cycle)
		u.Expected = &x
	}
	return u
}
