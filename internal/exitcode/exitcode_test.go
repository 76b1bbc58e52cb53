package exitcode

import "testing"

func TestWorst(t *testing.T) {
	for _, c := range []struct {
		codes []int
		want  int
	}{
		{nil, Pass},
		{[]int{Pass, Pass}, Pass},
		{[]int{Breached, Invalid}, Invalid},
		{[]int{Regression, Breached}, Breached},
		{[]int{Invalid, Unreachable, Interrupted}, Interrupted},
		{[]int{Interrupted, Panic}, Panic},
		{[]int{Pass, Unexpected}, Unexpected},
	} {
		if got := Worst(c.codes...); got != c.want {
			t.Errorf("Worst(%v) = %d, want %d", c.codes, got, c.want)
		}
	}
}
