package vm

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/dop251/goja"

	"github.com/perfctl/perfctl/internal/engine/work"
)

// timers are what setTimeout and setInterval left to do, in order of their time.
type timers struct {
	next int64
	list []timer
}

type timer struct {
	id    int64
	at    time.Duration
	every time.Duration // 0 for once
	f     goja.Callable
	args  []goja.Value
}

func (t *timers) clear() { t.list = t.list[:0] }

func (t *timers) add(x timer) int64 {
	t.next++
	x.id = t.next
	t.insert(x)
	return x.id
}

func (t *timers) insert(x timer) {
	i := len(t.list)
	for i > 0 && t.list[i-1].at > x.at {
		i--
	}
	t.list = slices.Insert(t.list, i, x)
}

func (t *timers) remove(id int64) {
	t.list = slices.DeleteFunc(t.list, func(x timer) bool { return x.id == id })
}

// errUnsettled says that an async function waits for what nothing will bring.
var errUnsettled = errors.New("its promise is never settled: nothing that is going on can settle it")

// settle runs the timers until nothing is left to do, and returns what a promise
// holds.
func (v *VM) settle(out goja.Value) (goja.Value, error) {
	p, async := promiseOf(out)
	for len(v.timers.list) > 0 {
		x := v.timers.list[0]
		v.timers.list = slices.Delete(v.timers.list, 0, 1)
		if err := v.pause(x.at - v.now()); err != nil {
			v.timers.clear()
			return nil, err
		}
		if x.every > 0 {
			y := x
			y.at = v.now() + x.every
			v.timers.insert(y)
		}
		if _, err := x.f(goja.Undefined(), x.args...); err != nil {
			v.timers.clear()
			return nil, err
		}
	}
	if !async {
		return out, nil
	}
	switch p.State() {
	case goja.PromiseStateFulfilled:
		return p.Result(), nil
	case goja.PromiseStateRejected:
		return nil, v.rejection(p.Result())
	}
	if v.it != nil {
		return nil, work.Fail(KindException, fmt.Errorf("%s: the function %s: %w", v.s.program.Name, v.it.Exec, errUnsettled))
	}
	return nil, work.Fail(KindException, errUnsettled)
}

// rejection is the error that a promise was rejected with.
func (v *VM) rejection(x goja.Value) error {
	text := v.describe(x)
	if o, ok := x.(*goja.Object); ok {
		if stack := o.Get("stack"); !nothing(stack) {
			text += where(stack.String())
		}
	}
	return work.Fail(KindException, &scriptError{text})
}

var promiseType = reflect.TypeFor[*goja.Promise]()

func promiseOf(out goja.Value) (*goja.Promise, bool) {
	o, ok := out.(*goja.Object)
	if !ok || o.ExportType() != promiseType {
		return nil, false
	}
	p, ok := o.Export().(*goja.Promise)
	return p, ok
}

// pause waits on the script's behalf; the time is no part of a response.
func (v *VM) pause(d time.Duration) error {
	if d <= 0 {
		return v.ctx.Err()
	}
	began := v.now()
	if limit := v.deadline.Load(); limit > 0 {
		// Whoever sleeps does not loop: the bound moves on with the pause.
		v.deadline.Store(limit + int64(d))
	}
	var err error
	if v.it != nil && v.it.Pause != nil {
		err = v.it.Pause(v.ctx, d)
	} else {
		err = wait(v.ctx, d)
	}
	v.paused += v.now() - began
	return err
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// timerFunctions are setTimeout and its kind.
func (v *VM) timerFunctions() map[string]any {
	start := func(call goja.FunctionCall, again bool) goja.Value {
		f, ok := goja.AssertFunction(call.Argument(0))
		if !ok {
			panic(v.rt.NewTypeError("a timer needs a function"))
		}
		d := time.Duration(max(call.Argument(1).ToFloat(), 0) * float64(time.Millisecond))
		x := timer{at: v.now() + d, f: f}
		if again {
			x.every = max(d, time.Millisecond)
		}
		if len(call.Arguments) > 2 {
			x.args = slices.Clone(call.Arguments[2:])
		}
		return v.rt.ToValue(v.timers.add(x))
	}
	stop := func(call goja.FunctionCall) goja.Value {
		v.timers.remove(call.Argument(0).ToInteger())
		return goja.Undefined()
	}
	return map[string]any{
		"setTimeout":    func(c goja.FunctionCall) goja.Value { return start(c, false) },
		"setInterval":   func(c goja.FunctionCall) goja.Value { return start(c, true) },
		"clearTimeout":  stop,
		"clearInterval": stop,
	}
}
