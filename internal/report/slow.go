package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/perfctl/perfctl/internal/analysis/slow"
	"github.com/perfctl/perfctl/internal/rundir/exemplars"
	"github.com/perfctl/perfctl/internal/stats"
)

// SlowQuery says which of the arrivals that were kept are to be shown.
type SlowQuery struct {
	// Failed shows the failed in place of the slowest.
	Failed bool
	// Stage, Scenario and Operation, where they are given, are the only ones shown.
	Stage, Scenario, Operation string
	// TraceURL, where it is given, makes an address of a trace: {id} stands for its
	// identity.
	TraceURL string
	// Most is how many are shown.
	Most int
}

// Choose returns the arrivals asked for, the slowest first, and how many there are
// without the bound.
func (q *SlowQuery) Choose(all []exemplars.Exemplar) (shown []exemplars.Exemplar, matching int) {
	for i := range all {
		e := &all[i]
		if q.Failed != (e.Kind != "") || q.Stage != "" && e.Stage != q.Stage || q.Scenario != "" && e.Scenario != q.Scenario {
			continue
		}
		if q.Operation != "" && !slices.ContainsFunc(e.Ops, func(o exemplars.Op) bool { return o.Name == q.Operation }) {
			continue
		}
		shown = append(shown, *e)
	}
	slices.SortStableFunc(shown, func(a, b exemplars.Exemplar) int { return cmp.Compare(b.Response, a.Response) })
	return shown[:min(q.Most, len(shown))], len(shown)
}

// SlowList is perfctl slow as JSON.
type SlowList struct {
	Run string `json:"run"`
	// Kept is how many arrivals a record was kept of, Matching how many of them are
	// asked for.
	Kept     int `json:"kept"`
	Matching int `json:"matching"`
	// Analysis is why they are slow, null for unknown.
	Analysis  *slow.Report         `json:"analysis"`
	Exemplars []exemplars.Exemplar `json:"exemplars"`
	Notes     []string             `json:"notes,omitempty"`
}

// SlowJSON writes the arrivals asked for as JSON.
func SlowJSON(w io.Writer, l *SlowList) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if l.Exemplars == nil {
		l.Exemplars = []exemplars.Exemplar{}
	}
	return e.Encode(l)
}

// Slow writes the arrivals asked for: why they are slow, where their time went, and a
// waterfall of each.
func Slow(w io.Writer, set *exemplars.Set, q SlowQuery, why []string, o Options) error {
	p := newPage(w, o)
	shown, matching := q.Choose(set.Exemplars)
	what := "slowest"
	if q.Failed {
		what = "failed"
	}
	for _, s := range why {
		p.wrapped(span{plain, "  "}, plain, s)
	}
	if len(why) > 0 {
		p.line()
	}
	p.line(span{bold, fmt.Sprintf("the %d %s", len(shown), what)}, span{dim, fmt.Sprintf("  of %d kept; %d arrivals were kept in all", matching, len(set.Exemplars))})
	if len(shown) > 0 {
		p.phaseTable(shown, set.Exemplars)
		p.line()
		p.wrapped(span{dim, "  "}, dim, "░ waits for a worker or a connection  ▒ connects, TLS  ▓ writes, reads  █ the server  · between")
	}
	for i := range shown {
		p.waterfall(set, &shown[i])
		if q.TraceURL != "" && shown[i].Trace != "" {
			p.line(span{plain, "      " + strings.ReplaceAll(q.TraceURL, "{id}", shown[i].Trace)})
		}
	}
	for _, n := range set.Notes {
		p.wrapped(span{yellow, "  ? "}, plain, n)
	}
	return p.w.Flush()
}

// phaseTable says where the time of the arrivals shown went, beside that of the sample.
func (p *page) phaseTable(shown, all []exemplars.Exemplar) {
	var sample []exemplars.Exemplar
	for i := range all {
		if all[i].Is(exemplars.Sample) {
			sample = append(sample, all[i])
		}
	}
	p.line()
	t := table{right: 1<<1 | 1<<2 | 1<<3, drop: []int{3}}
	t.add(dimmed("  phase", "share", "median", "of any arrival")...)
	mine, usual, total := phasesOf(shown), phasesOf(sample), 0.0
	for _, v := range mine {
		total += sumOf(v)
	}
	for _, name := range exemplars.PhaseNames {
		if sumOf(mine[name]) == 0 {
			continue
		}
		other := none
		if len(sample) > 0 {
			other = showMillis(stats.Median(usual[name]))
		}
		t.add(plainCells("  "+exemplars.PhaseTexts[name], showShare(sumOf(mine[name])/total), showMillis(stats.Median(mine[name])), other)...)
	}
	p.table(&t)
}

func phasesOf(all []exemplars.Exemplar) map[string][]float64 {
	out := map[string][]float64{}
	for i := range all {
		for name, v := range all[i].Phases() {
			out[name] = append(out[name], v)
		}
	}
	return out
}

func sumOf(all []float64) (sum float64) {
	for _, v := range all {
		sum += v
	}
	return sum
}

// The layout of a waterfall.
const (
	widestLabel = 20
	widestTime  = 9
	leastBar    = 10
)

// waterfall draws one arrival: a row for each operation, from due until done.
func (p *page) waterfall(set *exemplars.Set, e *exemplars.Exemplar) {
	p.line()
	head := []string{e.Scenario, e.Stage}
	if e.User > 0 {
		head = append(head, "user "+strconv.Itoa(e.User))
	}
	p.wrapped(span{bold, fmt.Sprintf("  k=%d ", e.K)}, plain, fmt.Sprintf("%s, due at %s, %s%s%s", strings.Join(head, " · "),
		showMillis(e.Due), showMillis(e.Response), notIf(e.Paused == 0, " and pauses of "+showMillis(e.Paused)), notIf(e.Trace == "", ", trace "+e.Trace)))
	if e.Kind != "" {
		p.wrapped(span{red, "    ✗ "}, plain, e.Kind+": "+e.Error)
	}
	label := 4
	for i := range e.Ops {
		label = max(label, utf8.RuneCountInString(opLabel(&e.Ops[i])))
	}
	if e.Started >= 0.05 {
		label = max(label, len("(waits)"))
	}
	label = min(label, widestLabel)
	d := drawing{width: p.width - 4 - label - 2 - widestTime, of: max(e.Response+e.Paused, 1e-3)}
	if d.width < leastBar {
		d.width = leastBar
	}
	row := func(name, bar string, took float64) {
		p.line(span{plain, "    " + pad(shorten(name, label), label) + " "}, span{cyan, pad(bar, d.width)}, span{plain, " " + padLeft(showMillis(took), widestTime)})
	}
	if e.Started >= 0.05 {
		row("(waits)", d.bar(segment{0, e.Started, '░'}), e.Started)
	}
	for i := range e.Ops {
		o := &e.Ops[i]
		row(opLabel(o), d.bar(segmentsOf(o)...), o.End-o.Start)
		if text := OpDetail(o); text != "" {
			p.wrapped(span{plain, "      "}, dim, text)
		}
		for _, text := range Meanwhile(set, e, o) {
			p.wrapped(span{yellow, "      ! "}, plain, text)
		}
	}
	if e.More > 0 {
		p.line(span{dim, fmt.Sprintf("    and %d more operations that were not noted", e.More)})
	}
	if e.Blind {
		p.line(span{dim, "    its operations were not noted"})
	}
}

func notIf(left bool, text string) string {
	if left {
		return ""
	}
	return text
}

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
