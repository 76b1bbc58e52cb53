// Package scenariotest makes the checks of a scenario in tests, as a run makes them.
package scenariotest

import (
	"context"
	"errors"

	"github.com/perfctl/perfctl/internal/scenarios"
)

// CheckWhole makes the checks of a run of one process.
func CheckWhole(ctx context.Context, s scenarios.Accountant, weigh func(*scenarios.Account) (scenarios.Weighed, error)) ([]scenarios.Check, error) {
	a, err := s.Account(ctx)
	if a == nil {
		return nil, err
	}
	w, wrong := weigh(a)
	return w.Checks, errors.Join(err, wrong)
}
