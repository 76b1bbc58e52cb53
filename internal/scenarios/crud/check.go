package crud

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/perfctl/perfctl/internal/scenarios"
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
	lostIDs, unexpectedIDs, alteredIDs ids
}

// Check compares the table with the client's own account, row by row.
func (s *scenario) Check(ctx context.Context) ([]scenarios.Check, error) {
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
	updates, unknown := s.account.updates.Load(), s.account.unknownUpdates.Load()
	gone := s.cfg.table - f.preloaded + f.missing
	return []scenarios.Check{
		{Name: "crud_rows_lost", Passed: f.lost == 0 && gone == 0 && f.torn == 0,
			Detail: fmt.Sprintf("%d of %d rows of committed inserts and %d of %d rows written before the run are missing; %d inserts are there in part (%d inserts of unknown outcome, of which %d rows took effect; %d rows deleted again to keep to max_rows)%s",
				f.lost, f.committed, gone, s.cfg.table+s.cfg.reserve, f.torn, f.unknown, f.recovered, f.trimmed, f.lostIDs)},
		{Name: "crud_rows_unexpected", Passed: f.unexpected == 0 && f.undeleted == 0 && f.untrimmed == 0,
			Detail: fmt.Sprintf("%d rows that this run did not write, %d rows whose delete was confirmed are still there%s", f.unexpected, f.undeleted+f.untrimmed, f.unexpectedIDs)},
		{Name: "crud_rows_intact", Passed: f.altered == 0, Detail: fmt.Sprintf("%d rows do not hold what was written to them%s", f.altered, f.alteredIDs)},
		{Name: "crud_updates_counted", Passed: f.versions >= updates && f.versions <= updates+unknown,
			Detail: fmt.Sprintf("the rows count %d updates, the client %d (and %d of unknown outcome)", f.versions, updates, unknown)},
		s.efficiency(&f),
	}, nil
}

// find reads the table back.
func (s *scenario) find(ctx context.Context, tx pgx.Tx, f *found) error {
	err := tx.QueryRow(ctx, fmt.Sprintf(
		"SELECT count(*) FILTER (WHERE id BETWEEN 1 AND %d), count(*) FILTER (WHERE payload <> %s), coalesce(sum(version), 0) FROM %s",
		s.cfg.table, payloadSQL(s.cfg.payload), s.table)).Scan(&f.preloaded, &f.altered, &f.versions)
	if err != nil {
		return err
	}
	if err := s.name(ctx, tx, f); err != nil {
		return err
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

// see notes a row beyond those that are selected and updated.
func (s *scenario) see(id int64, f *found) {
	switch first := s.cfg.firstInsert(); {
	case id < 1:
		f.unexpected++
		f.unexpectedIDs.add(id)
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
			f.unexpectedIDs.add(id)
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
			f.unexpectedIDs.add(s.cfg.firstReserve() + w.N)
		case w.Outcome == postgres.Refused && w.Seen == 0:
			f.missing++
		}
	})
	// Rows that no delete was sent for must all be there; see has taken away
	// those that are.
	f.missing += s.cfg.reserve - sent
	s.account.inserts.Each(func(w postgres.Write) {
		trim := s.account.trims.Get(w.N)
		switch {
		case w.Outcome == postgres.Committed && trim.Outcome == postgres.Committed:
			f.committed += w.Rows
			f.trimmed += trim.Rows
			if f.untrimmed += w.Seen; w.Seen > 0 {
				f.unexpectedIDs.add(s.cfg.idOf(w.N))
			}
			// Rows that their own deletion did not find.
			if gone := w.Rows - trim.Rows - w.Seen; gone > 0 {
				f.lost += gone
				f.lostIDs.add(s.cfg.idOf(w.N))
			}
		case w.Outcome == postgres.Committed && trim.Outcome == postgres.Unknown && w.Seen == 0:
			f.committed += w.Rows
			f.trimmed += w.Rows
		case w.Outcome == postgres.Committed:
			f.committed += w.Rows
			if f.lost += w.Rows - w.Seen; w.Seen < w.Rows {
				f.lostIDs.add(s.cfg.idOf(w.N))
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

// efficiency sets the insert modes side by side.
func (s *scenario) efficiency(f *found) scenarios.Check {
	var parts []string
	var rows int64
	for mode := range s.account.modes {
		m := &s.account.modes[mode]
		n := m.rows.Load()
		if n == 0 {
			continue
		}
		rows += n
		took := time.Duration(m.nanos.Load())
		parts = append(parts, fmt.Sprintf("%s: %d rows in %d inserts, %.4g ms a row, %.0f rows/s on one connection, %.4g ms an insert%s",
			modeNames[mode], n, m.inserts.Load(), ms(took)/float64(n), float64(n)/took.Seconds(), ms(took)/float64(m.inserts.Load()), s.floor.times(took/time.Duration(m.inserts.Load()))))
	}
	if len(parts) == 0 {
		parts = []string{"no inserts"}
	}
	parts = append(parts, fmt.Sprintf("a round trip (SELECT 1, before the run) takes %.4g ms", ms(s.floor.idle)))
	return scenarios.Check{Name: "crud_batch_modes", Passed: rows == f.committed, Detail: strings.Join(parts, "; ")}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
