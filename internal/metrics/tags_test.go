package metrics

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

// A tag that is added to the struct and not to the list would tell series apart
// that have the same key.
func TestEveryTagIsInTheList(t *testing.T) {
	fields := reflect.TypeFor[Tags]()
	var names []string
	var tags Tags
	for f := range fields.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names = append(names, name)
		*tags.Field(name) = "v-" + name
	}
	if !slices.Equal(names, TagNames) {
		t.Errorf("the tags are %q, the list has %q", names, TagNames)
	}
	for name, v := range tags.All() {
		if v != "v-"+name {
			t.Errorf("%s is %q", name, v)
		}
	}
	key := Series{Desc: Desc{Name: "m"}, Tags: tags}.Key()
	if got, ok := ParseKey(key); !ok || got.Tags != tags {
		t.Errorf("%s is read as %+v, %v", key, got, ok)
	}
	if tags.Field("colour") != nil {
		t.Error("a tag that there is not has a place")
	}
}
