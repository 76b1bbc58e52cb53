package main

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/perfctl/perfctl/internal/live"
)

// watched returns a progress with a live view on a terminal in memory.
func watched(out *lines) *progress {
	p := &progress{out: out, live: true, width: func() int { return 80 }}
	p.open(live.Start(live.Config{
		Title: "smoke", Stages: []live.Stage{{Name: "only", Length: time.Second}}, Offered: func(time.Duration) float64 { return 1 },
		Quit: func() {}, Out: &lines{}, Environ: []string{"TERM=xterm"},
	}), nil)
	return p
}

func TestWhatIsSaidDuringTheLiveViewIsPrintedAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &lines{}
		p := watched(out)
		p.say("warning: %s", "one")
		p.step("draining tasks …")
		fmt.Fprintln(p, "level=WARN msg=two")
		time.Sleep(time.Second)
		if got := out.take(); len(got) > 0 {
			t.Errorf("printed below the live view: %q", got)
		}
		p.done()
		p.say("three")
		if d := cmp.Diff([]string{"warning: one", "level=WARN msg=two", "three"}, out.take()); d != "" {
			t.Error(d)
		}
	})
}

func TestAPanicIsReadOnACleanTerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := watched(&lines{})
		view := p.screen
		defer func() {
			if fault := recover(); fault != "fault" || view.Alive() {
				t.Errorf("panic %v, view on the screen: %v", fault, view.Alive())
			}
		}()
		p.guarded(func() { panic("fault") })()
	})
}
