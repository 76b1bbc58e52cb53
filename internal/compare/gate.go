package compare

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/sla"
)

// stat is a statistic of a trend: a quantile, or the mean.
type stat struct {
	name string
	q    float64 // mean for the mean
}

// mean stands for the mean among the quantiles.
const mean = -1

var usual = []stat{{"p50", 0.5}, {"p95", 0.95}, {"p99", 0.99}}

// spec is a figure that is to be compared.
type spec struct {
	key  key
	stat stat
	// share says that it is a share of arrivals or of hits, not a time.
	share bool
	// lessIsWorse is of shares that are to be high.
	lessIsWorse bool
	gated       bool
}

// named is a figure that a rule or --gate names.
type named struct {
	metric      string
	tags        metrics.Tags
	scenario    string
	stats       []stat
	lessIsWorse bool
}

// key is what its series go under.
func (n *named) key() key {
	t := n.tags
	if t.Scenario == "" {
		t.Scenario = n.scenario
	}
	stage := t.Stage
	t.Stage = ""
	return key{metrics.Series{Desc: metrics.Desc{Name: n.metric}, Tags: t}.Key(), stage}
}

// matches says whether a series belongs to it.
func (n *named) matches(s *metrics.Series) bool {
	return (metrics.Selector{Name: n.metric, Tags: n.tags}).Matches(s) && (n.scenario == "" || n.scenario == s.Scenario)
}

// ruleFigures returns what the rules of the runs name: thresholds and the rules
// of the SLA table, in so far as they are about a percentile, a mean or a rate.
// A maximum is a single arrival, and is not compared.
func ruleFigures(runs []*rundir.Run) (out []named) {
	for _, r := range runs {
		var rules []sla.Rule
		for _, text := range r.Info.Rules {
			if rule, err := sla.ParseThreshold(text); err == nil { // it was judged by it: it can be read
				rules = append(rules, rule)
			}
		}
		if r.Info.Table.Text != "" {
			if table, err := sla.DecodeTable(r.Info.Table.Name, []byte(r.Info.Table.Text)); err == nil {
				rules = append(rules, table...)
			}
		}
		for _, rule := range rules {
			if n, ok := figureOf(&rule); ok {
				out = add(out, n)
			}
		}
	}
	return out
}

// add adds a figure, once.
func add(all []named, n named) []named {
	for i := range all {
		if all[i].key() == n.key() {
			for _, s := range n.stats {
				if !slices.Contains(all[i].stats, s) {
					all[i].stats = append(all[i].stats, s)
				}
			}
			return all
		}
	}
	return append(all, n)
}

func figureOf(r *sla.Rule) (named, bool) {
	n := named{metric: r.Metric, tags: r.Tags, scenario: r.Scenario, lessIsWorse: r.Op == ">" || r.Op == ">="}
	switch {
	case r.Stat.Name == "med":
		n.stats = []stat{{"p50", 0.5}}
	case r.Stat.Name == "avg":
		n.stats = []stat{{"avg", mean}}
	case r.Stat.Name == "p" && r.Stat.Percent < 100:
		n.stats = []stat{{"p" + strconv.FormatFloat(r.Stat.Percent, 'f', -1, 64), r.Stat.Percent / 100}}
	case r.Stat.Name == "rate" || r.Stat.Name == "value":
		n.stats = []stat{{"rate", 0}}
	default:
		return n, false
	}
	return n, true
}

// parseGate reads a figure that --gate names: a metric, with tags and a
// statistic if need be, as in "db_query_duration{scenario:crud}: p(95)". Without
// a statistic it is p50, p95 and p99.
func parseGate(text string) (named, error) {
	full, hasStat := text, false
	if at := strings.LastIndex(text, ":"); at > strings.LastIndex(text, "}") && at >= 0 {
		hasStat = true
		full += "<1"
	} else {
		full += ": p(50)<1"
	}
	r, err := sla.ParseThreshold(full)
	if err != nil {
		return named{}, fmt.Errorf("--gate %q: want a metric, and a statistic if need be, as in 'db_query_duration{scenario:crud}: p(95)'", text)
	}
	n, ok := figureOf(&r)
	if !ok && hasStat {
		return named{}, fmt.Errorf("--gate %q: want p(N), med, avg or rate; a %s is not compared", text, r.Stat.Name)
	}
	if !hasStat {
		n.stats = append(slices.Clone(usual), stat{"rate", 0})
	}
	return n, nil
}

// parseGates reads all that --gate names.
func parseGates(texts []string) (out []named, err error) {
	for _, t := range texts {
		n, err := parseGate(t)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

// CheckGate says what is wrong with the figures that --gate names.
func CheckGate(texts []string) error {
	_, err := parseGates(texts)
	return err
}
