package figure

import (
	"math"
	"strings"
)

// bars are the heights of a sparkline's marks, blocks those of a filled cell.
var (
	bars   = []rune("▁▂▃▄▅▆▇█")
	blocks = []rune(" ▁▂▃▄▅▆▇█")
)

// Spark draws values between 0 and top, or the largest of them where top is 0, a mark
// each. One that is not a number leaves a gap.
func Spark(values []float64, top float64) string {
	if top <= 0 {
		for _, v := range values {
			if v > top { // which NaN never is
				top = v
			}
		}
	}
	var b strings.Builder
	for _, v := range values {
		switch {
		case math.IsNaN(v):
			b.WriteRune(' ')
		case top <= 0:
			b.WriteRune(bars[0])
		default:
			b.WriteRune(step(v/top, bars))
		}
	}
	return b.String()
}

// Block draws a cell of which a share, 0 to 1, is filled.
func Block(share float64) rune { return step(share, blocks) }

// step returns the mark that is nearest to a share.
func step(share float64, of []rune) rune {
	i := int(math.Round(min(max(share, 0), 1) * float64(len(of)-1)))
	return of[i]
}
