package crud

import (
	"context"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/targets/postgres"
)

// retriedStates are the SQLSTATEs by which the server asks for another try:
// serialization_failure and deadlock_detected.
var retriedStates = [...]string{"40001", "40P01"}

// retriable says whether the error asks for another try, and counts it.
func (s *scenario) retriable(stage int, err error) bool {
	state := postgres.StateOf(err)
	for i := range retriedStates {
		if state == retriedStates[i] {
			s.m.retries[i].Add(stage, 1)
			return true
		}
	}
	return false
}

// trim takes the arrival's insert among those that are kept, and deletes the
// rows of the oldest one, whose place it takes.
func (s *scenario) trim(ctx context.Context, c postgres.Conn, a *work.Arrival, w *worker) error {
	place := (s.nextKept.Add(1) - 1) % int64(len(s.kept))
	old := s.kept[place].Swap(a.N+1) - 1
	if old < 0 {
		return nil
	}
	first := s.cfg.idOf(old)
	w.params.Int64(0, first)
	w.params.Int64(1, first+s.cfg.stride-1)
	s.account.trims.Set(old, postgres.Unknown, 1)
	sent := s.clock.Now()
	rows, err := c.Exec(ctx, s.sql.trim, w.params.First(2))
	s.account.trims.Set(old, postgres.OutcomeOf(err), int(rows))
	switch {
	case err != nil:
		return postgres.Fail(err)
	case rows != s.account.inserts.Get(old).Rows:
		return errNoRow
	}
	s.m.trim.Record(a.Stage, s.clock.Now()-sent)
	s.m.trimmed.Add(a.Stage, rows)
	return nil
}
