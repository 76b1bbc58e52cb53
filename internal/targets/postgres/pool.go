// Package postgres reaches PostgreSQL: the pool with what falsifies a
// measurement switched off, the account of what became of a write, perfctl's
// own schema, and the errors that say what to do next. It holds no scenario:
// which statements are run, and when, is decided elsewhere.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/time/rate"

	"github.com/perfctl/perfctl/internal/targets"
)

// Options say how to open connections.
type Options struct {
	// Run is the run's identity; the server shows it as application_name.
	Run string
	// Size is how many connections the pool has, neither more nor fewer.
	Size int
	// StatementTimeout and LockTimeout are kept by the server, so that a slow
	// statement costs an error and not its connection. 0 leaves the server's
	// own setting.
	StatementTimeout, LockTimeout time.Duration
	// Isolation is the isolation level of transactions, as SQL names it; empty
	// for the server's own setting.
	Isolation string
	// Log is told, once, of a pooler that stands before the server; nil for nobody.
	Log *slog.Logger
	// Statements are prepared on every connection.
	Statements []*Statement
	// Warm is run once on every connection before Open returns; i counts the
	// connections. It may be nil.
	Warm func(ctx context.Context, c Conn, i int) error
	// Reconnected is told of every connection opened after Open returned, and
	// of the time from dialling until its statements were prepared. It may be
	// nil, and is called from several goroutines.
	Reconnected func(took time.Duration)
}

const (
	connectTimeout = 5 * time.Second
	// answerGrace is what a server may exceed StatementTimeout by until the
	// connection is taken for dead; answerLimit holds where there is none.
	answerGrace = 5 * time.Second
	answerLimit = time.Minute
	// cancelGrace is what a server has to answer a cancelled statement before
	// the connection is closed.
	cancelGrace = 2 * time.Second
	// reconnectRate bounds the connections opened anew, per second, beyond
	// twice the pool at once: a restarting server must not be stormed.
	reconnectRate = 50
	// refillEvery is how often the pool opens what is missing.
	refillEvery = 10 * time.Second
	forever     = 24 * time.Hour
)

// errReconnecting is what an arrival gets while the bound on reconnects holds.
var errReconnecting = errors.New("no connection: the pool is reconnecting and its rate of attempts is bounded")

// Pool is a fixed number of connections with every statement prepared.
type Pool struct {
	*pgxpool.Pool
	begin, commit, rollback *Statement
	// limits are set at the begin of every transaction behind a pooler; nil for
	// none.
	limits *Statement
	// pooled says that a pooler stands before the server.
	pooled bool
	opened atomic.Bool
	// waiting is how many callers of Acquire wait now.
	waiting atomic.Int64
}

// Conn is a connection taken from the pool for one operation.
type Conn struct {
	pool *Pool
	conn *pgxpool.Conn
	pg   *pgconn.PgConn
}

// Acquire takes a connection, waiting for one with ctx. Release gives it back.
func (p *Pool) Acquire(ctx context.Context) (Conn, error) {
	p.waiting.Add(1)
	c, err := p.Pool.Acquire(ctx)
	p.waiting.Add(-1)
	if err != nil {
		return Conn{}, err
	}
	pg := c.Conn().PgConn()
	if data := pg.CustomData(); len(data) > 0 {
		delete(data, tracing)
	}
	return Conn{p, c, pg}, nil
}

// Release gives the connection back. One that is closed, or in the middle of
// something, is replaced by a new one.
func (c Conn) Release() { c.conn.Release() }

// Pgx returns the driver's connection.
func (c Conn) Pgx() *pgx.Conn { return c.conn.Conn() }

// Open opens all connections, prepares every statement on each and warms them
// up. Its error is a *targets.UnreachableError.
func Open(ctx context.Context, a targets.Address, o Options) (*Pool, error) {
	p := &Pool{begin: NewStatement("perfctl_begin", "BEGIN"),
		commit: NewStatement("perfctl_commit", "COMMIT"), rollback: NewStatement("perfctl_rollback", "ROLLBACK")}
	var err error
	if p.pooled, err = behindPooler(ctx, a, o); err != nil {
		return nil, Explain(a, "connect", err)
	}
	if p.pooled {
		p.begin, p.limits = NewStatement("perfctl_begin", begins(o)), limitsOf(o)
		if o.Log != nil {
			o.Log.Warn(poolerNotice)
		}
	}
	cfg, err := p.config(a, o)
	if err != nil {
		return nil, Explain(a, "read its address", err)
	}
	if p.Pool, err = pgxpool.NewWithConfig(ctx, cfg); err != nil {
		return nil, Explain(a, "open the pool", err)
	}
	if err := p.warm(ctx, o); err != nil {
		p.Pool.Close()
		return nil, Explain(a, fmt.Sprintf("open %d connections", o.Size), err)
	}
	p.opened.Store(true)
	return p, nil
}

