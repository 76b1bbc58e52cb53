package run

import (
	"context"
	"fmt"

	"github.com/perfctl/perfctl/internal/scenarios"
)

// errAborted is why a run ends that another shard, or who drives all of them, aborted.
type errAborted struct{ reason string }

// Error returns the reason.
func (e *errAborted) Error() string { return e.reason }

// heedMeeting ends the arrivals where the run was aborted in another shard.
func (w *second) heedMeeting() {
	s := w.prepared.session
	if w.stopped || !s.shared(w.prepared.plan) {
		return
	}
	if reason, aborted := s.Meeting.Aborted(); aborted {
		w.stopped = true
		w.byOthers = reason
		s.Observer.Note("stopping: " + reason)
		w.abort(&errAborted{reason})
	}
}

// abortAll ends the arrivals of all shards for a reason that came up here.
func (s *Session) abortAll(p *Plan, why any) {
	if s.shared(p) {
		s.Meeting.Abort(p.request.Secrets.Text(fmt.Sprintf("shard %d: %v", p.request.Shard, why)))
	}
}

// accounts counts what was done of every scenario that can tell. What could not be found
// out is a check that failed.
func (m *measurer) accounts(ctx context.Context) (out map[string]*scenarios.Account, failed []scenarios.Check) {
	out = map[string]*scenarios.Account{}
	for i, s := range m.scenarios {
		c, ok := s.(scenarios.Accountant)
		if !ok {
			continue
		}
		name := m.plan.defs[i].Name
		m.show.Step(fmt.Sprintf("checking %s …", name), func() string { return howFar(m.scenarios[i : i+1]) })
		within, stop := m.answering(ctx, i)
		a, err := c.Account(within)
		if gone := context.Cause(within); err != nil && gone != nil && ctx.Err() == nil {
			err = gone
		}
		stop()
		if a != nil {
			out[name] = a
		}
		if err != nil {
			failed = append(failed, scenarios.Check{Name: name + ": consistency", Detail: fmt.Sprintf("could not be checked: %v", err)})
		}
	}
	return out, failed
}

// weigh makes the checks of accounts of whole scenarios.
func weigh(defs []*scenarios.Definition, accounts map[string]*scenarios.Account) (checks []scenarios.Check, values map[string][]scenarios.Value) {
	values = map[string][]scenarios.Value{}
	for _, d := range defs {
		a := accounts[d.Name]
		if a == nil || d.Weigh == nil {
			continue
		}
		w, err := d.Weigh(a)
		values[d.Name] = w.Values
		if a.Missing > 0 {
			w.Checks = scenarios.Certain(w.Checks)
		}
		for _, c := range w.Checks {
			c.Name = d.Name + ": " + c.Name
			checks = append(checks, c)
		}
		if err != nil {
			checks = append(checks, scenarios.Check{Name: d.Name + ": consistency", Detail: fmt.Sprintf("could not be checked: %v", err)})
		}
	}
	return checks, values
}
