package crud

import (
	"context"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/targets/postgres"
)

// ended counts how a transaction ended of which an operation got this error. What is
// wrong with its result is found once it is committed.
func (s *scenario) ended(stage int, err error) {
	switch work.KindOf(err) {
	case work.KindExhausted: // nothing was sent
	case work.KindWrong:
		s.m.ends.Count(stage, postgres.Committed)
	default:
		s.m.ends.Count(stage, postgres.OutcomeOf(err))
	}
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
	s.ended(a.Stage, err)
	switch {
	case err != nil:
		return work.Asked("trim ("+work.Statement(s.sql.trim.SQL)+")", postgres.Fail(err))
	case rows != s.account.inserts.Get(old).Rows:
		return errNoRow
	}
	s.m.trim.Record(a.Stage, s.clock.Now()-sent)
	s.m.trimmed.Add(a.Stage, rows)
	return nil
}
