package cli

import (
	"errors"
	"fmt"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/faults"
	"github.com/perfctl/perfctl/internal/profiles"
)

// parseFaults reads what --fault breaks.
func parseFaults(list []string) (out []faults.Fault, err error) {
	var errs []error
	for _, text := range list {
		f, err := faults.Parse(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("--%w", err))
			continue
		}
		f.Place = "--fault " + text
		out = append(out, f)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, exitcode.UsageError("%w", err)
	}
	return out, nil
}

// scaleFaults scales the times of faults as those of stages are.
func scaleFaults(list []faults.Fault, scale float64) {
	for i := range list {
		list[i] = profiles.ScaleFault(list[i], scale)
	}
}
