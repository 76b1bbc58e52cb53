package script

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/scenarios/script/options"
	"github.com/perfctl/perfctl/internal/scenarios/script/vm"
	"github.com/perfctl/perfctl/internal/targets/httpapi"
)

// scenario is a script in one run.
type scenario struct {
	env    scenarios.Env
	loaded *Loaded
	client *httpapi.Client
	users  []*vm.VM
	its    []vm.Iteration
	timers []*time.Timer
	data   json.RawMessage
	log    *slog.Logger
	// runs are the script's scenarios by stage, starts when each began.
	runs   []*options.Scenario
	starts []atomic.Int64
	counts []atomic.Int64

	stage   atomic.Int64
	traffic *httpapi.Traffic
	stores  *stores
	vus     *metrics.Gauge
	vusMax  *metrics.Gauge
	began   atomic.Int64
	ready   bool
	// guides are those of the stages in which the script guides its users, nil for
	// the others.
	guides []*guide
	// since is when the script's setup began, 0 while it does not run.
	since atomic.Int64
	stop  func()
}

func newScenario(env scenarios.Env) (*scenario, error) {
	s := &scenario{env: env, log: env.Log, stop: func() {}}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	var err error
	s.loaded, err = Load(context.Background(), env.Values.Text(0, KeyFile), vm.Host{Lookup: env.Targets.Setting, Names: env.Targets.Names, Log: s.log, Seed: env.Seed, Clock: env.Clock}, options.Flags{Planned: true})
	if err != nil {
		return nil, err
	}
	if err := s.chooseRuns(); err != nil {
		return nil, err
	}
	s.declare()
	if err := s.bind(); err != nil {
		return nil, err
	}
	return s, nil
}

// chooseRuns finds which of the script's scenarios each stage runs.
func (s *scenario) chooseRuns() error {
	list := s.loaded.Scenarios
	stages := max(len(s.env.Plan.Stages), 1)
	s.starts, s.counts = make([]atomic.Int64, len(list)), make([]atomic.Int64, len(list))
	for i := range stages {
		name := s.env.Values.Text(i, KeyRun)
		g, err := s.guideOf(name)
		if err != nil {
			return err
		}
		if s.guides = append(s.guides, g); g != nil {
			name = g.parts[0].of.Name
		}
		found := name == ""
		run := &list[0]
		for k := range list {
			if list[k].Name == name {
				run, found = &list[k], true
			}
		}
		if !found && name == options.Main { // as the flags name it
			// The flags of a user took the place of the script's own scenarios.
			run, found = &options.Scenario{Name: name, Exec: "default"}, true
		}
		if !found {
			return fmt.Errorf("script.%s: the script has no scenario %q", KeyRun, name)
		}
		s.runs = append(s.runs, run)
	}
	return nil
}

// guideOf returns the guide of a stage that runs several scenarios, nil for one that
// does not.
func (s *scenario) guideOf(names string) (*guide, error) {
	list := s.loaded.Scenarios
	if !strings.Contains(names, ",") {
		if names != All {
			return nil, nil
		}
		return newGuide(pointers(list), s.env.Plan.Shard, s.env.Plan.Shards), nil
	}
	var some []*options.Scenario
	for name := range strings.SplitSeq(names, ",") {
		at := slices.IndexFunc(list, func(x options.Scenario) bool { return x.Name == name })
		if at < 0 {
			return nil, fmt.Errorf("script.%s: the script has no scenario %q", KeyRun, name)
		}
		some = append(some, &list[at])
	}
	return newGuide(some, s.env.Plan.Shard, s.env.Plan.Shards), nil
}

func pointers(list []options.Scenario) []*options.Scenario {
	out := make([]*options.Scenario, len(list))
	for i := range list {
		out[i] = &list[i]
	}
	return out
}

// index is a scenario's place in the list.
func (s *scenario) index(x *options.Scenario) int {
	for i := range s.loaded.Scenarios {
		if &s.loaded.Scenarios[i] == x {
			return i
		}
	}
	return 0
}

func (s *scenario) declare() {
	tags := s.env.Tags("")
	s.traffic = httpapi.NewTraffic(s.env.Metrics, tags)
	s.vus, s.vusMax = s.env.Metrics.Gauge(vm.VUs, tags), s.env.Metrics.Gauge(vm.VUsMax, tags)
}

