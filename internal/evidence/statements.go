package evidence

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/rundir/exemplars"
)

// What makes a statement's plan another one: that it reads so many times the pages it
// used to, and at least so many more, in so many calls of a second.
const (
	planTimes = 10
	planPages = 100
	planCalls = 3
	// usualReadings is of how many seconds it is known what is usual.
	usualReadings = 3
	// maxStatements bounds how many statements are followed.
	maxStatements = 1000
)

// statements follows what each statement costs the server, by pg_stat_statements.
type statements struct {
	log   *slog.Logger
	said  bool
	blind bool
	at    float64
	by    map[int64]*statement
}

// statement is what one costs.
type statement struct {
	text         string
	calls, pages int64
	known        bool
	usual        []float64 // pages a call, of the readings while nothing was wrong
}

// counted reads calls and pages of the database's statements; text leaves them out: to
// read the texts of all takes the server longer.
const counted = `SELECT queryid, sum(calls)::int8, sum(shared_blks_hit + shared_blks_read)::int8 FROM pg_stat_statements(false)
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND queryid IS NOT NULL GROUP BY 1 ORDER BY 2 DESC LIMIT $1`

const textOf = `SELECT left(query, 200) FROM pg_stat_statements WHERE queryid = $1 LIMIT 1`

// look notes the statements that came to read many times the pages they used to. Where
// the extension is not there or may not be read, that is said once.
func (s *statements) look(ctx context.Context, c *pgx.Conn, j *Journal, open *spans) error {
	if s.blind {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	before, now := s.at, j.Now()
	s.at = now
	rows, err := c.Query(ctx, counted, maxStatements)
	if err != nil {
		return s.refused(err, c)
	}
	var grown []*statement
	var ids []int64
	for rows.Next() {
		var id, calls, pages int64
		if err := rows.Scan(&id, &calls, &pages); err != nil {
			return err
		}
		if x := s.see(id, calls, pages); x != nil {
			grown, ids = append(grown, x), append(ids, id)
		}
	}
	if err := rows.Err(); err != nil {
		return s.refused(err, c)
	}
	for i, x := range grown {
		if x.text == "" {
			if err := c.QueryRow(ctx, textOf, ids[i]).Scan(&x.text); err != nil {
				continue // it was forgotten meanwhile
			}
		}
		open.see("plan "+x.text, exemplars.Evidence{From: before, To: now, Source: "postgres", Kind: exemplars.Plan, By: x.text,
			What: fmt.Sprintf("read many times the pages for a call that it used to (about %s before)", figure.Whole(x.before()))})
	}
	return nil
}

// see follows a statement and returns it where it reads many times what it used to.
func (s *statements) see(id, calls, pages int64) *statement {
	x := s.by[id]
	if x == nil {
		if len(s.by) >= maxStatements {
			return nil
		}
		x = &statement{}
		s.by[id] = x
	}
	n, read, known := calls-x.calls, pages-x.pages, x.known
	x.calls, x.pages, x.known = calls, pages, true
	if !known || n < planCalls {
		return nil
	}
	each := float64(read) / float64(n)
	if len(x.usual) >= usualReadings {
		if b := x.before(); each >= planTimes*b && each >= b+planPages {
			return x
		}
	}
	if x.usual = append(x.usual, each); len(x.usual) > 60 {
		x.usual = x.usual[1:]
	}
	return nil
}

// before is how many pages a call used to read: the median.
func (x *statement) before() float64 {
	all := slices.Sorted(slices.Values(x.usual))
	return all[len(all)/2]
}

// refused says once that statements cannot be followed; an error of the connection is
// handed on.
func (s *statements) refused(err error, c *pgx.Conn) error {
	if c.IsClosed() {
		return err
	}
	s.blind = true
	if !s.said {
		s.said = true
		s.log.Info("pg_stat_statements cannot be read: perfctl slow does not know when a statement's plan became another one", "cause", err)
	}
	return nil
}
