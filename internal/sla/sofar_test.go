package sla

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestARunThatGoesOnIsJudgedByWhatIsCertain(t *testing.T) {
	j, err := NewJudge(testPlan(), nil, []Rule{
		rule(t, "response_time: max<5s", nil),
		rule(t, "response_time: p(95)<500ms", nil),
		rule(t, "response_time{stage:peak}: p(95)<500ms", nil),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		name string
		of   recorded
		want [4]Status
	}{
		{"nothing yet", recorded{"warm-up", 10, 0, time.Millisecond}, [4]Status{Pending, Pending, Pending, Pending}},
		{"few values, and some that were lost", recorded{"steady", 50, 5, time.Second}, [4]Status{Failed, Pending, Pending, Pending}},
		{"a maximum stays", recorded{"steady", 1, 0, 6 * time.Second}, [4]Status{Failed, Pending, Passed, Pending}},
		{"slow", recorded{"steady", 500, 0, time.Second}, [4]Status{Passed, Failed, Passed, Pending}},
		{"the last stage", recorded{"peak", 500, 0, time.Millisecond}, [4]Status{Passed, Passed, Passed, Passed}},
	} {
		got := map[string]Status{}
		for _, r := range j.SoFar(totals(x.of)) {
			got[r.Metric+" "+r.Stage+" "+r.Target] = r.Status
		}
		want := map[string]Status{
			"response_time  MAX < 5.00s": x.want[0], "response_time  P95 < 500ms": x.want[1],
			"achieved_ratio  RATE >= 99%": x.want[2], "response_time peak P95 < 500ms": x.want[3],
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", x.name, d)
		}
	}
}