// bind gives the script its client, its settings and its metrics.
func (s *scenario) bind() error {
	o, v := s.loaded.Options, s.env.Values
	security, err := httpapi.TLS{Insecure: o.Insecure}.Config()
	if err != nil {
		return err
	}
	s.client = httpapi.New(httpapi.Options{
		Connections: max(s.env.Plan.Workers, 1) * 2, Timeout: v.Duration(0, keyTimeout), TLS: security,
		Show: certificates(o), Fresh: o.NoConnectionReuse || !v.Bool(0, keyReuse), Address: addresses(o.Hosts), Guard: s.guard, Route: s.env.Targets.API.Route,
	})
	var selections []vm.Selection
	seen := map[string]bool{}
	for i := range o.Thresholds {
		t := &o.Thresholds[i]
		if t.Tags != nil && !seen[t.Name()] {
			seen[t.Name()] = true
			selections = append(selections, vm.Selection{Key: t.Name(), Metric: t.Metric, Tags: t.Tags})
		}
	}
	script := s.loaded.script
	r, unknown := vm.NewRecorder(s.env.Metrics, s.env.Tags(""), script.Customs(), selections, len(o.Scenarios) > 1)
	if len(unknown) > 0 {
		return fmt.Errorf("threshold %s: the script has no such metric", strings.Join(unknown, ", "))
	}
	s.stores = newStores(&s.env, script.Refuse, func() int { return int(s.stage.Load()) })
	script.Bind(s.client, r, vm.Settings{
		Stores:    s.stores,
		UserAgent: userAgent(o), Timeout: v.Duration(0, keyTimeout), MaxRedirects: o.MaxRedirects, Batch: o.Batch, BatchPerHost: o.BatchPerHost,
		DiscardBodies: o.DiscardBodies, Throw: o.Throw, KeepCookies: o.KeepCookies, Blocked: o.BlockHostnames, RPS: s.rateOf(o.RPS),
		IterationTimeout: v.Duration(0, keyBound), MinIteration: o.MinIterationDuration, Options: o.JSON, Started: s.started,
	})
	script.Declare()
	return nil
}

// certificates says which certificates of the script's a host is shown; nil where it
// has none.
func certificates(o *options.Options) func(host string) []tls.Certificate {
	if len(o.Certificates) == 0 {
		return nil
	}
	return func(host string) (out []tls.Certificate) {
		for i := range o.Certificates {
			if c := &o.Certificates[i]; c.For(host) {
				out = append(out, c.Pair)
			}
		}
		return out
	}
}

func userAgent(o *options.Options) string {
	if o.UserAgent != "" {
		return o.UserAgent
	}
	return "perfctl"
}

func (s *scenario) started() time.Time { return s.env.Clock.Time(time.Duration(s.began.Load())) }

// addresses says what to dial in place of an address.
func addresses(hosts map[string]string) func(string) string {
	if len(hosts) == 0 {
		return nil
	}
	return func(addr string) string {
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			return addr
		}
		to, ok := hosts[addr]
		if !ok {
			to, ok = hosts[host]
		}
		if !ok {
			for pattern, x := range hosts {
				if rest, wild := strings.CutPrefix(pattern, "*"); wild && strings.HasSuffix(host, rest) {
					to, ok = x, true
				}
			}
		}
		switch {
		case !ok:
			return addr
		case strings.Contains(to, "]:") || strings.Count(to, ":") == 1:
			return to
		}
		return net.JoinHostPort(strings.Trim(to, "[]"), port)
	}
}

// KindNotAllowed is the failure of a request to a host that may not be loaded.
const KindNotAllowed work.Kind = "not_allowed"

// guard refuses connections to machines that nobody allowed to load.
func (s *scenario) guard(host string, ip netip.Addr) error {
	if ip.Unmap().IsLoopback() || s.env.Targets.Allows(host) || s.env.Targets.Allows(ip.String()) {
		return nil
	}
	err := fmt.Errorf("%s (%s) is not this machine: if it is yours to load, say so with --allow-target %s", host, ip, host)
	s.loaded.script.Refuse(err) // nothing that the script does from here on is what was meant
	return work.Fail(KindNotAllowed, err)
}

