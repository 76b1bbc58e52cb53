package figure

import (
	"testing"

	"github.com/perfctl/perfctl/internal/metrics"
)

func TestValue(t *testing.T) {
	for _, c := range []struct {
		v    float64
		unit metrics.Unit
		want string
	}{
		{645_000, metrics.UnitTime, "645µs"}, {12_400_000, metrics.UnitTime, "12.4ms"}, {1.8e9, metrics.UnitTime, "1.80s"},
		{90e9, metrics.UnitTime, "1m30s"}, {0.0012, metrics.UnitRatio, "0.12%"}, {431e6, metrics.UnitBytes, "431 MB"},
		{1234.5, metrics.UnitPerSec, "1,234/s"}, {20.02, metrics.UnitPerSec, "20/s"}, {12345.6, metrics.UnitCount, "12,346"}, {-1234, metrics.UnitCount, "-1,234"}, {999.5, metrics.UnitPerSec, "1,000/s"}, {0.00001, metrics.UnitCount, "1e-05"}, {0, metrics.UnitTime, "0s"}, {1, metrics.UnitRatio, "100%"},
	} {
		if got := Value(c.v, c.unit); got != c.want {
			t.Errorf("Value(%g, %s) = %q, want %q", c.v, c.unit, got, c.want)
		}
	}
}
