package live

import (
	"math"
	"strings"
)

// bars are the heights of a sparkline's marks.
var bars = []rune("▁▂▃▄▅▆▇█")

// sparkline draws the last width values between 0 and top, or the largest of them
// where top is 0.
func sparkline(values []float64, width int, top float64) string {
	if width <= 0 {
		return ""
	}
	if len(values) > width {
		values = values[len(values)-width:]
	}
	if top <= 0 {
		for _, v := range values {
			top = math.Max(top, v)
		}
	}
	var b strings.Builder
	for _, v := range values {
		i := 0
		if top > 0 {
			i = int(math.Round(v / top * float64(len(bars)-1)))
		}
		b.WriteRune(bars[min(max(i, 0), len(bars)-1)])
	}
	return b.String()
}

// bar draws how far something has come.
func bar(share float64, width int) string {
	if width <= 0 {
		return ""
	}
	n := min(max(int(math.Round(share*float64(width))), 0), width)
	return strings.Repeat("━", n) + strings.Repeat("┄", width-n)
}
