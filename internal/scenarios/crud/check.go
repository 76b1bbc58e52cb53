package crud

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/scenarios/examples"
	"github.com/perfctl/perfctl/internal/targets/postgres"
)

// found is what the server holds, in one snapshot of it.
type found struct {
	preloaded, altered, versions int64
	// missing and undeleted are rows written to be deleted: gone though no
	// delete took effect, and there though one was confirmed.
	missing, undeleted int64
	// unexpected are rows that no committed insert explains, lost ones that
	// committed inserts wrote and that are not there, recovered ones that are
	// there though their insert's outcome was unknown, torn inserts of which
	// only a part is there.
	unexpected, lost, recovered, torn int64
	committed, unknown                int64
	// untrimmed are rows that are there though their deletion for the sake of
	// max_rows was confirmed, trimmed those that are gone by it.
	untrimmed, trimmed int64
	// The first rows of each fault.
	lostIDs, unexpectedIDs, alteredIDs examples.Numbers
}

// Account compares the table with the client's own account, row by row. A shard counts
// the rows of its own arrivals; the rows from before the run, and those that nobody
// wrote, are the first one's.
func (s *scenario) Account(ctx context.Context) (*scenarios.Account, error) {
	c, err := postgres.Connect(ctx, s.address, s.options)
	if err != nil {
		return nil, err
	}
	defer c.Close(context.WithoutCancel(ctx))
	var f found
	opts := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	if err := pgx.BeginTxFunc(ctx, c, opts, func(tx pgx.Tx) error { return s.find(ctx, tx, &f) }); err != nil {
		return nil, fmt.Errorf("read table %s back: %w", s.table, err)
	}
	s.weigh(&f)
	return s.sumUp(&f), nil
}

// find reads the table back.
func (s *scenario) find(ctx context.Context, tx pgx.Tx, f *found) error {
	if s.plan.First() {
		if err := s.findFirst(ctx, tx, f); err != nil {
			return err
		}
	}
	rows, err := tx.Query(ctx, fmt.Sprintf("SELECT id FROM %s WHERE id < 1 OR id > %d", s.table, s.cfg.table))
	if err != nil {
		return err
	}
	var id int64
	_, err = pgx.ForEachRow(rows, []any{&id}, func() error {
		s.see(id, f)
		return nil
	})
	return err
}

// findFirst counts what is no arrival's own.
func (s *scenario) findFirst(ctx context.Context, tx pgx.Tx, f *found) error {
	err := tx.QueryRow(ctx, fmt.Sprintf(
		"SELECT count(*) FILTER (WHERE id BETWEEN 1 AND %d), count(*) FILTER (WHERE payload <> %s), coalesce(sum(version), 0) FROM %s",
		s.cfg.table, payloadSQL(s.cfg.payload), s.table)).Scan(&f.preloaded, &f.altered, &f.versions)
	if err != nil {
		return err
	}
	return s.name(ctx, tx, f)
}

// see notes a row beyond those that are selected and updated.
func (s *scenario) see(id int64, f *found) {
	switch first := s.cfg.firstInsert(); {
	case id < 1 && !s.plan.First(), id >= 1 && id < first && !s.ownsReserve(id-s.cfg.firstReserve()), id >= first && !s.plan.Mine((id-first)/s.cfg.stride):
		// another shard's to count
	case id < 1:
		f.unexpected++
		f.unexpectedIDs.Add(id)
	case id < first:
		s.account.deletes.See(id - s.cfg.firstReserve())
		if s.account.deletes.Get(id-s.cfg.firstReserve()).Outcome == postgres.NotSent {
			f.missing-- // counted as there; see weigh
		}
	default:
		n, i := (id-first)/s.cfg.stride, (id-first)%s.cfg.stride
		w := s.account.inserts.Get(n)
		if w.Outcome == postgres.NotSent || w.Outcome == postgres.Refused || i >= w.Rows {
			f.unexpected++
			f.unexpectedIDs.Add(id)
			return
		}
		s.account.inserts.See(n)
	}
}

// weigh compares every write with what was seen of it.
func (s *scenario) weigh(f *found) {
	sent := int64(0)
	s.account.deletes.Each(func(w postgres.Write) {
		sent++
		switch {
		case w.Outcome == postgres.Committed && w.Seen > 0:
			f.undeleted++
			f.unexpectedIDs.Add(s.cfg.firstReserve() + w.N)
		case w.Outcome == postgres.Refused && w.Seen == 0:
			f.missing++
		}
	})
	// Rows that no delete was sent for must all be there; see has taken away
	// those that are.
	f.missing += int64(s.plan.Portion(int(s.cfg.reserve))) - sent
	s.account.inserts.Each(func(w postgres.Write) {
		trim := s.account.trims.Get(w.N)
		switch {
		case w.Outcome == postgres.Committed && trim.Outcome == postgres.Committed:
			f.committed += w.Rows
			f.trimmed += trim.Rows
			if f.untrimmed += w.Seen; w.Seen > 0 {
				f.unexpectedIDs.Add(s.cfg.idOf(w.N))
			}
			// Rows that their own deletion did not find.
			if gone := w.Rows - trim.Rows - w.Seen; gone > 0 {
				f.lost += gone
				f.lostIDs.Add(s.cfg.idOf(w.N))
			}
		case w.Outcome == postgres.Committed && trim.Outcome == postgres.Unknown && w.Seen == 0:
			f.committed += w.Rows
			f.trimmed += w.Rows
		case w.Outcome == postgres.Committed:
			f.committed += w.Rows
			if f.lost += w.Rows - w.Seen; w.Seen < w.Rows {
				f.lostIDs.Add(s.cfg.idOf(w.N))
			}
		case w.Outcome == postgres.Unknown:
			f.unknown++
			f.recovered += w.Seen
			if w.Seen > 0 && w.Seen < w.Rows {
				f.torn++
			}
		}
	})
}