// Setup runs the script's setup and makes every user.
func (s *scenario) Setup(ctx context.Context) error {
	for _, w := range s.loaded.Warnings {
		s.log.Warn(w)
	}
	s.loaded.first.Bind()
	if !s.loaded.NoSetup {
		bound, cancel := context.WithTimeout(ctx, s.loaded.SetupTimeout)
		defer cancel()
		watching := s.watch(bound, s.loaded.first)
		s.since.Store(int64(s.env.Clock.Now()) | 1)
		data, err := s.loaded.first.Setup(bound)
		watching()
		s.since.Store(0)
		if err != nil {
			if bound.Err() != nil && ctx.Err() == nil {
				err = fmt.Errorf("it was not over after %v (setupTimeout)", s.loaded.SetupTimeout)
			}
			return fmt.Errorf("setup of the script: %w", err)
		}
		s.data = data
	}
	return s.open(ctx)
}

// open makes every user.
func (s *scenario) open(ctx context.Context) error {
	s.ready = true
	if err := s.hire(ctx); err != nil {
		return err
	}
	s.client.Bytes() // what came before the first arrival is not the run's
	s.stop = s.watch(context.Background(), s.users...)
	return nil
}

// hire makes the users, several at a time.
func (s *scenario) hire(ctx context.Context) error {
	n := max(s.env.Plan.Workers, 1)
	s.users, s.its, s.timers = make([]*vm.VM, n), make([]vm.Iteration, n), make([]*time.Timer, n)
	errs := make([]error, n+1)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				errs[i] = s.hireOne(ctx, i)
			}
		})
	}
	wg.Wait()
	errs[n] = ctx.Err()
	return errors.Join(errs...)
}

func (s *scenario) hireOne(ctx context.Context, i int) (err error) {
	u := s.loaded.first
	if i > 0 || s.env.Plan.Sharded() { // whose users have other numbers
		if u, err = s.loaded.script.NewVM(ctx, s.env.Plan.Shard+i*max(s.env.Plan.Shards, 1)+1); err != nil {
			return err
		}
		u.Bind()
	}
	u.SetData(s.data)
	s.users[i] = u
	s.timers[i] = time.NewTimer(time.Hour)
	s.timers[i].Stop()
	return nil
}

// watchEvery is how often users are looked at that may have gone on for too long.
const watchEvery = 50 * time.Millisecond

// watch interrupts users whose time is over, until the function that it returns is
// called.
func (s *scenario) watch(ctx context.Context, users ...*vm.VM) func() {
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			select {
			case <-own.Done():
				return
			case <-tick.C:
				now, over := s.env.Clock.Now(), ctx.Err() != nil
				for _, u := range users {
					u.Watch(now, over)
				}
			}
		}
	})
	return func() { cancel(); wg.Wait() }
}

// Progress says how long the script's setup has gone on.
func (s *scenario) Progress() string {
	since := s.since.Load()
	if since == 0 {
		return ""
	}
	return fmt.Sprintf("setup of the script for %v", (s.env.Clock.Now() - time.Duration(since)).Round(time.Second))
}

// Do runs one iteration.
func (s *scenario) Do(ctx context.Context, a *work.Arrival) error {
	if s.stage.Load() != int64(a.Stage) {
		s.stage.Store(int64(a.Stage))
	}
	if s.began.Load() == 0 {
		s.began.CompareAndSwap(0, int64(a.Due))
	}
	if g := s.guides[min(a.Stage, len(s.guides)-1)]; g != nil {
		return s.run(ctx, a, g.part(a.User).of)
	}
	return s.run(ctx, a, s.runs[min(a.Stage, len(s.runs)-1)])
}

