package vm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http/cookiejar"
	"sync/atomic"
	"time"

	"github.com/dop251/goja"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/scenarios/script/bundle"
	"github.com/perfctl/perfctl/internal/targets/httpapi"
)

// phase is which part of a script is running.
type phase int

const (
	phaseInit phase = iota
	phaseSetup
	phaseRun
	phaseTeardown
	phaseSummary
)

// VM is one user: a runtime of its own with the script's state in it. One
// goroutine at a time uses it.
type VM struct {
	s      *Script
	rt     *goja.Runtime
	number int // from 1
	phase  phase

	exports *goja.Object
	execs   map[string]goja.Callable
	data    goja.Value
	random  splitMix
	own     bool // the script seeded Math.random itself

	ctx      context.Context
	it       *Iteration
	count    int64
	group    string
	vuTags   map[string]string
	stage    int
	paused   time.Duration
	failure  error // of a request, while the iteration goes on
	deadline atomic.Int64
	ended    atomic.Bool // the watchdog interrupted it

	exchange *httpapi.Exchange
	jar      *cookiejar.Jar
	statuses *statuses
	urls     map[string]*target
	timers   timers
	proto    protos
	cache    seriesCache

	wait      *time.Timer // of a confirm
	published int64       // messages that were given a number
}

// Iteration says which iteration a user runs.
type Iteration struct {
	// Arrival is the arrival that it belongs to; nil in set-up and teardown.
	Arrival *work.Arrival
	// Exec is the function's name, "default" where the script says none.
	Exec string
	// Scenario and Executor are the names of what it belongs to.
	Scenario, Executor string
	// Tags are put on everything that it records.
	Tags map[string]string
	// Env adds to __ENV.
	Env map[string]string
	// Number is the iteration's number in its scenario, over all users, InUser
	// that of this user in it.
	Number, InUser int64
	// Start is when the scenario began; Length how long it lasts, 0 for unknown.
	Start  time.Time
	Length time.Duration
	// Pause waits on the arrival's behalf.
	Pause func(ctx context.Context, d time.Duration) error
}

// NewVM makes a user and runs the part of the script that is outside functions, until
// ctx ends: then its cause is the error.
func (s *Script) NewVM(ctx context.Context, number int) (*VM, error) {
	v := &VM{s: s, rt: goja.New(), number: number, urls: map[string]*target{}, execs: map[string]goja.Callable{}, ctx: background}
	v.rt.SetFieldNameMapper(goja.UncapFieldNameMapper())
	v.rt.SetMaxCallStackSize(2048)
	v.random.seed(work.Mix(s.host.Seed, uint64(number), 0x5c))
	v.rt.SetRandSource(v.random.float)
	v.globals()
	give := context.AfterFunc(ctx, func() { v.rt.Interrupt("the run ends") })
	_, err := v.rt.RunProgram(s.compiled)
	if !give() {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, v.explain(err)
	}
	v.exports = v.rt.Get(bundle.Global).ToObject(v.rt)
	s.users.Add(1)
	return v, nil
}

// Bind readies the user for requests; the script must be bound.
func (v *VM) Bind() {
	v.exchange = httpapi.NewExchange(v.s.client, v.s.host.Clock)
	v.cache.r = v.s.recorder
}

// Options returns the options that the script exports, as JSON; "{}" for none.
func (v *VM) Options() ([]byte, error) {
	o := v.exports.Get("options")
	if o == nil || goja.IsUndefined(o) || goja.IsNull(o) {
		return []byte("{}"), nil
	}
	var out []byte
	lost := ""
	err := v.try(func() {
		out = []byte(v.stringify(o, v.rt.ToValue(func(c goja.FunctionCall) goja.Value {
			x := c.Argument(1)
			if n, ok := x.Export().(float64); ok && lost == "" && (math.IsNaN(n) || math.IsInf(n, 0)) {
				lost = fmt.Sprintf("%s is %v, which JSON would make null", c.Argument(0), x)
			}
			return x
		})))
	})
	if err != nil {
		return nil, fmt.Errorf("%s: options: %w", v.s.program.Name, v.explain(err))
	}
	if lost != "" {
		return nil, fmt.Errorf("%s: options: %s: is it made of a variable that is not set? Give it with -e NAME=value, or a default in the script", v.s.program.Name, lost)
	}
	if len(out) == 0 || out[0] != '{' {
		return nil, fmt.Errorf("%s: options is no object", v.s.program.Name)
	}
	return out, nil
}

// Has says whether the script exports a function of that name.
func (v *VM) Has(name string) bool {
	_, ok := goja.AssertFunction(v.exported(name))
	return ok
}

func (v *VM) exported(name string) goja.Value {
	x := v.exports.Get(name)
	if x == nil {
		return goja.Undefined()
	}
	return x
}

func (v *VM) callable(name string) (goja.Callable, error) {
	if f := v.execs[name]; f != nil {
		return f, nil
	}
	f, ok := goja.AssertFunction(v.exported(name))
	if !ok {
		return nil, fmt.Errorf("%s exports no function %q", v.s.program.Name, name)
	}
	v.execs[name] = f
	return f, nil
}

