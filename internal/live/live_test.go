package live

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
)

// tty is a terminal in memory that can stop taking what is written.
type tty struct {
	mu   sync.Mutex
	text bytes.Buffer
	hang chan struct{}
}

func (x *tty) Write(p []byte) (int, error) {
	if x.hang != nil {
		<-x.hang
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.text.Write(p)
}

func (x *tty) String() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.text.String()
}

func start(out *tty) *View {
	return Start(Config{
		Title: "smoke", Stages: []Stage{{Name: "only", Length: 10 * time.Second}}, Offered: func(time.Duration) float64 { return 1 },
		Quit: func() {}, Out: out, Environ: []string{"TERM=xterm"},
	})
}

func TestTheTerminalIsGivenBackClean(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &tty{}
		v := start(out)
		v.Snapshot(&metrics.Snapshot{End: time.Second})
		time.Sleep(time.Second)
		if screen := out.String(); !strings.Contains(screen, "\x1b[?1049h") || !strings.Contains(screen, "perfctl run smoke") {
			t.Errorf("no view: %q", screen)
		}
		v.Stop()
		v.Stop()
		if v.Alive() {
			t.Error("alive after Stop")
		}
		screen := out.String()
		if on, off := strings.LastIndex(screen, "\x1b[?1049h"), strings.LastIndex(screen, "\x1b[?1049l"); off < on {
			t.Errorf("the other screen stays: %q", screen)
		}
		if on, off := strings.LastIndex(screen, "\x1b[?25h"), strings.LastIndex(screen, "\x1b[?25l"); on < off {
			t.Errorf("the cursor stays hidden: %q", screen)
		}
		v.Say("what comes later does no harm")
	})
}

func TestATerminalThatTakesNothingHoldsNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &tty{hang: make(chan struct{})}
		v := start(out)
		begun := time.Now()
		for n := range 1000 {
			v.Snapshot(&metrics.Snapshot{Number: n, End: time.Duration(n+1) * time.Second})
			v.Say("x")
		}
		if waited := time.Since(begun); waited != 0 {
			t.Errorf("the run waited %v", waited)
		}
		v.Stop()
		if waited := time.Since(begun); waited > 2*stopPatience {
			t.Errorf("Stop waited %v", waited)
		}
		close(out.hang)
	})
}
