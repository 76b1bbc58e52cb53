package vm

import (
	"maps"

	"github.com/dop251/goja"
)

// tagsOf reads tags that a script gives; nil for none.
func (v *VM) tagsOf(x goja.Value, of string) map[string]string {
	if nothing(x) {
		return nil
	}
	o, ok := x.(*goja.Object)
	if !ok {
		v.warn("tags of "+of, "the tags of a "+of+" are no object, and left out")
		return nil
	}
	var out map[string]string
	for _, k := range o.Keys() {
		t := o.Get(k)
		if nothing(t) {
			continue
		}
		if _, object := t.(*goja.Object); object {
			v.warn("tag "+k, "the tag "+k+" of a "+of+" is no text, number or truth value, and left out")
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		out[k] = t.String()
	}
	return out
}

// tag is a tag of the user's: its own, the scenario's, or one that every sample has.
func (v *VM) tag(key string) string {
	if t, ok := v.vuTags[key]; ok {
		return t
	}
	if v.it != nil {
		if t, ok := v.it.Tags[key]; ok {
			return t
		}
	}
	switch key {
	case "group":
		return v.group
	case "scenario":
		if v.it != nil {
			return v.it.Scenario
		}
	}
	return ""
}

// allTags are the tags that exec.vu.metrics.tags shows.
func (v *VM) allTags() map[string]string {
	out := map[string]string{}
	if v.it != nil {
		maps.Copy(out, v.it.Tags)
		out["scenario"] = v.it.Scenario
	}
	out["group"] = v.group
	maps.Copy(out, v.vuTags)
	return out
}

// setTag sets a tag of the user's; a nil value removes it.
func (v *VM) setTag(key string, x *string) {
	if x == nil {
		delete(v.vuTags, key)
		return
	}
	if v.vuTags == nil {
		v.vuTags = map[string]string{}
	}
	v.vuTags[key] = *x
}
