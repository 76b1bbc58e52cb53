package strictyaml

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What a reader takes is found from the reader itself.
func TestDescribe(t *testing.T) {
	var m menu
	m.Prices = map[string]string{}
	d := Describe(readMenuInto(&m))
	want := map[string]string{
		"name": " text", "open": " bool", "seats": " integer 1…100", "wait": " duration", "guests": " rate",
		"courses": " list", "prices": " map",
	}
	got := map[string]string{}
	for _, k := range d.Root.Map.Keys {
		got[k.Name] = k.Value.String()
		if k.Required != (k.Name == "name") {
			t.Errorf("%s: required is %t", k.Name, k.Required)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if s := d.Root.Map.Key("courses").List.Item.String(); s != " text" {
		t.Errorf("a course is%s", s)
	}
	if s := d.Root.Map.Key("prices").Map.Values.String(); s != " text number bool" {
		t.Errorf("a price is%s", s)
	}
}

// A reader that looks at what it has is followed along each of its ways.
func TestDescribeFollowsEachWay(t *testing.T) {
	var read func(v Value)
	read = func(v Value) {
		n, kind := int64(0), ""
		if v.Named("tree") {
			return
		}
		switch {
		case v.IsNull():
		case v.IsList():
			if v.List("leaves", func(_ int, item Value) { read(item) }) {
				v.Add("a list of leaves is empty")
			}
		case v.IsMap():
			v.Map("a branch",
				Optional("ash", func(Value) { kind = "ash" }).Either("wood").Help("a tall one"),
				Optional("oak", func(Value) { kind = "oak" }).Either("wood"),
				Optional("age", func(v Value) {
					if kind == "oak" {
						Int(&n, 0, 1000)(v)
						return
					}
					Int(&n, 0, 300)(v)
				}),
				Optional("leaf", func(v Value) { _, _ = v.Word("round", "long") }),
				Optional("rest", func(v Value) { v.Anything() }))
		default:
			Int(&n, 5, 7)(v)
		}
	}
	d := Describe(func(root Value, _ *Collector) { read(root) })
	if d.Root.Ref != "tree" {
		t.Fatalf("the root is%s", d.Root)
	}
	tree := d.Named["tree"]
	if got := tree.String(); got != " null integer list map 5…7" {
		t.Errorf("a tree is%s", got)
	}
	if !tree.List.Some || tree.List.Item.Ref != "tree" {
		t.Errorf("the list is %+v of%s", tree.List, tree.List.Item)
	}
	got := map[string]string{}
	for _, k := range tree.Map.Keys {
		got[k.Name] = k.Value.String()
	}
	want := map[string]string{"ash": "", "oak": "", "age": " integer 0…1000", "leaf": " text", "rest": " any"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]string{"round", "long"}, tree.Map.Key("leaf").Words); diff != "" || tree.Map.Key("ash").Help != "a tall one" {
		t.Errorf("words or help are lost: %s", diff)
	}
}
