package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/summary"
)

// checksMetric counts what a script, a flow or a request checked of its answers.
const checksMetric = "checks"

// briefChecks bounds the rows of checks that did not hold.
const briefChecks = 6

// answerCheck is what came of one check.
type answerCheck struct {
	name        string
	hits, total int64
}

// answerChecks writes the checks of answers that did not always hold, the worst first,
// and in one line how many did. A check of a script fails nothing by itself: without
// these lines nobody would see it.
func (p *page) answerChecks(s *summary.Summary) {
	all := answerChecksOf(s)
	if len(all) == 0 {
		return
	}
	missed := slices.DeleteFunc(slices.Clone(all), func(c answerCheck) bool { return c.hits == c.total })
	slices.SortStableFunc(missed, func(a, b answerCheck) int {
		return cmp.Compare(float64(a.hits)/float64(a.total), float64(b.hits)/float64(b.total))
	})
	p.head("checks of answers")
	for _, c := range firstOf(missed, briefChecks) {
		p.wrapped(span{red, "  ✗ "}, plain, fmt.Sprintf("%s: held %s of %s times", shorten(figure.Line(c.name), widestName), showCount(c.hits), showCount(c.total)))
	}
	p.rest(len(missed)-briefChecks, "check")
	if n := len(all) - len(missed); n > 0 {
		p.wrapped(span{green, "  ✓ "}, plain, fmt.Sprintf("%d %s held every time", n, plural(n, "check")))
	}
}

// answerChecksOf returns the checks by name. Where there is a single one, only the sum of
// all is kept.
func answerChecksOf(s *summary.Summary) (out []answerCheck) {
	for _, key := range slices.Sorted(maps.Keys(s.Metrics)) {
		series, ok := metrics.ParseKey(key)
		m := s.Metrics[key]
		if !ok || series.Name != checksMetric || series.Operation == "" || series.Stage != "" || m.Rate == nil || m.Rate.Total == 0 {
			continue
		}
		name := series.Operation
		if series.Group != "" {
			name += " (in " + series.Group + ")"
		}
		out = append(out, answerCheck{name, m.Rate.Hits, m.Rate.Total})
	}
	if m := s.Metrics[checksMetric]; len(out) == 0 && m.Rate != nil && m.Rate.Total > 0 {
		out = []answerCheck{{"all of them", m.Rate.Hits, m.Rate.Total}}
	}
	return out
}
