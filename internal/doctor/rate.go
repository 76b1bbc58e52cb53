package doctor

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/perfctl/perfctl/internal/engine"
	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/profiles"
)

// lagLimit is the lag up to which a rate counts as generated.
const lagLimit = time.Millisecond

// Rate is the highest rate that a machine generates with a lag below the limit.
type Rate struct {
	// Best is that rate, arrivals a second; 0 where not even the lowest try kept the limit.
	Best float64 `json:"best"`
	// Lag is the lag's 99th percentile at it, or at the lowest try.
	Lag time.Duration `json:"lag_ns"`
	// Beyond says that at twice that rate the lag passed the limit.
	Beyond bool `json:"beyond"`
}

// Rates doubles the rate until the lag's 99th percentile passes the limit, against
// nothing and against an echo over loopback. It offers the targets no load.
func Rates(ctx context.Context, found func(Finding)) {
	nothing, echo, err := MeasureRates(ctx)
	if err != nil {
		found(Finding{What: "rate", Found: err.Error()})
		return
	}
	found(nothing.finding("rate without a target"))
	found(echo.finding("rate against an echo"))
}

// MeasureRates measures what Rates tells.
func MeasureRates(ctx context.Context) (nothing, echo Rate, err error) {
	executor, closeEcho, err := echoServer(ctx)
	if err != nil {
		return nothing, echo, err
	}
	defer closeEcho()
	nothing = highestRate(ctx, func(int) work.Func { return func(context.Context, *work.Arrival) error { return nil } })
	return nothing, highestRate(ctx, executor), nil
}

// The rates that are tried, arrivals a second.
const (
	lowestTry  = 500
	highestTry = 512_000
)

// highestRate returns the highest rate that this machine generates with an executor.
func highestRate(ctx context.Context, executor func(workers int) work.Func) (out Rate) {
	for rate := float64(lowestTry); rate <= highestTry && ctx.Err() == nil; rate *= 2 {
		p99, err := tryRate(ctx, rate, executor)
		if err != nil || p99 > lagLimit {
			out.Beyond = true
			if out.Best == 0 {
				out.Lag = p99
			}
			break
		}
		out.Best, out.Lag = rate, p99
	}
	return out
}

// finding says what a rate is.
func (r Rate) finding(what string) Finding {
	at := figure.Value(float64(r.Lag), metrics.UnitTime)
	if r.Best == 0 {
		return Finding{What: what, Found: fmt.Sprintf("not even %d/s: the lag at the 99th percentile is %s, and %s is the limit\n  next: stop what else uses this machine's processors, or use another machine", lowestTry, at, lagLimit)}
	}
	beyond := ""
	if r.Beyond {
		beyond = fmt.Sprintf("; at twice that it passes %s", lagLimit)
	}
	return Finding{OK: true, What: what, Found: fmt.Sprintf("%s with a lag of %s at the 99th percentile%s", figure.Value(r.Best, metrics.UnitPerSec), at, beyond)}
}

// tryTime is how long one rate is tried.
const tryTime = 400 * time.Millisecond

// tryWorkers bounds the arrivals in flight of a try.
const tryWorkers = 64

// tryRate offers a rate and returns the lag's 99th percentile.
func tryRate(ctx context.Context, rate float64, executor func(int) work.Func) (time.Duration, error) {
	stages := []profiles.Stage{{Name: "try", Duration: tryTime, From: rate, To: rate, Class: profiles.Normal, Judged: true}}
	s, err := profiles.Compile(stages, profiles.Options{Process: profiles.Uniform})
	if err != nil {
		return 0, err
	}
	mix, err := profiles.NewMix([]profiles.Weight{{Scenario: "try", Weight: 1}}, 1)
	if err != nil {
		return 0, err
	}
	reg := metrics.NewRegistry([]string{"try"})
	clock := work.NewClock()
	e, err := engine.New(engine.Config{Schedule: s, Mix: mix, Clock: clock, Metrics: reg, GracefulStop: time.Second, Processors: engine.Processors(rate),
		Lanes: []engine.Lane{{Name: "try", Executor: executor(tryWorkers), Workers: tryWorkers}}})
	if err != nil {
		return 0, err
	}
	e.Begin(10 * time.Millisecond)
	if _, err := e.Run(ctx, ctx); err != nil {
		return 0, err
	}
	c := metrics.NewCollector(reg, e.Elapsed, s.StageAt)
	done, cancel := context.WithCancel(ctx)
	cancel()
	c.Run(done)
	var p99 int64
	c.Totals(func(t *metrics.Totals) {
		if h := t.Trend(metrics.Selector{Name: metrics.DispatchLag.Name}); h != nil {
			p99, _, _ = h.Quantile(0.99)
		}
	})
	return time.Duration(p99), nil
}

// echoServer answers each byte on loopback; the executor that it returns sends
// one and waits for it.
func echoServer(ctx context.Context) (func(workers int) work.Func, func(), error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, fmt.Errorf("listen on loopback: %w", err)
	}
	var mu sync.Mutex
	var open []net.Conn
	keep := func(c net.Conn) {
		mu.Lock()
		defer mu.Unlock()
		open = append(open, c)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			keep(c)
			go func() { _, _ = io.Copy(c, c) }() // ends when the client closes
		}
	}()
	executor := func(workers int) work.Func {
		conns := make([]net.Conn, workers)
		bufs := make([][1]byte, workers)
		return func(ctx context.Context, a *work.Arrival) error {
			if conns[a.Worker] == nil {
				c, err := (&net.Dialer{}).DialContext(ctx, "tcp", l.Addr().String())
				if err != nil {
					return err
				}
				keep(c)
				conns[a.Worker] = c
			}
			if _, err := conns[a.Worker].Write(bufs[a.Worker][:]); err != nil {
				return err
			}
			_, err := io.ReadFull(conns[a.Worker], bufs[a.Worker][:])
			return err
		}
	}
	return executor, func() {
		_ = l.Close()
		mu.Lock()
		defer mu.Unlock()
		for _, c := range open {
			_ = c.Close()
		}
	}, nil
}
