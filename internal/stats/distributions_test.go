package stats

import (
	"math"
	"testing"
)

func TestQuantilesOfDistributions(t *testing.T) {
	if math.Abs(StudentQuantile(0.975, 9)-2.262157) > 1e-5 || !math.IsInf(StudentQuantile(0.9, 0), 1) {
		t.Errorf("Student's quantile is %v", StudentQuantile(0.975, 9))
	}
	if math.Abs(NormalQuantile(0.975)-1.959964) > 1e-6 {
		t.Errorf("the quantile 0.975 is %v", NormalQuantile(0.975))
	}
}
