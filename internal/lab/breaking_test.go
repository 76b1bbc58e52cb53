package lab

import (
	"context"
	"testing"
	"time"
)

func TestAServerIsPausedKilledAndStartedAgain(t *testing.T) {
	l := startOnly(t, Redis)
	s, err := l.server(Redis)
	if err != nil {
		t.Fatal(err)
	}
	answers := func(within time.Duration) error {
		ctx, cancel := context.WithTimeout(t.Context(), within)
		defer cancel()
		return s.ready(ctx)
	}
	if err := l.Pause(Redis); err != nil {
		t.Fatal(err)
	}
	if answers(200*time.Millisecond) == nil {
		t.Error("a paused server answers")
	}
	if err := l.Resume(Redis); err != nil {
		t.Fatal(err)
	}
	if err := answers(20 * time.Second); err != nil {
		t.Errorf("it does not go on: %v", err)
	}
	for name, end := range map[string]func(context.Context, string) error{"kill": l.Kill, "end": l.End} {
		before := s.Pid
		if err := end(t.Context(), Redis); err != nil {
			t.Fatal(err)
		}
		if answers(time.Second) == nil {
			t.Errorf("%s: the server is still there", name)
		}
		if err := l.Revive(t.Context(), Redis); err != nil {
			t.Fatal(err)
		}
		if err := answers(20 * time.Second); err != nil || s.Pid == before {
			t.Errorf("%s: it is not there again (process %d, then %d): %v", name, before, s.Pid, err)
		}
	}
	if err := l.Pause(Redis); err != nil { // a paused server is taken down as well
		t.Fatal(err)
	}
	if err := l.Pause(Postgres); err == nil {
		t.Error("a service that is not in the lab is paused")
	}
}

// startOnly starts one service, with a disk of its own where it is in bounded, and takes it down when the test is over.
func startOnly(t *testing.T, service string, bounded ...string) *Lab {
	t.Helper()
	needServers(t)
	dir := openFolder(t)
	l, err := Start(t.Context(), Options{Services: []string{service}, Bounded: bounded, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second) // it is paused, and killed then
		defer cancel()
		if err := l.Stop(ctx); err != nil {
			t.Error(err)
		}
		if rest := inFolder(t, dir); len(rest) > 0 {
			t.Errorf("what is left: %v", rest)
		}
	})
	return l
}
