package plan

import (
	"fmt"
	"strings"
	"time"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/run"
)

const (
	sketchWidth  = 60
	sketchHeight = 8
)

// sketch draws the rate over time, and the users.
func sketch(p *run.Plan) string {
	s := p.Schedule()
	return sketchOf(s.Duration(), s.MaxRate(), "/s", s.RateAt) + sketchOf(s.Duration(), float64(s.MaxUsers()), " users", s.UsersAt)
}

// sketchOf draws a line over time with blocks, an eighth of a line exact.
func sketchOf(d time.Duration, top float64, unit string, of func(time.Duration) float64) string {
	if d <= 0 || top <= 0 {
		return ""
	}
	var b strings.Builder
	for row := sketchHeight - 1; row >= 0; row-- {
		label := ""
		switch row {
		case sketchHeight - 1:
			label = number(top) + unit
		case 0:
			label = "0"
		}
		fmt.Fprintf(&b, "%9s │", label)
		for x := range sketchWidth {
			at := time.Duration((float64(x) + 0.5) / sketchWidth * float64(d))
			filled := of(at)/top*sketchHeight - float64(row)
			b.WriteRune(figure.Block(filled))
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "%9s └%s\n", "", strings.Repeat("─", sketchWidth))
	end := figure.Duration(d.Round(time.Millisecond))
	fmt.Fprintf(&b, "%10s0%*s\n", "", sketchWidth, end)
	return b.String()
}