// Setup runs setup and returns its result as JSON; nil where there is none.
func (v *VM) Setup(ctx context.Context) (json.RawMessage, error) {
	if !v.Has("setup") {
		return nil, nil
	}
	out, err := v.outside(ctx, phaseSetup, "setup")
	if err != nil || out == nil || goja.IsUndefined(out) {
		return nil, err
	}
	var text string
	if err := v.try(func() { text = v.stringify(out) }); err != nil {
		return nil, v.explain(err)
	}
	return json.RawMessage(text), nil
}

// Teardown runs teardown with the set-up's data.
func (v *VM) Teardown(ctx context.Context) error {
	if !v.Has("teardown") {
		return nil
	}
	_, err := v.outside(ctx, phaseTeardown, "teardown", v.dataValue())
	return err
}

// outside runs a function that belongs to no arrival.
func (v *VM) outside(ctx context.Context, p phase, name string, args ...goja.Value) (goja.Value, error) {
	f, err := v.callable(name)
	if err != nil {
		return nil, err
	}
	v.group = "::" + name
	v.it = &Iteration{Exec: name, Start: time.Now()}
	return v.call(ctx, p, f, args...)
}

// Summary runs handleSummary with what a run was, as JSON, and returns what it
// wants written: names and texts.
func (v *VM) Summary(ctx context.Context, data []byte) (map[string]string, error) {
	f, err := v.callable("handleSummary")
	if err != nil {
		return nil, err
	}
	v.it = &Iteration{Exec: "handleSummary", Start: time.Now()}
	arg := v.parse(string(data))
	out, err := v.call(ctx, phaseSummary, f, arg)
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	err = v.try(func() {
		if goja.IsUndefined(out) || goja.IsNull(out) {
			return
		}
		o := out.ToObject(v.rt)
		for _, k := range o.Keys() {
			files[k] = string(v.bytesOf(o.Get(k)))
		}
	})
	return files, err
}

// SetData gives the user what setup returned.
func (v *VM) SetData(data json.RawMessage) {
	v.data = nil
	if data != nil {
		v.data = v.parse(string(data))
	}
}

func (v *VM) dataValue() goja.Value {
	if v.data == nil {
		return goja.Undefined()
	}
	return v.data
}

// Run runs one iteration. The error says why it failed, with its kind; how long
// it paused is what Paused returns.
func (v *VM) Run(ctx context.Context, it *Iteration) error {
	f := v.execs[it.Exec]
	if f == nil {
		var err error
		if f, err = v.callable(it.Exec); err != nil {
			return err
		}
	}
	if !v.s.settings.KeepCookies {
		v.jar = nil
	}
	v.it, v.group = it, ""
	if a := it.Arrival; a != nil {
		v.stage = a.Stage
		if !v.own {
			v.random.seed(a.Random(0x6a73))
		}
	}
	v.s.active.Add(1)
	began := v.now()
	_, err := v.call(ctx, phaseRun, f, v.dataValue())
	if least := v.s.settings.MinIteration; least > 0 && err == nil {
		_ = v.pause(least - (v.now() - began))
	}
	v.s.active.Add(-1)
	v.count++
	v.s.recorder.iteration(v, v.now()-began)
	if err != nil {
		v.s.interrupted.Add(1)
		return err
	}
	v.s.completed.Add(1)
	return v.failure
}

// Paused is how long the last iteration paused.
func (v *VM) Paused() time.Duration { return v.paused }

// call runs a function to its end, promises and timers included.
func (v *VM) call(ctx context.Context, p phase, f goja.Callable, args ...goja.Value) (goja.Value, error) {
	v.ctx, v.phase, v.paused, v.failure = ctx, p, 0, nil
	limit := v.s.settings.IterationTimeout
	if limit > 0 && p == phaseRun {
		v.deadline.Store(int64(v.now() + limit))
	}
	out, err := f(goja.Undefined(), args...)
	if err == nil {
		out, err = v.settle(out)
	} else {
		v.timers.clear()
	}
	v.deadline.Store(0)
	if err != nil {
		err = v.fault(err, limit)
	}
	return out, err
}

// fault gives an error its kind.
func (v *VM) fault(err error, limit time.Duration) error {
	var stop *goja.InterruptedError
	switch {
	case errors.As(err, &stop):
		v.rt.ClearInterrupt()
		v.ended.Store(false)
		if v.ctx.Err() != nil {
			return v.ctx.Err()
		}
		if a := v.s.aborted.Load(); a != nil {
			return work.Fail("aborted", a)
		}
		at := ""
		if p := firstPlace(stop.Stack()); p != "" {
			at = " at " + p
		}
		return work.Fail(work.KindTimeout, fmt.Errorf("the iteration was not over after %v and was interrupted%s", limit, at))
	case v.ctx.Err() != nil:
		return v.ctx.Err()
	}
	if f, ok := errors.AsType[*work.Failure](err); ok {
		return f
	}
	return work.Fail(KindException, v.explain(err))
}

// KindException is the failure of an iteration that threw.
const KindException work.Kind = "exception"

func (v *VM) now() time.Duration { return v.s.host.Clock.Now() }

// Watch interrupts the user where its iteration has gone on for too long, or its
// context ended. It may be called by any goroutine.
func (v *VM) Watch(now time.Duration, over bool) {
	d := v.deadline.Load()
	if d == 0 || !over && int64(now) < d || v.ended.Swap(true) {
		return
	}
	v.rt.Interrupt("time is over")
}
