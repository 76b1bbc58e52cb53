package exitcode

import (
	"slices"
	"strings"
	"testing"
)

// Every code that can win has a meaning, and help names it.
func TestEveryCodeIsExplained(t *testing.T) {
	help := Help()
	for _, code := range append([]int{Pass, Unexpected, Usage, InvalidConfig}, precedence...) {
		i := slices.IndexFunc(Meanings, func(m Meaning) bool { return m.Code == code })
		if i < 0 || !strings.Contains(help, Meanings[i].Text) {
			t.Errorf("%d is not explained in\n%s", code, help)
		}
	}
}

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
