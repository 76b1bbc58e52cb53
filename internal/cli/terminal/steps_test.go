package terminal

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
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

func TestAStepThatTakesLongIsShownAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &lines{}
		p := &Progress{out: out, width: func() int { return 80 }}
		p.Step("setting up crud …", func() string { return "5 of 10 rows written" })
		time.Sleep(25*time.Second + time.Millisecond)
		want := []string{"setting up crud …", "setting up crud … 10s: 5 of 10 rows written", "setting up crud … 20s: 5 of 10 rows written"}
		if d := cmp.Diff(want, out.take()); d != "" {
			t.Error(d)
		}

		p.Minor("analysing …")
		time.Sleep(time.Second)
		p.Minor("reading …")
		time.Sleep(3 * time.Second)
		p.Idle()
		time.Sleep(time.Minute)
		if d := cmp.Diff([]string{"reading … 2s"}, out.take()); d != "" {
			t.Error(d)
		}
	})
}

func TestAStepOnATerminalCountsItsSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &lines{}
		p := &Progress{out: out, live: true, width: func() int { return 80 }}
		p.Step("draining tasks …", nil)
		time.Sleep(3*time.Second + time.Millisecond)
		p.Done()
		time.Sleep(time.Minute)
		want := []string{"\x1b[Kdraining tasks …", "\x1b[Kdraining tasks … 2s", "\x1b[Kdraining tasks … 3s", "\x1b[K"}
		if d := cmp.Diff(want, out.take()); d != "" {
			t.Error(d)
		}
	})
}

func TestAQuietRunShowsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &lines{}
		p := &Progress{out: out, quiet: true, width: func() int { return 80 }}
		p.Step("draining tasks …", nil)
		time.Sleep(time.Minute)
		if got := out.take(); len(got) > 0 {
			t.Errorf("it shows %q", got)
		}
	})
}
