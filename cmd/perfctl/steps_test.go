package main

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/perfctl/perfctl/internal/scenarios"
)

// lines is a stderr that many may write to.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.text.Reset()
	return strings.FieldsFunc(l.text.String(), func(r rune) bool { return r == '\n' || r == '\r' })
}

// loader is a scenario that is loading rows.
type loader struct {
	scenarios.Scenario
	text string
}

func (l loader) Tell() string { return l.text }

func TestAStepThatTakesLongIsToldOfAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &lines{}
		p := &progress{out: out, width: func() int { return 80 }}
		p.stepOf([]scenarios.Scenario{loader{text: "5 of 10 rows written"}, loader{}}, "setting up %s …", "crud")
		time.Sleep(25*time.Second + time.Millisecond)
		want := []string{"setting up crud …", "setting up crud … 10s: 5 of 10 rows written", "setting up crud … 20s: 5 of 10 rows written"}
		if d := cmp.Diff(want, out.take()); d != "" {
			t.Error(d)
		}

		p.quietStep("analysing …")
		time.Sleep(time.Second)
		p.quietStep("reading …")
		time.Sleep(3 * time.Second)
		p.idle()
		time.Sleep(time.Minute)
		if d := cmp.Diff([]string{"reading … 2s"}, out.take()); d != "" {
			t.Error(d)
		}
	})
}

func TestAStepOnATerminalCountsItsSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &lines{}
		p := &progress{out: out, live: true, width: func() int { return 80 }}
		p.step("draining tasks …")
		time.Sleep(3*time.Second + time.Millisecond)
		p.done()
		time.Sleep(time.Minute)
		want := []string{"\x1b[Kdraining tasks …", "\x1b[Kdraining tasks … 2s", "\x1b[Kdraining tasks … 3s", "\x1b[K"}
		if d := cmp.Diff(want, out.take()); d != "" {
			t.Error(d)
		}
	})
}

func TestAQuietRunTellsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &lines{}
		p := &progress{out: out, quiet: true, width: func() int { return 80 }}
		p.step("draining tasks …")
		time.Sleep(time.Minute)
		if got := out.take(); len(got) > 0 {
			t.Errorf("it tells %q", got)
		}
	})
}
