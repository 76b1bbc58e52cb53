package examples

import "testing"

func TestTheFirstOnesAreNamed(t *testing.T) {
	for _, c := range []struct {
		count int64
		want  string
	}{{0, ""}, {1, ": id 0"}, {5, ": id 0, 1, 2, 3, 4"}, {6, ": id 0, 1, 2, 3, 4 …"}, {100, ": id 0, 1, 2, 3, 4 …"}} {
		var n Numbers
		for i := range c.count {
			n.Add(i)
		}
		if got := Text(n.Names(), ": id ", c.count); got != c.want {
			t.Errorf("of %d: %q, want %q", c.count, got, c.want)
		}
		if got := Text(n.Names(), ": id ", 0); got != c.want {
			t.Errorf("of %d, not counted: %q, want %q", c.count, got, c.want)
		}
		if len(n) > Most+1 {
			t.Errorf("%d are kept", len(n))
		}
	}
}
