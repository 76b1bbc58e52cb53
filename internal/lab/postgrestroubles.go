package lab

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"sync"

	"github.com/jackc/pgx/v5"
)

// addPostgresTroubles lets a database be brought into trouble by statements.
func addPostgresTroubles(s *server, u url.URL) {
	s.trouble(ReadOnly, func(ctx context.Context, _ int) (Mend, error) {
		end := func(ctx context.Context) error {
			return runStatements(ctx, u, "ALTER SYSTEM RESET default_transaction_read_only", "SELECT pg_reload_conf()")
		}
		// Sessions that are there already take it over with their next statement.
		return end, runStatements(ctx, u, "ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
	})
	s.trouble(ConnectionLimit, func(ctx context.Context, n int) (Mend, error) { return occupy(ctx, u, n) })
}

// runStatements executes statements on a connection of its own, to which a database
// that only reads does not apply.
func runStatements(ctx context.Context, u url.URL, list ...string) error {
	c, err := open(ctx, u)
	if err != nil {
		return err
	}
	defer c.Close(context.WithoutCancel(ctx))
	for _, text := range list {
		if _, err := c.Exec(ctx, text); err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
	}
	return nil
}

// occupier is by which name the database lists the connections of occupy.
const occupier = "perfctl fault"

func open(ctx context.Context, u url.URL) (*pgx.Conn, error) {
	c, err := pgx.ParseConfig(u.String())
	if err != nil {
		return nil, err
	}
	c.RuntimeParams["application_name"] = occupier
	c.RuntimeParams["default_transaction_read_only"] = "off"
	return pgx.ConnectConfig(ctx, c)
}

// occupy takes all connections of the server but n, as an application does that leaks
// them: a limit of the database's own does not hold for its administrators, one of whom
// the lab's user is. Those of others above n are ended, the newest first.
func occupy(ctx context.Context, u url.URL, n int) (Mend, error) {
	admin, err := open(ctx, u)
	if err != nil {
		return nil, err
	}
	var most string
	if err := admin.QueryRow(ctx, "SHOW max_connections").Scan(&most); err != nil {
		return nil, errors.Join(err, admin.Close(ctx))
	}
	all, err := strconv.Atoi(most)
	if err != nil {
		return nil, errors.Join(err, admin.Close(ctx))
	}
	o := &occupied{held: []*pgx.Conn{admin}}
	err = untilFew(ctx, func() (bool, error) {
		var others int
		const end = `SELECT count(*), count(pg_terminate_backend(pid)) FILTER (WHERE nr > $1) FROM (
			SELECT pid, row_number() OVER (ORDER BY backend_start) AS nr FROM pg_stat_activity
			WHERE backend_type = 'client backend' AND application_name <> $2) AS other`
		var ended int
		if err := admin.QueryRow(ctx, end, n, occupier).Scan(&others, &ended); err != nil {
			return false, err
		}
		o.take(ctx, u, all-n)
		return others <= n && len(o.held) >= all-n, nil
	})
	if err != nil {
		return nil, errors.Join(err, o.free(context.WithoutCancel(ctx)))
	}
	return o.free, nil
}

// occupied are connections that are held so that nobody else has them.
type occupied struct {
	lock sync.Mutex
	held []*pgx.Conn
}

// takers is how many connections are opened at the same time.
const takers = 8

// take opens connections until so many are held, or the server has no more.
func (o *occupied) take(ctx context.Context, u url.URL, most int) {
	var all sync.WaitGroup
	want := max(most-len(o.held), 0)
	next := make(chan struct{}, want)
	for range want {
		next <- struct{}{}
	}
	close(next)
	for range takers {
		all.Go(func() {
			for range next {
				c, err := open(ctx, u)
				if err != nil {
					return // there is none left: whoever has it is ended next
				}
				o.lock.Lock()
				o.held = append(o.held, c)
				o.lock.Unlock()
			}
		})
	}
	all.Wait()
}

// free gives all back.
func (o *occupied) free(ctx context.Context) error {
	for _, c := range o.held {
		_ = c.Close(ctx) // a server that ended has them no more
	}
	o.held = nil
	return nil
}
