package run

import (
	"context"
	"fmt"
	"time"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/targets"
)

// Trial is how setting one scenario up went.
type Trial struct {
	Scenario string
	Took     time.Duration
	Err      error
}

// TrySetups sets each scenario of a plan up alone, and everything down again. found
// is told of each as it goes. It offers no load.
func (s *Session) TrySetups(ctx context.Context, p *Plan, found func(Trial)) error {
	x, err := s.assemble(ctx, p)
	if err != nil {
		return err
	}
	defer x.Close()
	var errs []error
	for i, sc := range x.scenarios {
		within, cancel := untilStalled(ctx, SetupTimeout, func() string { return howFar(x.scenarios[i : i+1]) })
		began := time.Now()
		err := sc.Setup(within)
		cancel()
		found(Trial{Scenario: p.defs[i].Name, Took: time.Since(began), Err: err})
		if err != nil {
			errs = append(errs, fmt.Errorf("set up %s: %w", p.defs[i].Name, err))
		}
	}
	return exitcode.With(exitcode.Unreachable, joinDistinct(errs))
}

// Addresses lists the targets that the plan's scenarios need, in this session.
func (s *Session) Addresses(ctx context.Context, p *Plan) ([]targets.Address, error) {
	a, err := s.addresses(ctx, p)
	if err != nil {
		return nil, err
	}
	var out []targets.Address
	for _, k := range p.targetKinds() {
		out = append(out, a.Address(k))
	}
	return out, nil
}