// config switches off what would show up in a measurement though it is none of
// the target's doing: connections opened lazily, aged out or pinged on the
// way, and contexts that close the connection of a statement they end.
func (p *Pool) config(a targets.Address, o Options) (*pgxpool.Config, error) {
	cfg, err := pgxpool.ParseConfig(a.URL.String())
	if err != nil {
		return nil, err
	}
	size := int32(min(max(o.Size, 1), 10_000))
	cfg.MaxConns, cfg.MinConns, cfg.MinIdleConns = size, size, size
	cfg.MaxConnLifetime, cfg.MaxConnLifetimeJitter, cfg.MaxConnIdleTime = forever, 0, forever
	cfg.HealthCheckPeriod = refillEvery
	cfg.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false }
	limit := answerLimit
	at := o
	switch {
	case p.pooled:
		if o.StatementTimeout > 0 {
			limit = o.StatementTimeout + poolerGrace
		}
		at.StatementTimeout, at.LockTimeout, at.Isolation = 0, 0, ""
	case o.StatementTimeout > 0:
		limit = o.StatementTimeout + answerGrace
	}
	configure(cfg.ConnConfig, a, at)
	cfg.ConnConfig.BuildContextWatcherHandler = func(c *pgconn.PgConn) cancelHandler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: c, DeadlineDelay: cancelGrace}
	}
	cfg.ConnConfig.DialFunc = dialer(a, limit)

	limiter := rate.NewLimiter(reconnectRate, 2*int(size))
	cfg.BeforeConnect = func(context.Context, *pgx.ConnConfig) error {
		if p.opened.Load() && !limiter.Allow() {
			return errReconnecting
		}
		return nil
	}
	statements := append([]*Statement{p.begin, p.commit, p.rollback}, o.Statements...)
	if p.limits != nil {
		statements = append(statements, p.limits)
	}
	cfg.AfterConnect = func(ctx context.Context, c *pgx.Conn) error {
		for _, s := range statements {
			if err := s.prepare(ctx, c, !p.pooled); err != nil {
				return err
			}
		}
		if p.opened.Load() {
			took := sinceDial(c.PgConn().Conn())
			c.PgConn().CustomData()[opening] = took
			if o.Reconnected != nil {
				o.Reconnected(took)
			}
		}
		return nil
	}
	return cfg, nil
}

// configure sets what the pool's connections and a single one share.
func configure(cfg *pgx.ConnConfig, a targets.Address, o Options) {
	if cfg.ConnectTimeout <= 0 {
		cfg.ConnectTimeout = connectTimeout
	}
	// The name is looked up where it is dialled, so that the guard judges the address
	// that it leads to then.
	cfg.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	cfg.DialFunc = a.Dial
	if p := a.Password(); p != "" {
		cfg.Password = p // else what PGPASSWORD, the passfile or a service says, as libpq has it
	}
	if p := cfg.RuntimeParams; p != nil {
		// The size and the ageing of the pool are perfctl's; the server would
		// refuse the parameters of a single connection.
		maps.DeleteFunc(p, func(key, _ string) bool { return strings.HasPrefix(key, "pool_") })
		p["application_name"] = "perfctl/" + o.Run
		if o.StatementTimeout > 0 {
			p["statement_timeout"] = fmt.Sprint(o.StatementTimeout.Milliseconds())
		}
		if o.Isolation != "" {
			p["default_transaction_isolation"] = o.Isolation
		}
		if o.LockTimeout > 0 {
			p["lock_timeout"] = fmt.Sprint(o.LockTimeout.Milliseconds())
		}
	}
}

// warm takes all connections at once, which opens them, and warms each.
func (p *Pool) warm(ctx context.Context, o Options) error {
	conns := make([]Conn, o.Size)
	errs := make([]error, o.Size)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	var once sync.Once
	var first error
	for i := range conns {
		wg.Go(func() {
			if conns[i], errs[i] = p.Acquire(ctx); errs[i] != nil {
				// The first error is the cause; the others only ended with it.
				once.Do(func() { first = errs[i]; cancel() })
			}
		})
	}
	wg.Wait()
	for i := range conns {
		if errs[i] != nil {
			continue
		}
		if first == nil && o.Warm != nil {
			first = o.Warm(ctx, conns[i], i)
		}
		conns[i].Release()
	}
	return first
}

// Close closes every connection. Connections still in use are waited for with
// ctx.
func (p *Pool) Close(ctx context.Context) error {
	closed := make(chan struct{})
	go func() {
		p.Pool.Close()
		close(closed)
	}()
	select {
	case <-closed:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("close the pool: %d connections are still in use: %w", p.Stat().AcquiredConns(), ctx.Err())
	}
}

// Connect opens one connection for set-up, checks and clean-up. The server's
// own statement timeout holds for it, not the options'. Its error is a
// *targets.UnreachableError.
func Connect(ctx context.Context, a targets.Address, o Options) (*pgx.Conn, error) {
	cfg, err := pgx.ParseConfig(a.URL.String())
	if err != nil {
		return nil, Explain(a, "read its address", err)
	}
	o.StatementTimeout, o.LockTimeout, o.Isolation = 0, 0, ""
	configure(cfg, a, o)
	// Statements without names work behind a pooler, too.
	cfg.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	c, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, Explain(a, "connect", err)
	}
	return c, nil
}
