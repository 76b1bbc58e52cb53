package crud

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/perfctl/perfctl/internal/scenarios/examples"
)

// name finds the first of the rows that are altered, and of those before the
// run that are missing.
func (s *scenario) name(ctx context.Context, tx pgx.Tx, f *found) error {
	for _, q := range []struct {
		ask bool
		to  *examples.Numbers
		sql string
	}{
		{f.altered > 0, &f.alteredIDs, fmt.Sprintf("SELECT id FROM %s WHERE payload <> %s ORDER BY id LIMIT %d", s.table, payloadSQL(s.cfg.payload), examples.Most+1)},
		{f.preloaded < s.cfg.table, &f.lostIDs, fmt.Sprintf("SELECT i FROM generate_series(1, %d) i WHERE NOT EXISTS (SELECT FROM %s WHERE id = i) LIMIT %d", s.cfg.table, s.table, examples.Most+1)},
	} {
		if !q.ask {
			continue
		}
		rows, err := tx.Query(ctx, q.sql)
		if err != nil {
			return err
		}
		if *q.to, err = pgx.CollectRows(rows, pgx.RowTo[int64]); err != nil {
			return err
		}
	}
	return nil
}
