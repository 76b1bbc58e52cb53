package vm

import (
	"math"
	"time"

	"github.com/dop251/goja"

	"github.com/perfctl/perfctl/internal/scenarios/script/bundle"
)

// protos are objects that a user makes once.
type protos struct {
	parse               goja.Callable
	response, selection *goja.Object
}

// globals sets what is there without an import.
func (v *VM) globals() {
	rt := v.rt
	_ = rt.Set("__ENV", rt.NewDynamicObject(&environ{v: v}))
	v.getter(rt.GlobalObject(), "__VU", func() any { return v.inNumber() })
	v.getter(rt.GlobalObject(), "__ITER", func() any { return v.count })
	_ = rt.Set("console", v.console())
	_ = rt.Set("open", func(c goja.FunctionCall) goja.Value {
		return v.open(v.s.program.Dir, c.Argument(0), c.Argument(1))
	})
	_ = rt.Set("__open", func(c goja.FunctionCall) goja.Value {
		return v.open(c.Argument(0).String(), c.Argument(1), c.Argument(2))
	})
	_ = rt.Set("global", rt.GlobalObject())
	for name, f := range v.timerFunctions() {
		_ = rt.Set(name, f)
	}
	_ = rt.Set("crypto", v.webCrypto())
	v.texts()
	modules := rt.NewObject()
	for name, make := range moduleMakers {
		if v.s.program.Imports[name] || name == "k6" || name == "k6/execution" {
			_ = modules.Set(name, make(v))
		}
	}
	_ = rt.Set(bundle.Modules, modules)
}

// moduleMakers make the modules that a script may import.
var moduleMakers = map[string]func(*VM) *goja.Object{
	"k6":           (*VM).k6Module,
	"k6/http":      (*VM).httpModule,
	"k6/metrics":   (*VM).metricsModule,
	"k6/data":      (*VM).dataModule,
	"k6/encoding":  (*VM).encodingModule,
	"k6/crypto":    (*VM).cryptoModule,
	"k6/execution": (*VM).executionModule,
	"k6/html":      (*VM).htmlModule,
	"k6/timers":    func(v *VM) *goja.Object { return v.object(v.timerFunctions()) },

	"k6/experimental/redis":    (*VM).redisModule,
	"k6/x/redis":               (*VM).redisModule,
	"k6/x/sql":                 (*VM).sqlModule,
	"k6/x/sql/driver/postgres": (*VM).postgresDriver,
	"k6/x/amqp":                (*VM).amqpModule,
	"k6/x/amqp/queue":          (*VM).amqpQueues,
	"k6/x/amqp/queues":         (*VM).amqpQueues,
	"k6/x/amqp/exchange":       (*VM).amqpExchanges,
	"k6/x/amqp/exchanges":      (*VM).amqpExchanges,

	"k6/experimental/timers":    func(v *VM) *goja.Object { return v.object(v.timerFunctions()) },
	"k6/experimental/webcrypto": func(v *VM) *goja.Object { return v.object(map[string]any{"crypto": v.rt.Get("crypto")}) },
}

// k6Module is the module k6.
func (v *VM) k6Module() *goja.Object {
	return v.object(map[string]any{
		"check": v.check, "group": v.groupOf, "sleep": v.sleep,
		"fail": func(c goja.FunctionCall) goja.Value {
			v.throw(c.Argument(0).String())
			return nil
		},
		"randomSeed": func(c goja.FunctionCall) goja.Value {
			v.own = true
			v.random.seed(uint64(c.Argument(0).ToInteger()))
			return goja.Undefined()
		},
	})
}

// sleep pauses for a number of seconds.
func (v *VM) sleep(c goja.FunctionCall) goja.Value {
	seconds := c.Argument(0).ToFloat()
	if math.IsNaN(seconds) || seconds < 0 {
		return goja.Undefined()
	}
	if v.phase == phaseInit {
		v.throw("sleep is not possible outside functions: it would be executed once for each user before the run")
	}
	if err := v.pause(time.Duration(seconds * float64(time.Second))); err != nil {
		panic(v.rt.NewGoError(err))
	}
	return goja.Undefined()
}

// check makes checks and returns whether all held.
func (v *VM) check(c goja.FunctionCall) goja.Value {
	if v.phase == phaseInit {
		v.throw("check is not possible outside functions: nothing is measured there")
	}
	val := c.Argument(0)
	sets, ok := c.Argument(1).(*goja.Object)
	if !ok {
		panic(v.rt.NewTypeError("check needs an object of names and conditions"))
	}
	tags := v.tagsOf(c.Argument(2), "check")
	all := true
	for _, name := range sets.Keys() {
		x := sets.Get(name)
		var held bool
		if f, ok := goja.AssertFunction(x); ok {
			out, err := f(goja.Undefined(), val)
			if err != nil {
				v.s.recorder.check(v, name, false, tags)
				panic(err)
			}
			if p, async := promiseOf(out); async && p.State() == goja.PromiseStateFulfilled {
				out = p.Result()
			} else if async {
				v.warn("check async "+name, "the check "+name+" returns a promise that is not settled yet: it counts as held, whatever it will be, as in k6")
			}
			held = out.ToBoolean()
		} else {
			held = x.ToBoolean()
		}
		v.s.recorder.check(v, name, held, tags)
		all = all && held
	}
	return v.rt.ToValue(all)
}

// groupOf runs a function under the name of a group.
func (v *VM) groupOf(c goja.FunctionCall) goja.Value {
	if v.phase == phaseInit {
		v.throw("group is not possible outside functions: nothing is measured there")
	}
	f, ok := goja.AssertFunction(c.Argument(1))
	if !ok {
		panic(v.rt.NewTypeError("group needs a name and a function"))
	}
	outer := v.group
	v.group = outer + "::" + c.Argument(0).String()
	began := v.now()
	defer func() { v.group = outer }()
	out, err := f(goja.Undefined())
	if err != nil {
		panic(err)
	}
	if _, async := promiseOf(out); async {
		v.throw("the function of the group " + c.Argument(0).String() + " is async: k6 refuses that too, since what it awaits would be outside the group")
	}
	v.s.recorder.groupDuration(v, v.now()-began)
	return out
}
