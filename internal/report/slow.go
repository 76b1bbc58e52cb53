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
