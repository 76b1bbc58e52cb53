package tasks

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"go.uber.org/goleak"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/scenarios/scenariotest"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/rabbitmq"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// broker returns the address of the broker under test.
func broker(t testing.TB) targets.Address {
	t.Helper()
	if os.Getenv("PERFCTL_TEST_SERVERS") != "1" {
		t.Skip("needs servers: run make test")
	}
	settings, err := targets.Resolve(func(name string) (string, string, bool) {
		v, ok := os.LookupEnv(name)
		return v, "environment", ok
	})
	if err != nil {
		t.Fatal(err)
	}
	return settings.RabbitMQ
}

func within(t testing.TB, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// trial is a scenario with what a run gives it.
type trial struct {
	*scenario
	clock work.Clock
	reg   *metrics.Registry
	seed  uint64
	all   *metrics.Collector
}

// newTrial makes a scenario for n arrivals. Each setting is a pair of key and
// value.
func newTrial(t testing.TB, a targets.Address, n int64, workers int, settings ...string) *trial {
	t.Helper()
	reg := metrics.NewRegistry([]string{"first", "second"})
	clock := work.NewClock()
	d := Definition()
	var over []scenarios.Override
	for i := 0; i+1 < len(settings); i += 2 {
		over = append(over, scenarios.Override{Key: settings[i], Value: settings[i+1], Stage: -1, Place: "test"})
	}
	values, errs := scenarios.NewValues(&d, 2, over)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	s, err := newScenario(scenarios.Env{
		RunID: fmt.Sprintf("test-%x", time.Now().UnixNano()), Seed: 7, Clock: clock, Metrics: reg,
		Targets: &targets.Settings{RabbitMQ: a}, Values: values, Scenario: "tasks",
		Plan: scenarios.Plan{Arrivals: n, Workers: workers, Stages: reg.Stages()},
	})
	if err != nil {
		t.Fatal(err)
	}
	all := metrics.NewCollector(reg, clock.Now, func(time.Duration) int { return 0 })
	return &trial{scenario: s, clock: clock, reg: reg, seed: 7, all: all}
}

// begin sets a trial up and closes it at the end of the test.
func begin(t testing.TB, a targets.Address, n int64, workers int, settings ...string) *trial {
	t.Helper()
	tr := newTrial(t, a, n, workers, settings...)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := tr.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	if err := tr.Setup(within(t, 30*time.Second)); err != nil {
		t.Fatal(err)
	}
	return tr
}

// offer executes the arrivals from to until, spread over the workers, and
// returns the number of failures of each kind.
func (tr *trial) offer(ctx context.Context, from, until int64, workers int) map[work.Kind]int {
	var mu sync.Mutex
	kinds := map[work.Kind]int{}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for n := from + int64(w); n < until; n += int64(workers) {
				now := tr.clock.Now()
				a := work.Arrival{K: n, N: n, Seed: tr.seed, Due: now, Started: now, Stage: int(n % 2), Worker: w}
				if err := tr.Do(ctx, &a); err != nil {
					mu.Lock()
					kinds[work.KindOf(err)]++
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	return kinds
}

// totals returns what was recorded up to now.
func (tr *trial) totals() *metrics.Totals {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	tr.all.Run(ctx)
	var out *metrics.Totals
	tr.all.Totals(func(t *metrics.Totals) { out = t })
	return out
}

func (tr *trial) count(name string) int64 {
	n, _ := tr.totals().Counter(metrics.Selector{Name: name})
	return n
}

// verdicts drains, checks and returns which checks passed.
func (tr *trial) verdicts(t testing.TB) map[string]scenarios.Check {
	t.Helper()
	if err := tr.Drain(within(t, 30*time.Second)); err != nil {
		t.Fatal(err)
	}
	checks, err := scenariotest.CheckWhole(within(t, 10*time.Second), tr, weighTasks)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]scenarios.Check{}
	for _, c := range checks {
		out[c.Name] = c
	}
	return out
}

// wantFailed fails the test unless exactly the named checks failed.
func wantFailed(t testing.TB, got map[string]scenarios.Check, names ...string) {
	t.Helper()
	want := map[string]bool{}
	for _, n := range names {
		want[n] = true
	}
	for _, n := range []string{"tasks_lost", "tasks_duplicated", "tasks_unexpected", "queue_empty"} {
		if c, ok := got[n]; !ok || c.Passed == want[n] {
			t.Errorf("check %s: got %+v, want failed %v", n, c, want[n])
		}
	}
}

// await waits until the condition holds.
func await(t testing.TB, what string, holds func() bool) {
	t.Helper()
	ctx := within(t, 20*time.Second)
	for !holds() {
		if ctx.Err() != nil {
			t.Fatalf("waited in vain until %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// publishersUp says whether every publishing connection stands, or, for false,
// whether none does.
func (tr *trial) publishersUp(want bool) bool {
	for _, l := range tr.publishers {
		if (l.Lane(0) != nil) != want {
			return false
		}
	}
	return true
}

// channel returns a channel of a connection that is not the scenario's.
func channel(t testing.TB, a targets.Address) *amqp.Channel {
	t.Helper()
	c, err := rabbitmq.Dial(within(t, 10*time.Second), a, rabbitmq.Options{Name: "perfctl/test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	ch, err := c.Channel()
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

// proxy stands between a scenario and its broker.
type proxy struct {
	listener net.Listener
	target   string
	wg       sync.WaitGroup
	// gate is held by who wants the traffic to stand still.
	gate  sync.RWMutex
	mu    sync.Mutex
	conns []net.Conn
	down  bool
}

// startProxy returns a proxy and the address that leads through it.
func startProxy(t testing.TB, a targets.Address) (*proxy, targets.Address) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, target: a.HostPort()}
	p.wg.Go(p.accept)
	t.Cleanup(func() {
		_ = l.Close()
		p.cut(true)
		p.wg.Wait()
	})
	u := *a.URL
	u.Host = l.Addr().String()
	return p, targets.Address{Kind: a.Kind, URL: &u}
}

func (p *proxy) accept() {
	for {
		in, err := p.listener.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = in.Close()
			continue
		}
		p.mu.Lock()
		if p.down {
			_, _ = in.Close(), out.Close()
		}
		p.conns = append(p.conns, in, out)
		p.mu.Unlock()
		p.wg.Go(func() { p.pipe(in, out) })
		p.wg.Go(func() { p.pipe(out, in) })
	}
}

func (p *proxy) pipe(to, from net.Conn) {
	defer func() { _, _ = to.Close(), from.Close() }()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		p.gate.RLock()
		_, failed := to.Write(buf[:n])
		p.gate.RUnlock()
		if err != nil || failed != nil {
			return
		}
	}
}

// cut closes every connection; while down it lets no new one live.
func (p *proxy) cut(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
}

// with returns the address with another user.
func with(a targets.Address, user, password string) targets.Address {
	u := *a.URL
	u.User = url.UserPassword(user, password)
	return targets.Address{Kind: a.Kind, URL: &u}
}

// selector returns the selector of a metric in all stages.
func selector(name string) metrics.Selector { return metrics.Selector{Name: name} }
