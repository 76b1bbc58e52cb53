package vm

import (
	"time"

	"github.com/dop251/goja"
)

// executionModule is the module k6/execution.
func (v *VM) executionModule() *goja.Object {
	scenario, instance, vu, test := v.rt.NewObject(), v.rt.NewObject(), v.rt.NewObject(), v.rt.NewObject()
	v.scenarioInfo(scenario)
	v.getter(instance, "iterationsInterrupted", func() any { return v.s.interrupted.Load() })
	v.getter(instance, "iterationsCompleted", func() any { return v.s.completed.Load() })
	v.getter(instance, "vusActive", func() any { return v.s.active.Load() })
	v.getter(instance, "vusInitialized", func() any { return v.s.users.Load() })
	v.getter(instance, "currentTestRunDuration", func() any { return millis(time.Since(v.started())) })
	v.userInfo(vu)
	v.testInfo(test)
	for name, o := range map[string]*goja.Object{"scenario": scenario, "instance": instance, "vu": vu, "test": test} {
		v.told(o, "exec."+name)
	}
	return v.told(v.object(map[string]any{"scenario": scenario, "instance": instance, "vu": vu, "test": test}), "k6/execution")
}

func (v *VM) started() time.Time {
	if f := v.s.settings.Started; f != nil {
		return f()
	}
	return time.Now()
}

// during returns the iteration that goes on; outside of one there is none.
func (v *VM) during(what string) *Iteration {
	if v.it == nil || v.phase != phaseRun {
		v.throw(what + " of k6/execution is only known in an iteration")
	}
	return v.it
}

func (v *VM) scenarioInfo(o *goja.Object) {
	v.getter(o, "name", func() any { return v.during("scenario.name").Scenario })
	v.getter(o, "executor", func() any { return v.during("scenario.executor").Executor })
	v.getter(o, "startTime", func() any { return v.during("scenario.startTime").Start.UnixMilli() })
	v.getter(o, "iterationInInstance", func() any { return v.during("scenario.iterationInInstance").Number })
	v.getter(o, "iterationInTest", func() any { return v.during("scenario.iterationInTest").Number })
	v.getter(o, "progress", func() any {
		it := v.during("scenario.progress")
		if it.Length <= 0 {
			return 0
		}
		return min(float64(time.Since(it.Start))/float64(it.Length), 1)
	})
}

// inNumber is the number of the user that runs, from 1: setup, teardown and handleSummary
// are run by none, which is 0.
func (v *VM) inNumber() int {
	switch v.phase {
	case phaseSetup, phaseTeardown, phaseSummary:
		return 0
	}
	return v.number
}

// metadata is exec.vu.metrics.metadata, which k6 hands on to its outputs.
type metadata struct {
	v   *VM
	set map[string]goja.Value
}

// Get returns what the script put there.
func (m *metadata) Get(key string) goja.Value { return m.set[key] }

// Set keeps a value and says that nobody else sees it.
func (m *metadata) Set(key string, x goja.Value) bool {
	m.v.warn("metadata", "metadata of samples goes nowhere: perfctl's outputs have none; use exec.vu.metrics.tags for what thresholds tell apart")
	m.set[key] = x
	return true
}

// Has says whether the script put it there.
func (m *metadata) Has(key string) bool { return m.set[key] != nil }

// Delete removes it.
func (m *metadata) Delete(key string) bool { delete(m.set, key); return true }

// Keys are the names.
func (m *metadata) Keys() []string { return sortedKeys(m.set) }

func (v *VM) userInfo(o *goja.Object) {
	v.getter(o, "iterationInInstance", func() any { return v.count })
	v.getter(o, "iterationInScenario", func() any { return v.during("vu.iterationInScenario").InUser })
	v.getter(o, "idInInstance", func() any { return v.inNumber() })
	v.getter(o, "idInTest", func() any { return v.inNumber() })
	tags := v.rt.NewDynamicObject(&tagView{v})
	metrics := v.object(map[string]any{"tags": tags, "metadata": v.rt.NewDynamicObject(&metadata{v: v, set: map[string]goja.Value{}})})
	_ = o.Set("metrics", metrics)
	_ = o.Set("tags", tags)
}

func (v *VM) testInfo(o *goja.Object) {
	_ = o.Set("abort", func(c goja.FunctionCall) goja.Value {
		reason := "exec.test.abort was called"
		if x := c.Argument(0); !nothing(x) {
			reason = x.String()
		}
		v.s.aborted.CompareAndSwap(nil, &AbortError{Reason: reason})
		v.rt.Interrupt("aborted")
		return goja.Undefined()
	})
	_ = o.Set("fail", func(c goja.FunctionCall) goja.Value {
		reason := "exec.test.fail was called"
		if x := c.Argument(0); !nothing(x) {
			reason = x.String()
		}
		v.s.failed.CompareAndSwap(nil, &reason)
		return goja.Undefined()
	})
	v.getter(o, "options", func() any {
		text := v.s.settings.Options
		if text == "" {
			v.throw("test.options of k6/execution is not known outside functions")
		}
		return v.frozen(v.parse(text))
	})
}

// tagView is exec.vu.metrics.tags: what it is set to is put on every sample.
type tagView struct{ v *VM }

// Get returns a tag.
func (t *tagView) Get(key string) goja.Value {
	if x, ok := t.v.allTags()[key]; ok {
		return t.v.rt.ToValue(x)
	}
	return nil
}

// Set sets a tag of the user's.
func (t *tagView) Set(key string, x goja.Value) bool {
	if _, object := x.(*goja.Object); object || nothing(x) {
		t.v.throw("the tag " + key + " is no text, number or truth value")
	}
	text := x.String()
	t.v.setTag(key, &text)
	return true
}

// Has says whether there is such a tag.
func (t *tagView) Has(key string) bool { _, ok := t.v.allTags()[key]; return ok }

// Delete removes a tag of the user's.
func (t *tagView) Delete(key string) bool { t.v.setTag(key, nil); return true }

// Keys are the names of the tags.
func (t *tagView) Keys() []string { return sortedKeys(t.v.allTags()) }
