package terminal

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/perfctl/perfctl/internal/live"
	"github.com/perfctl/perfctl/internal/run"
)

// watched returns a progress with a live view on a terminal in memory.
func watched(out *lines) *Progress {
	p := &Progress{out: out, live: true, width: func() int { return 80 }}
	p.openScreen = func(run.View) *live.View {
		return live.Start(live.Config{
			Title: "smoke", Stages: []live.Stage{{Name: "only", Length: time.Second}}, Offered: func(time.Duration) float64 { return 1 },
			Quit: func() {}, Out: &lines{}, Environ: []string{"TERM=xterm"},
		})
	}
	p.Begin(run.View{})
	return p
}

func TestWhatIsSaidDuringTheLiveViewIsPrintedAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &lines{}
		p := watched(out)
		p.Warn("warning: one")
		p.Step("draining tasks …", nil)
		fmt.Fprintln(p, "level=WARN msg=two")
		time.Sleep(time.Second)
		if got := out.take(); len(got) > 0 {
			t.Errorf("printed below the live view: %q", got)
		}
		p.Done()
		p.Say("three")
		if d := cmp.Diff([]string{"warning: one", "level=WARN msg=two", "three"}, out.take()); d != "" {
			t.Error(d)
		}
	})
}

func TestAPanicIsReadOnACleanTerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := watched(&lines{})
		view := p.screen
		p.Broken()
		if view.Alive() {
			t.Error("the live view is still on the screen")
		}
	})
}
