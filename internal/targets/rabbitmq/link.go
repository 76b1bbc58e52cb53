package rabbitmq

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"golang.org/x/time/rate"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/targets"
)

// The bounds on the pause between two attempts to reconnect.
const (
	minPause = 100 * time.Millisecond
	maxPause = 2 * time.Second
	// closeWait bounds the farewell to a broker that may be gone.
	closeWait = 2 * time.Second
)

// Reconnects counts connections that were lost in a run and restored.
var Reconnects = metrics.Desc{Name: "rabbitmq_reconnects", Kind: metrics.KindCounter, Unit: metrics.UnitCount, Role: metrics.RoleReconnects,
	Help: "connections that were lost in the run and restored"}

// BlockedTime is how long a broker held publishers back.
var BlockedTime = metrics.Desc{Name: "rabbitmq_blocked_time", Kind: metrics.KindTrend, Unit: metrics.UnitTime,
	Help: "from when the broker said that it blocks publishers (connection.blocked: its memory or disk runs short) until it said that it does not any more, or the connection ended"}

// NewLimiter returns the bound on reconnects that the links of one run share:
// a broker that comes back must not be met by a stampede.
func NewLimiter() *rate.Limiter { return rate.NewLimiter(20, 4) }

// LinkConfig says how a Link connects and what it does with a connection.
type LinkConfig[S any] struct {
	Address targets.Address
	Options Options
	// Limiter bounds the attempts to reconnect; links may share it.
	Limiter *rate.Limiter
	// Prepare builds, over a fresh connection, what the link's user works with.
	// lost may be called at any time, any number of times, to say that it has
	// become useless though the connection may still stand.
	Prepare func(ctx context.Context, c *amqp.Connection, lost func()) (*S, error)
	// Blocked, if set, is told how long the broker blocked publishers, when that ends.
	Blocked func(took time.Duration)
	// Reconnected, if set, is told of every reconnect: how long there was no
	// usable connection.
	Reconnected func(took time.Duration)
	// Log receives losses, reconnects and the broker's alarms.
	Log *slog.Logger
}

// Link is one connection that is dialled again, in the background, when it is
// lost. Each connection has a session of its own, so that nothing that belongs
// to a former one, such as a delivery tag, can be taken for a later one's.
type Link[S any] struct {
	cfg     LinkConfig[S]
	session atomic.Pointer[S]
	// blockedAt is when the broker began to block publishers, in nanoseconds since born;
	// 0 while it does not.
	blockedAt atomic.Int64
	born      time.Time
	// outage says why there is no connection, down is the failure that it is.
	outage *outage
	down   error
	stop   context.CancelFunc
	done   chan struct{}
}

