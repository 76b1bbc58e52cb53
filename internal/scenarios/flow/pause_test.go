package flow

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/targets"
)

// What an arrival pauses of its own will is noted as paused; what it waits for the
// target to do is not.
func TestPausesAreNoted(t *testing.T) {
	for name, c := range map[string]struct {
		steps        string
		took, paused time.Duration
	}{
		"think":         {"[{think: 1s}, {think: {min: 2s, max: 2s}}]", 3 * time.Second, 3 * time.Second},
		"repeat":        {"[{repeat: {times: 3, every: 200ms, steps: [{think: 1s}]}}]", 3400 * time.Millisecond, 3400 * time.Millisecond},
		"repeat, until": {"[{repeat: {times: 3, every: 200ms, until: turn == 2, steps: [{think: 1s}]}}]", 3400 * time.Millisecond, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := begin(t, &targets.Settings{}, "steps: "+c.steps)
				a := &work.Arrival{Due: tr.env.Clock.Now()}
				if err := tr.Do(t.Context(), a); err != nil {
					t.Fatal(err)
				}
				if took := tr.env.Clock.Now() - a.Due; took != c.took || a.Paused != c.paused {
					t.Errorf("it took %v and paused %v, want %v and %v", took, a.Paused, c.took, c.paused)
				}
			})
		})
	}
}
