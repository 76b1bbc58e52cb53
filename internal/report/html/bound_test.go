package html

import (
	"testing"

	"github.com/perfctl/perfctl/internal/sla"
)

func TestTheLineOfASingleFigureIsCalledByItsBound(t *testing.T) {
	v := 1000.0
	for _, c := range []struct {
		r    sla.Result
		want string
	}{
		{sla.Result{Target: "FIGURE > 1,000/s", Bound: "> 1,000/s", Aggregation: sla.OwnValue, TargetValue: &v}, "> 1,000/s"},
		{sla.Result{Target: "P95 < 1 s", Bound: "< 1 s", Aggregation: "p(95)", TargetValue: &v}, "P95 < 1 s"},
	} {
		var x subject
		if x.add(c.r); len(x.limits) != 1 || x.limits[0].Name != c.want {
			t.Errorf("%+v: %+v, want %q", c.r, x.limits, c.want)
		}
	}
}
