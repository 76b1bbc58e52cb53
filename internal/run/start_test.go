package run

import (
	"testing"
	"testing/synctest"
	"time"
)

// sleepy is an observer that does not come back for a while, as a process that was
// stopped does.
type sleepy struct {
	Observer
	asleep time.Duration
}

func (s sleepy) Step(string, func() string) { time.Sleep(s.asleep) }

func TestARunThatWakesAfterItsInstantIsLate(t *testing.T) {
	for _, c := range []struct{ asleep, late time.Duration }{
		{0, 0}, {400 * time.Millisecond, 0}, {2 * time.Second, 1500 * time.Millisecond}, {5 * time.Second, 4500 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			at := time.Now().Add(3 * time.Second)
			x := Prepared{plan: &Plan{}, startAt: at, session: &Session{Environment: Environment{Observer: sleepy{asleep: c.asleep}}}}
			late, err := x.await(t.Context())
			if err != nil || late != c.late {
				t.Errorf("asleep for %v: late by %v, %v, want %v", c.asleep, late, err, c.late)
			}
		})
	}
}

func TestAScheduleDoesNotMoveWithItsProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := Prepared{startAt: time.Now().Add(time.Second)}
		if lead := x.lead(); lead != time.Second {
			t.Errorf("a second ahead: %v", lead)
		}
		time.Sleep(3 * time.Second)
		if lead := x.lead(); lead != -2*time.Second {
			t.Errorf("2 s behind: %v, want what was due meanwhile to be late", lead)
		}
	})
}
