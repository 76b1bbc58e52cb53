package sla

import "testing"

func TestAResultOfTheVersionBeforeHasItsBound(t *testing.T) {
	for _, c := range []struct{ target, bound, want string }{
		{"VALUE > 1,000/s", "", "> 1,000/s"},
		{"< 60 s", "", "< 60 s"},
		{"VALUE > 1,000/s", "> 2,000/s", "> 2,000/s"},
	} {
		r := Result{Target: c.target, Bound: c.bound, Aggregation: OwnValue}
		if r.FillOlder(); r.Bound != c.want {
			t.Errorf("%q: %q, want %q", c.target, r.Bound, c.want)
		}
	}
}
