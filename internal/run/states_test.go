package run

import (
	"testing"

	"github.com/perfctl/perfctl/internal/engine/health"
	"github.com/perfctl/perfctl/internal/rundir"
)

// What the self-check says is what summary.json and every view know.
func TestTheStatesOfTheGeneratorAreOne(t *testing.T) {
	for said, known := range map[health.Status]string{
		health.Valid: rundir.GeneratorValid, health.Suspect: rundir.GeneratorSuspect, health.Invalid: rundir.GeneratorInvalid,
	} {
		if string(said) != known {
			t.Errorf("the self-check says %q, summary.json %q", said, known)
		}
	}
}
