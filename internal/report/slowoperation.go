package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/perfctl/perfctl/internal/rundir/exemplars"
)

func opLabel(o *exemplars.Op) string {
	if o.Line > 0 {
		return o.Name + ":" + strconv.Itoa(o.Line)
	}
	return o.Name
}

// OpDetail says what the bar of an operation does not show.
func OpDetail(o *exemplars.Op) string {
	var out []string
	for _, x := range []struct {
		name string
		took float64
	}{{"waited for a connection", o.Wait}, {"name server", o.Lookup}, {"connect", o.Connect}, {"TLS", o.TLS}} {
		if x.took >= 0.1 {
			out = append(out, x.name+" "+showMillis(x.took))
		}
	}
	if o.Process > 0 {
		out = append(out, fmt.Sprintf("pid %d", o.Process))
	} else if o.Conn > 0 {
		out = append(out, fmt.Sprintf("connection %d", o.Conn))
	}
	if o.Retries > 0 {
		out = append(out, fmt.Sprintf("tried again %d times", o.Retries))
	}
	if o.Request != "" {
		out = append(out, o.Request)
	}
	if o.Status > 0 {
		out = append(out, fmt.Sprintf("→ %d, %d bytes", o.Status, o.Bytes))
	}
	if o.Open {
		out = append(out, "without an answer")
	}
	text := strings.Join(out, "; ")
	if o.Answer != "" && (o.Failed || o.Status >= 400) {
		text += ": " + o.Answer
	}
	return text
}

// leastSeen is how long an operation must wait for its answer for what was seen
// meanwhile to be told, in milliseconds.
const leastSeen = 5.0

// Meanwhile tells what was seen of the server while an operation waited for it.
func Meanwhile(set *exemplars.Set, e *exemplars.Exemplar, o *exemplars.Op) (out []string) {
	if o.Server < leastSeen {
		return nil
	}
	for _, v := range set.Meanwhile(e, o, false) {
		text := fmt.Sprintf("%s, %s to %s: %s", v.Source, showMillis(v.From), showMillis(v.To), v.What)
		if len(v.Blockers) > 0 {
			text += fmt.Sprintf("; held by process %d", v.Blockers[0])
		}
		if v.By != "" {
			text += ", which was at: " + v.By
		}
		if !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}

// segment is a part of a bar, in milliseconds.
type segment struct {
	from, to float64
	mark     rune
}

// segmentsOf are the phases of an operation, one after the other.
func segmentsOf(o *exemplars.Op) []segment {
	var out []segment
	at := o.Start
	for _, s := range []struct {
		took float64
		mark rune
	}{{o.Wait, '░'}, {o.Lookup + o.Connect + o.TLS, '▒'}, {o.Send, '▓'}, {o.Server, '█'}, {o.Receive, '▓'}} {
		if s.took > 0 {
			out = append(out, segment{at, at + s.took, s.mark})
			at += s.took
		}
	}
	return out
}

// drawing is a bar of so many columns that stands for so many milliseconds.
type drawing struct {
	width int
	of    float64
}

// bar draws segments; one that is shorter than a column still shows, where nothing
// longer is.
func (d drawing) bar(all ...segment) string {
	cells := []rune(strings.Repeat(" ", d.width))
	long := make([]float64, d.width)
	for _, s := range all {
		from := min(max(int(s.from/d.of*float64(d.width)), 0), d.width-1)
		to := min(max(int(s.to/d.of*float64(d.width)+0.5), from+1), d.width)
		for i := from; i < to; i++ {
			if s.to-s.from >= long[i] {
				cells[i], long[i] = s.mark, s.to-s.from
			}
		}
	}
	for i := 0; i < d.width && cells[i] == ' '; i++ {
		cells[i] = '·'
	}
	return string(cells)
}
