package series

import (
	"strings"
	"testing"
)

// The sides take turns such that an even drift adds as much to the one as to the
// other.
func TestTurnsBalanceDrift(t *testing.T) {
	var order string
	sum := map[string]int{}
	for i, x := range (&Turns{Base: []string{"run", "a"}, New: []string{"run", "b"}, Repeat: 4, Dir: "d"}).order() {
		order += x.side[:1]
		sum[x.side] += i
		if !strings.HasPrefix(x.dir, "d/"+x.side+"/") {
			t.Errorf("%s goes to %s", x.side, x.dir)
		}
	}
	if order != "bnnbbnnb" || sum["base"] != sum["new"] {
		t.Errorf("the order is %s: places %v", order, sum)
	}
}

func TestArgsAreSplitAsAShellDoes(t *testing.T) {
	got, err := Args("--run", `run load -e 'X=a b' --tag "k=v w"`)
	if want := "run|load|-e|X=a b|--tag|k=v w"; err != nil || strings.Join(got, "|") != want {
		t.Errorf("%q, %v", got, err)
	}
}
