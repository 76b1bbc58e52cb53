package run

import (
	"context"
	"errors"
	"fmt"

	"github.com/perfctl/perfctl/internal/faults/commands"
	"github.com/perfctl/perfctl/internal/lab"
)

// UndoFaults undoes the faults that killed runs left in force, and removes what their
// labs left. undone is told of each.
func UndoFaults(ctx context.Context, undone func(what string)) error {
	lab.Sweep()
	left, err := leftFaults()
	var errs []error
	for _, l := range left {
		if err := l.Mend(ctx); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", l, err))
		} else {
			undone(l.String())
		}
		l.Close()
	}
	return errors.Join(append(errs, err)...)
}

func leftFaults() ([]commands.Left, error) {
	dir, err := commands.Folder()
	if err != nil {
		return nil, nil //nolint:nilerr // without such a folder no run can have broken anything
	}
	return commands.Find(dir)
}

// warnOfFaults says what killed runs left broken.
func (s *Session) warnOfFaults() {
	left, err := leftFaults()
	if err != nil {
		return // what is not readable is no reason not to run
	}
	for _, l := range left {
		s.Observer.Warn(fmt.Sprintf("warning: %s was never undone: the run was killed; perfctl reset undoes it", l))
		l.Close()
	}
}
