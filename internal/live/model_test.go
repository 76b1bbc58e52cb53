package live

import (
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
	"pgregory.net/rapid"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/sla"
)

// run is a view of a run with two stages of 20 s, at 100/s and 300/s.
func run(color bool) (*model, *int) {
	quits := new(int)
	return newModel(Config{
		Title: "load", Color: color, In: strings.NewReader(""), Quit: func() { *quits++ },
		Stages: []Stage{{Name: "steady", Length: 20 * time.Second}, {Name: "peak", Start: 20 * time.Second, Length: 20 * time.Second}},
		Offered: func(at time.Duration) float64 {
			if at < 20*time.Second {
				return 100
			}
			return 300
		},
	}), quits
}

// snapshot is second n of the run: arrivals of two scenarios that took the given
// time, and errors of one kind.
func snapshot(n int, took time.Duration, arrivals, failed int64, text string) *metrics.Snapshot {
	end := time.Duration(n+1) * time.Second
	s := &metrics.Snapshot{Number: n, Start: end - time.Second, End: end, Stage: n / 20}
	stage := []string{"steady", "peak"}[n/20]
	for _, name := range []string{"crud", "cache"} {
		h := new(metrics.Hist)
		h.RecordN(int64(took), arrivals)
		tags := metrics.Tags{Scenario: name, Stage: stage}
		s.Trends = append(s.Trends, metrics.TrendValue{Series: &metrics.Series{Desc: metrics.ResponseTime, Tags: tags}, Hist: h})
		s.Counters = append(s.Counters, metrics.CounterValue{Series: &metrics.Series{Desc: metrics.ArrivalsSucceeded, Tags: tags}, Delta: arrivals})
		s.Gauges = append(s.Gauges, metrics.GaugeValue{Series: &metrics.Series{
			Desc: metrics.Desc{Name: "db_pool_in_use", Kind: metrics.KindGauge, Unit: metrics.UnitCount, Role: metrics.RolePoolUse}, Tags: tags}, Value: float64(n)})
	}
	if failed > 0 {
		s.Counters = append(s.Counters, metrics.CounterValue{Series: &metrics.Series{Desc: metrics.ArrivalsFailed,
			Tags: metrics.Tags{Scenario: "crud", Outcome: text, Stage: stage}}, Delta: failed})
	}
	s.Gauges = append(s.Gauges,
		metrics.GaugeValue{Series: &metrics.Series{Desc: metrics.InFlight}, Value: 7},
		metrics.GaugeValue{Series: &metrics.Series{Desc: metrics.Desc{Name: "generator_cpu_percent", Unit: metrics.UnitPercent, Role: metrics.RoleGeneratorCPU, Of: metrics.OfGenerator}}, Value: 12})
	return s
}

func (m *model) feed(msgs ...tea.Msg) string {
	for _, x := range msgs {
		m.Update(x)
	}
	return m.screen()
}

func press(r rune) tea.Msg { return tea.KeyPressMsg{Code: r, Text: string(r)} }

// shows fails where the screen lacks one of the texts.
func shows(t *testing.T, screen string, texts ...string) {
	t.Helper()
	for _, x := range texts {
		if !strings.Contains(screen, x) {
			t.Errorf("the screen lacks %q:\n%s", x, screen)
		}
	}
}

func TestTheScreenSaysWhereTheRunIsAndHowItGoes(t *testing.T) {
	m, _ := run(false)
	m.Update(tea.WindowSizeMsg{Width: 120, Height: 40})
	for n := range 25 {
		m.feed(secondOf(snapshot(n, 20*time.Millisecond, 150, 0, "")))
	}
	screen := m.feed(judged{[]sla.Result{
		{Rule: "P95 response time", Status: sla.Failed, Actual: "20ms", Target: "P95 < 5ms"},
		{Rule: "Errors", Status: sla.Passed, Actual: "0%", Target: "RATE < 1%"},
	}, Health{"suspect", []string{"the machine is busy"}}}, said("warning: one\n  next: two"))
	shows(t, screen, "perfctl run load  stage peak (2 of 2), 15s left", "offered 300/s  achieved 300/s  in flight 7",
		"so far 7,500 succeeded", "p50 20ms  p95 20ms", "✓ 1 hold  ✗ 1 missed", "✗ P95 response time: 20ms, target P95 < 5ms", "SUSPECT", "CPU 12%",
		"! the machine is busy", "crud ", "cache ", "db_pool_in_use cache 24 crud 24", "warning: one", "  next: two", "q quit gracefully", "█", "┤")
	shows(t, m.feed(doing("draining tasks …")), "perfctl run load  draining tasks …")
}

