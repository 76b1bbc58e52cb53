package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/perfctl/perfctl/internal/engine"
	"github.com/perfctl/perfctl/internal/engine/health"
	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/profiles"
	"github.com/perfctl/perfctl/internal/targets"
)

const doctorExamples = `  perfctl doctor
  perfctl doctor --env-file .env.test -u 2000
  perfctl doctor --scenario cache --skip-rate`

func (w *world) doctorCommand() *cobra.Command {
	f := &planFlags{}
	skipRate := false
	c := &cobra.Command{
		Use:   "doctor [profile]",
		Short: "Check the targets, this machine's limits, and the rate that it can generate",
		Long: `Doctor sets the profile's scenarios up and down again (default: smoke), checks
open files, ports and the clock against the plan, and measures which rate this
machine generates with a lag below 1 ms at the 99th percentile, against nothing
and against an echo over loopback. It offers the targets no load.`,
		Example:           doctorExamples,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeProfiles,
	}
	f.register(c.Flags())
	c.Flags().BoolVar(&skipRate, "skip-rate", false, "do not measure the rate that this machine generates")
	c.RunE = func(c *cobra.Command, args []string) error {
		name := "smoke"
		if len(args) > 0 {
			name = args[0]
		}
		p, err := makePlan(name, f, c.Flags())
		if err != nil {
			return err
		}
		return w.doctor(c.Context(), p, skipRate)
	}
	return c
}

func (w *world) doctor(ctx context.Context, p *plan, skipRate bool) error {
	ctx, stop := w.interruptible(ctx)
	defer stop()
	tw := tabwriter.NewWriter(w.stdout, 0, 0, 2, ' ', 0)
	failed := w.examineTargets(ctx, tw, p)
	w.examineLimits(tw, p)
	if !skipRate {
		pr := w.newProgress(false)
		pr.step("measuring the rate that this machine generates …")
		w.examineRate(ctx, tw)
		pr.done()
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	return withCode(exitcode.Unreachable, failed)
}

// line prints one finding.
func (w *world) line(out io.Writer, ok bool, what, found string) {
	mark := w.paint(w.outTTY, "32", "✓")
	if !ok {
		mark = w.paint(w.outTTY, "31", "✗")
	}
	fmt.Fprintf(out, "%s %s\t%s\n", mark, what, found)
}

// examineTargets sets each scenario up alone and takes it down again.
func (w *world) examineTargets(ctx context.Context, out io.Writer, p *plan) error {
	addresses, err := w.addresses(ctx, p, nil)
	if err != nil {
		return err
	}
	var errs []error
	for _, k := range p.targetKinds() {
		a := addresses.Address(k)
		rtt, err := roundTrip(ctx, a)
		if err != nil {
			w.line(out, false, k.Title(), fmt.Sprintf("%s: %v", a, err))
			continue
		}
		w.line(out, true, k.Title(), fmt.Sprintf("%s: a TCP connection opens in %s", a, compactTime(rtt)))
	}
	fix, err := w.newFixture(p, addresses)
	if err != nil {
		return err
	}
	defer fix.close(w.newProgress(true))
	for i, s := range fix.scenarios {
		within, cancel := context.WithTimeout(ctx, setupTimeout)
		began := time.Now()
		err := s.Setup(within)
		cancel()
		if err != nil {
			errs = append(errs, fmt.Errorf("set up %s: %w", p.defs[i].Name, err))
			w.line(out, false, "scenario "+p.defs[i].Name, "cannot be set up, see below")
			continue
		}
		w.line(out, true, "scenario "+p.defs[i].Name, fmt.Sprintf("sets up in %s", compactTime(time.Since(began))))
	}
	return joinDistinct(errs)
}

// roundTrip is the median time of a few TCP connections.
func roundTrip(ctx context.Context, a targets.Address) (time.Duration, error) {
	h := new(metrics.Hist)
	d := net.Dialer{Timeout: 5 * time.Second}
	for range 5 {
		began := time.Now()
		c, err := d.DialContext(ctx, "tcp", a.HostPort())
		if err != nil {
			if op, ok := errors.AsType[*net.OpError](err); ok {
				err = op.Err
			}
			return 0, err
		}
		h.Record(int64(time.Since(began)))
		_ = c.Close() // nothing was sent
	}
	v, _, _ := h.Quantile(0.5)
	return time.Duration(v), nil
}

// examineLimits compares what the plan may need with what the system allows.
func (w *world) examineLimits(out io.Writer, p *plan) {
	l := health.ReadLimits()
	// Every arrival in flight may hold a connection; a few files are perfctl's.
	need := int64(p.flags.vus) + 100
	if l.OpenFiles > 0 {
		found := fmt.Sprintf("%d allowed, up to %d needed for -u %d", l.OpenFiles, need, p.flags.vus)
		if l.OpenFiles < need {
			found += fmt.Sprintf("; next: ulimit -n %d", 2*need)
		}
		w.line(out, l.OpenFiles >= need, "open files", found)
	}
	if l.PortHigh > 0 {
		ports := l.PortHigh - l.PortLow + 1
		w.line(out, ports > int64(p.flags.vus), "ephemeral ports", fmt.Sprintf("%d to %d: %d connections to one target at a time, %.0f new ones a second",
			l.PortLow, l.PortHigh, ports, float64(ports)/60))
	}
	if l.ClockSource != "" {
		cheap := l.ClockSource == "tsc" || l.ClockSource == "kvm-clock" || l.ClockSource == "arch_sys_counter"
		w.line(out, cheap, "clock", fmt.Sprintf("source %s, %s for a reading%s", l.ClockSource, readingCost(), disciplined(l)))
	}
	if l.CPUs > 0 {
		w.line(out, true, "processors", fmt.Sprintf("%d usable, load average %.2f", l.CPUs, l.Load))
	}
}

func disciplined(l health.Limits) string {
	if l.Synchronised {
		return ", disciplined by NTP"
	}
	return ", not disciplined: instants of other machines do not compare"
}

func readingCost() time.Duration {
	const n = 10_000
	c := work.NewClock()
	began := time.Now()
	for range n {
		c.Now()
	}
	return time.Since(began) / n
}

// lagLimit is the lag up to which a rate counts as generated.
const lagLimit = time.Millisecond

// examineRate doubles the rate until the lag's 99th percentile passes the
// limit.
func (w *world) examineRate(ctx context.Context, out io.Writer) {
	echo, closeEcho, err := echoServer(ctx)
	if err != nil {
		w.line(out, false, "rate", err.Error())
		return
	}
	defer closeEcho()
	nothing := func(int) work.Func { return func(context.Context, *work.Arrival) error { return nil } }
	for _, x := range []struct {
		name string
		make func(workers int) work.Func
	}{{"rate without a target", nothing}, {"rate against an echo", echo}} {
		best, lag := 0.0, time.Duration(0)
		beyond := ""
		for rate := 500.0; rate <= 512_000 && ctx.Err() == nil; rate *= 2 {
			p99, err := tryRate(ctx, rate, x.make)
			if err != nil || p99 > lagLimit {
				beyond = fmt.Sprintf("; at twice that it passes %s", lagLimit)
				break
			}
			best, lag = rate, p99
		}
		w.line(out, best > 0, x.name, fmt.Sprintf("%s/s with a lag of %s at the 99th percentile%s", compact(best), compactTime(lag), beyond))
	}
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