// OpenLink dials, prepares the first session and keeps the link alive until
// Close. Its error is a *targets.UnreachableError.
func OpenLink[S any](ctx context.Context, cfg LinkConfig[S]) (*Link[S], error) {
	if cfg.Limiter == nil {
		cfg.Limiter = NewLimiter()
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	l := &Link[S]{cfg: cfg, done: make(chan struct{}), outage: &outage{}, born: time.Now()}
	l.down = l.outage.failure()
	e, err := l.connect(ctx)
	if err != nil {
		return nil, err
	}
	keep, stop := context.WithCancel(context.WithoutCancel(ctx))
	l.stop = stop
	go l.run(keep, e)
	return l, nil
}

// Session returns the session of the present connection, nil while there is
// none.
func (l *Link[S]) Session() *S { return l.session.Load() }

// Down returns the failure of what was to be sent while there is no session.
func (l *Link[S]) Down() error { return l.down }

// Blocked says whether the broker blocks publishers now.
func (l *Link[S]) Blocked() bool { return l.blockedAt.Load() != 0 }

// unblock notes that the broker does not block publishers any more.
func (l *Link[S]) unblock() {
	if at := l.blockedAt.Swap(0); at != 0 && l.cfg.Blocked != nil {
		l.cfg.Blocked(time.Since(l.born) - time.Duration(at))
	}
}

// Close ends the link and its connection, and waits for it within ctx.
func (l *Link[S]) Close(ctx context.Context) error {
	l.stop()
	select {
	case <-l.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// epoch is one connection and the signals that end it.
type epoch struct {
	conn    *Conn
	lost    chan struct{}
	closed  chan *amqp.Error
	blocked chan amqp.Blocking
}

// connect dials and prepares a session. Both are bounded: a broker that has
// just come back may accept a connection and never answer what is asked on it.
func (l *Link[S]) connect(ctx context.Context) (*epoch, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*l.cfg.Options.filled().Timeout)
	defer cancel()
	c, err := Dial(ctx, l.cfg.Address, l.cfg.Options)
	if err != nil {
		return nil, err
	}
	e := &epoch{
		conn:    c,
		lost:    make(chan struct{}, 1),
		closed:  c.NotifyClose(make(chan *amqp.Error, 1)),
		blocked: c.NotifyBlocked(make(chan amqp.Blocking, 16)),
	}
	// What Prepare asks of the broker knows no context: closing the connection
	// is what ends it.
	stop := context.AfterFunc(ctx, func() { _ = c.raw.Close() })
	defer stop()
	s, err := l.cfg.Prepare(ctx, c.Connection, func() {
		select {
		case e.lost <- struct{}{}:
		default:
		}
	})
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		c.End(closeWait)
		return nil, Explain(l.cfg.Address, "prepare the connection", err)
	}
	l.session.Store(s)
	return e, nil
}

// run watches one connection after the other.
func (l *Link[S]) run(ctx context.Context, e *epoch) {
	defer close(l.done)
	for {
		cause, stopped := l.watch(ctx, e)
		l.session.Store(nil)
		since := time.Now()
		e.conn.End(closeWait)
		if stopped {
			return
		}
		l.cfg.Log.Warn("connection to RabbitMQ lost", "connection", l.cfg.Options.Name, "cause", cause)
		if e = l.reconnect(ctx); e == nil {
			return
		}
		took := time.Since(since)
		l.cfg.Log.Info("connection to RabbitMQ restored", "connection", l.cfg.Options.Name, "after", took)
		if l.cfg.Reconnected != nil {
			l.cfg.Reconnected(took)
		}
	}
}

// watch returns when the connection is of no more use, with the cause, or when
// ctx ends.
func (l *Link[S]) watch(ctx context.Context, e *epoch) (cause string, stopped bool) {
	defer l.unblock()
	for {
		select {
		case <-ctx.Done():
			return "", true
		case <-e.lost:
			return "a channel was closed", false
		case err := <-e.closed:
			if err == nil {
				return "closed", false
			}
			return targets.Redact(err.Error(), l.cfg.Address), false
		case b, ok := <-e.blocked:
			if !ok {
				e.blocked = nil
			} else if b.Active {
				l.blockedAt.CompareAndSwap(0, max(int64(time.Since(l.born)), 1))
				l.cfg.Log.Warn("RabbitMQ blocks publishing", "connection", l.cfg.Options.Name, "cause", b.Reason)
			} else {
				l.unblock()
				l.cfg.Log.Info("RabbitMQ lets publish again", "connection", l.cfg.Options.Name)
			}
		}
	}
}

// reconnect tries until it succeeds, or returns nil when ctx ends.
func (l *Link[S]) reconnect(ctx context.Context) *epoch {
	for pause := minPause; ; pause = min(2*pause, maxPause) {
		if l.cfg.Limiter.Wait(ctx) != nil {
			return nil
		}
		e, err := l.connect(ctx)
		if err == nil {
			return e
		}
		if ctx.Err() != nil {
			return nil
		}
		l.outage.note(err)
		l.cfg.Log.Debug("cannot reconnect to RabbitMQ", "connection", l.cfg.Options.Name, "cause", err, "next_attempt_in", pause)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}
