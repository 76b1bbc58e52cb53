package crud

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// ids are the first rows that something is wrong with.
type ids []int64

// maxIDs is how many rows are named.
const maxIDs = 5

func (x *ids) add(id int64) {
	if len(*x) <= maxIDs {
		*x = append(*x, id)
	}
}

// name finds the first of the rows that are altered, and of those before the
// run that are missing.
func (s *scenario) name(ctx context.Context, tx pgx.Tx, f *found) error {
	for _, q := range []struct {
		ask bool
		to  *ids
		sql string
	}{
		{f.altered > 0, &f.alteredIDs, fmt.Sprintf("SELECT id FROM %s WHERE payload <> %s ORDER BY id LIMIT %d", s.table, payloadSQL(s.cfg.payload), maxIDs+1)},
		{f.preloaded < s.cfg.table, &f.lostIDs, fmt.Sprintf("SELECT i FROM generate_series(1, %d) i WHERE NOT EXISTS (SELECT FROM %s WHERE id = i) LIMIT %d", s.cfg.table, s.table, maxIDs+1)},
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
