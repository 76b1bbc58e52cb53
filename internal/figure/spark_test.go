package figure

import (
	"math"
	"testing"
)

func TestSpark(t *testing.T) {
	for _, c := range []struct {
		values []float64
		top    float64
		want   string
	}{
		{nil, 0, ""},
		{[]float64{0, 0}, 0, "▁▁"},
		{[]float64{0, 1, 2, 4, 7}, 0, "▁▂▃▅█"},
		{[]float64{5, math.NaN(), 10}, 0, "▅ █"},
		{[]float64{5, 20, -1}, 10, "▅█▁"},
	} {
		if got := Spark(c.values, c.top); got != c.want {
			t.Errorf("%v up to %v: %q, want %q", c.values, c.top, got, c.want)
		}
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{6.0000001: "6", 12.5: "12.5", 99.99: "100", 1234.4: "1,234", 0.25: "0.25", 0: "0"} {
		if got := Number(v); got != want {
			t.Errorf("%v: %q, want %q", v, got, want)
		}
	}
}

func TestBlock(t *testing.T) {
	for share, want := range map[float64]rune{-1: ' ', 0: ' ', 0.125: '▁', 0.5: '▄', 1: '█', 3: '█'} {
		if got := Block(share); got != want {
			t.Errorf("%v: %q, want %q", share, got, want)
		}
	}
}