func TestPercentilesAreOfTheLastSecondsMergedAndNotOfOne(t *testing.T) {
	m, _ := run(false)
	// Twelve seconds: two that are over, nine fast ones with most arrivals, a slow
	// last one with a twelfth of the window's.
	for n := range 2 {
		m.feed(secondOf(snapshot(n, time.Minute, 1000, 0, "")))
	}
	for n := 2; n < 11; n++ {
		m.feed(secondOf(snapshot(n, 10*time.Millisecond, 110, 0, "")))
	}
	shows(t, m.feed(secondOf(snapshot(11, time.Second, 90, 0, ""))), "p50 10.0ms  p95 1.00s  p99 1.00s")
	shows(t, m.feed(secondOf(snapshot(12, 10*time.Millisecond, 2000, 0, ""))), "p95 10.0ms")
}

func TestAPercentileAmongDroppedArrivalsIsALowerBound(t *testing.T) {
	m, _ := run(false)
	s := snapshot(0, time.Millisecond, 90, 0, "")
	for i := range s.Trends {
		s.Trends[i].Hist.Censored = 10
	}
	shows(t, m.feed(secondOf(s)), "p50 1ms  p95 ≥ 1ms  p99 ≥ 1ms")
}

func TestErrorsAreTold(t *testing.T) {
	m, _ := run(false)
	m.feed(secondOf(snapshot(0, time.Millisecond, 10, 3, "timeout")))
	for n := 1; n < 12; n++ {
		m.feed(secondOf(snapshot(n, time.Millisecond, 10, 0, "")))
	}
	shows(t, m.feed(secondOf(snapshot(12, time.Millisecond, 10, 2, "timeout"))), "5 failed", "crud failed: timeout: 5, 2 of them in the last 10 s")
}

func TestPauseStopsTheViewAndNotTheRun(t *testing.T) {
	m, quits := run(false)
	m.feed(secondOf(snapshot(0, time.Millisecond, 10, 0, "")), press('p'))
	screen := m.feed(secondOf(snapshot(1, time.Millisecond, 10, 0, "")), judged{rules: []sla.Result{{Status: sla.Failed}}})
	shows(t, screen, "so far 20 succeeded", "PAUSED")
	if strings.Contains(screen, "missed") {
		t.Errorf("a paused view judges:\n%s", screen)
	}
	shows(t, m.feed(press('p')), "so far 40 succeeded", "1 missed")
	if *quits != 0 {
		t.Error("pausing quits")
	}
}

func TestQuittingMeansWhatASignalMeans(t *testing.T) {
	m, quits := run(false)
	shows(t, m.feed(press('q')), "q ends at once")
	shows(t, m.feed(tea.KeyPressMsg{Code: 'c', Mod: tea.ModCtrl}), "ending at once")
	if *quits != 2 {
		t.Errorf("%d calls of Quit, want 2", *quits)
	}
	shows(t, m.feed(press('?')), "finish those that are due", "holds so far")
}

func TestTheScreenFitsEveryTerminal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, _ := run(rapid.Bool().Draw(t, "color"))
		hostile := rapid.SampledFrom([]string{"timeout", "\x1b]0;title\x07\x1b[2J\r\n\u202e\u009b31m", strings.Repeat("long ", 60), "日本語"}).Draw(t, "text")
		seconds := rapid.IntRange(0, 30).Draw(t, "seconds")
		for n := range seconds {
			m.feed(secondOf(snapshot(n, time.Duration(n)*time.Millisecond, int64(n), int64(n%3), hostile)))
		}
		var rules []sla.Result
		for i := range rapid.IntRange(0, 30).Draw(t, "rules") {
			rules = append(rules, sla.Result{Rule: hostile, Actual: hostile, Status: []sla.Status{sla.Passed, sla.Failed, sla.Warned, sla.Pending}[i%4]})
		}
		m.feed(judged{rules, Health{"invalid", []string{hostile}}}, said(hostile), doing(rapid.SampledFrom([]string{"", hostile}).Draw(t, "step")))
		if rapid.Bool().Draw(t, "help") {
			m.feed(press('?'))
		}
		w, h := rapid.IntRange(1, 140).Draw(t, "width"), rapid.IntRange(1, 60).Draw(t, "height")
		lines := strings.Split(m.feed(tea.WindowSizeMsg{Width: w, Height: h}), "\n")
		if len(lines) > h {
			t.Fatalf("%d lines for %d rows", len(lines), h)
		}
		for _, l := range lines {
			if got := lipgloss.Width(l); got > w {
				t.Fatalf("a line of %d columns for %d: %q", got, w, l)
			}
			if x := unsafe(l, m.config.Color); x != "" {
				t.Fatalf("the screen holds %q: %q", x, l)
			}
		}
	})
}

// colours are the only sequences that the view may hold.
var colours = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// unsafe returns what a terminal would obey, besides the colours of the view.
func unsafe(line string, color bool) string {
	if color {
		line = colours.ReplaceAllString(line, "")
	}
	for _, r := range line {
		if unicode.IsControl(r) || r == '\u202e' {
			return string(r)
		}
	}
	return ""
}