func (s *scenario) run(ctx context.Context, a *work.Arrival, of *options.Scenario) error {
	u, it := s.users[a.Worker], &s.its[a.Worker]
	k := s.index(of)
	if s.starts[k].Load() == 0 {
		s.starts[k].CompareAndSwap(0, int64(a.Due)+1)
	}
	if it.Scenario != of.Name {
		*it = vm.Iteration{Exec: of.Exec, Scenario: of.Name, Executor: of.Executor, Env: of.Env, Tags: tagsOf(s.loaded.Options, of),
			Start: s.env.Clock.Time(time.Duration(s.starts[k].Load())), Length: of.Length(), InUser: -1}
		timer := s.timers[a.Worker]
		it.Pause = func(ctx context.Context, d time.Duration) error { return it.Arrival.Pause(ctx, s.env.Clock, timer, d) }
	}
	it.Arrival, it.InUser = a, it.InUser+1
	it.Number = (s.counts[k].Add(1)-1)*int64(max(s.env.Plan.Shards, 1)) + int64(s.env.Plan.Shard)
	return u.Run(ctx, it)
}

func tagsOf(o *options.Options, of *options.Scenario) map[string]string {
	out := map[string]string{}
	for k, x := range o.Tags {
		out[k] = x
	}
	for k, x := range of.Tags {
		out[k] = x
	}
	return out
}

// Sample takes the readings.
func (s *scenario) Sample(context.Context) {
	s.traffic.Sample(int(s.stage.Load()), s.client)
	s.vus.Set(float64(s.loaded.script.Active()))
	s.vusMax.Set(float64(len(s.users)))
}

// Drain takes the last readings.
func (s *scenario) Drain(ctx context.Context) error {
	s.Sample(ctx)
	return nil
}

// The names of what a script may say of its run, in the account and as checks.
var sayings = []string{"exec.test.fail", "exec.test.abort", "allowed hosts"}

// Account says what the script itself said of its run.
func (s *scenario) Account(context.Context) (*scenarios.Account, error) {
	a := scenarios.NewAccount()
	if why := s.loaded.script.Failed(); why != "" {
		a.Fault(sayings[0], why)
	}
	if e := s.loaded.script.Aborted(); e != nil {
		name := sayings[1]
		if e.Refused {
			name = sayings[2]
		}
		a.Fault(name, e.Error())
	}
	return a, nil
}

// weighSayings makes a check that failed of each thing that the script said.
func weighSayings(a *scenarios.Account) (out scenarios.Weighed, err error) {
	for _, name := range sayings {
		if all := a.Named[name]; len(all) > 0 {
			out.Checks = append(out.Checks, scenarios.Check{Name: name, Detail: all[0]})
		}
	}
	return out, nil
}

// Aborted returns why the script ended the run itself, nil where it did not.
func (s *scenario) Aborted() error {
	if e := s.loaded.script.Aborted(); e != nil {
		return e // and not a nil pointer in an interface
	}
	return nil
}

// Summarise runs the script's handleSummary; not in a shard, which has only a part of
// the figures.
func (s *scenario) Summarise(ctx context.Context, figures []byte) (map[string]string, error) {
	if s.env.Plan.Sharded() || !s.loaded.Summarises() {
		return nil, nil
	}
	if len(s.users) == 0 { // whose arrivals were executed elsewhere
		s.loaded.first.Bind()
		s.users, s.timers = make([]*vm.VM, 1), make([]*time.Timer, 1)
		if err := s.hireOne(ctx, 0); err != nil {
			return nil, err
		}
	}
	if s.users[0] == nil {
		return nil, nil
	}
	bound, cancel := context.WithTimeout(ctx, summaryTimeout)
	defer cancel()
	defer s.watch(bound, s.users[0])()
	figures, err := s.forScript(figures)
	if err != nil {
		return nil, err
	}
	return s.users[0].Summary(bound, figures)
}

// summaryTimeout bounds handleSummary.
const summaryTimeout = 2 * time.Minute

// Close runs the script's teardown and closes every connection.
func (s *scenario) Close(ctx context.Context) error {
	s.stop()
	var err error
	if s.ready && s.env.Plan.First() && len(s.users) > 0 && s.users[0] != nil && !s.loaded.NoTeardown {
		bound, cancel := context.WithTimeout(ctx, s.loaded.TeardownTimeout)
		defer cancel()
		watching := s.watch(bound, s.users[0])
		if err = s.users[0].Teardown(bound); err != nil {
			err = fmt.Errorf("teardown of the script: %w", err)
		}
		watching()
	}
	return errors.Join(err, s.loaded.script.Close(), s.stores.close(ctx))
}
