package live

import (
	"fmt"
	"math"
	"strings"

	"github.com/perfctl/perfctl/internal/figure"
)

// axisWidth is the width of a chart's scale.
const axisWidth = 9

// leastChart is the narrowest chart that is worth its rows.
const leastChart = 20

// tall is the height from which there are charts of several rows in place of lines.
const tall = 36

// charts says whether there is room for charts.
func (p panel) charts() bool {
	return p.height >= tall && p.room()-axisWidth-2 >= leastChart
}

// chart draws the last values as columns on a scale from 0, a column a second. The
// marks, where there are any, are a dotted line on the same scale. It is empty where
// there is no room or nothing but zeros.
func (p panel) chart(values, marks []float64, height int, show func(float64) string) []string {
	width := p.room() - axisWidth - 2
	if !p.charts() {
		return nil
	}
	values, marks = tail(values, width), tail(marks, width)
	top := 0.0
	for _, all := range [][]float64{values, marks} {
		for _, v := range all {
			top = max(top, v)
		}
	}
	if top == 0 {
		return nil
	}
	lines := make([]string, height)
	for row := range lines {
		label := ""
		switch row {
		case 0:
			label = show(top)
		case height - 1:
			label = "0"
		}
		low := height - 1 - row // the row's lower edge, in rows
		var b strings.Builder
		for i, v := range values {
			cell := figure.Block(v/top*float64(height) - float64(low))
			if i < len(marks) && cell == ' ' && int(math.Ceil(marks[i]/top*float64(height)))-1 == low {
				cell = '·'
			}
			b.WriteRune(cell)
		}
		lines[row] = p.theme.dim.Render(fmt.Sprintf("%*s ┤", axisWidth, label)) + p.theme.line.Render(b.String())
	}
	return lines
}

func tail(v []float64, n int) []float64 { return v[max(len(v)-n, 0):] }
