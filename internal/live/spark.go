package live

import (
	"math"
	"strings"

	"github.com/perfctl/perfctl/internal/figure"
)

// sparkline draws the last width values between 0 and top, or the largest of them
// where top is 0.
func sparkline(values []float64, width int, top float64) string {
	if width <= 0 {
		return ""
	}
	return figure.Spark(values[max(len(values)-width, 0):], top)
}

// bar draws how far something has come.
func bar(share float64, width int) string {
	if width <= 0 {
		return ""
	}
	n := min(max(int(math.Round(share*float64(width))), 0), width)
	return strings.Repeat("━", n) + strings.Repeat("┄", width-n)
}
