package slow

import "testing"

func TestAFewStrayArrivalsDoNotStretchTheTimeOfACause(t *testing.T) {
	var all []wait
	for i := range 20 {
		at := 4100 + 50*float64(i)
		all = append(all, wait{at, at + 300})
	}
	if from, to := bounds(all); from != 4100 || to != 5350 {
		t.Errorf("%g to %g", from, to)
	}
	if from, to := bounds(append(all, wait{10_000, 10_400}, wait{400, 700})); from != 4100 || to != 5350 {
		t.Errorf("with stray ones %g to %g", from, to)
	}
	var always []wait
	for i := range 50 {
		always = append(always, wait{240 * float64(i), 240*float64(i) + 60})
	}
	if from, to := bounds(always); from != 0 || to != 49*240+60 {
		t.Errorf("what is always there is bounded to %g to %g", from, to)
	}
}
