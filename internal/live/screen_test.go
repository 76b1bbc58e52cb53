package live

import (
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/sla"
)

// flowSecond is a second of a run with a flow of some steps, a gauge that moves and
// one that does not.
func flowSecond(n, steps int) *metrics.Snapshot {
	s := snapshot(n, 20*time.Millisecond, 50, 0, "")
	for i := range steps {
		h := new(metrics.Hist)
		h.RecordN(int64(i+1)*int64(time.Millisecond), 50)
		s.Trends = append(s.Trends, metrics.TrendValue{Hist: h, Series: &metrics.Series{
			Desc: metrics.Desc{Name: "flow_step_duration", Role: metrics.RoleStep}, Tags: metrics.Tags{Scenario: "flow", Operation: fmt.Sprintf("step_%d", i)}}})
	}
	s.Gauges = append(s.Gauges, metrics.GaugeValue{Value: 20, Series: &metrics.Series{
		Desc: metrics.Desc{Name: "db_pool_max", Kind: metrics.KindGauge, Unit: metrics.UnitCount}, Tags: metrics.Tags{Scenario: "crud"}}})
	return s
}

func TestScenariosAndStepsHaveRowsHoweverManyRulesHold(t *testing.T) {
	m, _ := run(false)
	for n := range 12 {
		m.feed(secondOf(flowSecond(n, 5)))
	}
	var rules []sla.Result
	for i := range 30 {
		rules = append(rules, sla.Result{Rule: fmt.Sprintf("held %d", i), Status: sla.Passed})
	}
	rules = append(rules, sla.Result{Rule: "P95", Stage: "peak", Status: sla.Failed, Actual: "20ms", Target: "P95 < 5ms"})
	reasons := []string{strings.Repeat("late ", 30), strings.Repeat("later ", 30)}
	for _, size := range []tea.WindowSizeMsg{{Width: 80, Height: 24}, {Width: 120, Height: 40}, {Width: 200, Height: 50}} {
		screen := m.feed(size, judged{rules, Health{"suspect", reasons}})
		shows(t, screen, "cache ", "crud ", "flow ", "  step_0", "  step_4", "5ms", "✓ 30 hold  ✗ 1 missed", "✗ P95 in peak: 20ms, target P95 < 5ms", "SUSPECT", "? help")
		if strings.Contains(screen, "held 1") {
			t.Errorf("a rule that holds has a line of its own:\n%s", screen)
		}
	}
}

func TestAWideScreenHasTwoColumnsAndCharts(t *testing.T) {
	m, _ := run(false)
	for n := range 25 {
		m.feed(secondOf(flowSecond(n, 3)))
	}
	screen := m.feed(tea.WindowSizeMsg{Width: 200, Height: 50}, judged{[]sla.Result{{Rule: "P95", Status: sla.Passed}}, Health{}})
	beside := false
	for l := range strings.SplitSeq(screen, "\n") {
		beside = beside || strings.HasPrefix(l, "load ") && strings.Contains(l, "scenarios ")
	}
	if !beside || strings.Count(screen, "┤") != 2*chartRows {
		t.Errorf("no second column, or no charts:\n%s", screen)
	}
}

func TestReadingsThatNeverChangedAreNotShown(t *testing.T) {
	m, _ := run(false)
	for n := range 5 {
		m.feed(secondOf(flowSecond(n, 0)))
	}
	for _, width := range []int{80, 200} {
		screen := m.feed(tea.WindowSizeMsg{Width: width, Height: 40})
		shows(t, screen, "db_pool_in_use", "and 1 that did not change")
		if strings.Contains(screen, "db_pool_max") {
			t.Errorf("at %d columns a constant is shown:\n%s", width, screen)
		}
	}
}

func TestAClosedStageTellsItsUsers(t *testing.T) {
	m, _ := run(false)
	m.config.Stages[0].Closed = true
	m.config.Offered = func(time.Duration) float64 { return 0 }
	m.config.Users = func(time.Duration) float64 { return 50 }
	s := snapshot(3, time.Millisecond, 10, 0, "")
	s.Gauges = append(s.Gauges, metrics.GaugeValue{Series: &metrics.Series{Desc: metrics.Users}, Value: 48})
	screen := m.feed(secondOf(s))
	shows(t, screen, "users 48 of 50 wanted", "achieved 20/s")
	if strings.Contains(screen, "offered") {
		t.Errorf("a closed stage offers no rate:\n%s", screen)
	}
}

func TestWhereEverythingFailsNothingIsAchieved(t *testing.T) {
	m, _ := run(false)
	for n := range 5 {
		s := snapshot(n, time.Millisecond, 0, 100, "status_5xx")
		m.feed(secondOf(s))
	}
	shows(t, m.screen(), "offered 100/s  achieved 0/s", "so far 0 succeeded, 500 failed", "nothing succeeded in the last 5 s", "crud failed: status_5xx: 500")
}

func TestFaultsAreToldWhileTheyLastAndBefore(t *testing.T) {
	m, _ := run(false)
	m.config.Faults = []Fault{{"db", "postgres: refuse", 5 * time.Second, 9 * time.Second}, {"cache", "redis: reset", 30 * time.Second, 31 * time.Second}}
	shows(t, m.feed(secondOf(snapshot(1, time.Millisecond, 1, 0, ""))), "next db (postgres: refuse) in 3s")
	shows(t, m.feed(secondOf(snapshot(5, time.Millisecond, 1, 0, ""))), "db (postgres: refuse), 3s left", "next cache (redis: reset) in 24s")
	shows(t, m.feed(secondOf(snapshot(35, time.Millisecond, 1, 0, ""))), "2 of 2 are over")
}

func TestTheKeysFitTheLastLine(t *testing.T) {
	m, _ := run(false)
	m.Update(tea.WindowSizeMsg{Width: 80, Height: 24})
	shows(t, m.feed(press('p'), press('q')), "VIEW PAUSED, THE RUN GOES ON (p)", "q ends at once")
	for l := range strings.SplitSeq(m.feed(press('?')), "\n") {
		if strings.HasSuffix(l, "…") {
			t.Errorf("the help is cut: %q", l)
		}
	}
}
