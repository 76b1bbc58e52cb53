package run

import (
	"context"
	"fmt"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/scenarios"
)

// Reset removes what killed runs left in the targets of the plan's scenarios, and
// nothing that perfctl did not make. removed is told of each scenario what was.
func (s *Session) Reset(ctx context.Context, p *Plan, removed func(scenario string, what []string)) error {
	ctx, stop := s.interruptible(ctx)
	defer stop()
	x, err := s.assemble(ctx, p)
	if err != nil {
		return err
	}
	var errs []error
	for i, sc := range x.scenarios {
		r, ok := sc.(scenarios.Resetter)
		if !ok {
			continue
		}
		name := p.defs[i].Name
		s.Observer.Minor(fmt.Sprintf("removing what %s left …", name))
		what, err := r.Reset(ctx)
		s.Observer.Idle()
		if err != nil {
			errs = append(errs, fmt.Errorf("reset %s: %w", name, err))
		}
		if len(what) > 0 || err == nil {
			removed(name, what)
		}
	}
	return exitcode.With(exitcode.Unreachable, joinDistinct(errs))
}
