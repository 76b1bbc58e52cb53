package outputs

import (
	"context"
	"os"

	"github.com/perfctl/perfctl/internal/run"
)

// Beside opens what a run writes besides its directory and its streams, once all is
// checked. end closes it when the run is over.
func (s *Sender) Beside(ctx context.Context, failures string, env *run.Environment) (end func(), err error) {
	var log *os.File
	if failures != "" {
		if log, err = OpenFailures(failures); err != nil {
			return nil, err
		}
		env.Failures = log
	}
	end = func() {
		if log != nil {
			_ = log.Close() // what could not be written was said
		}
	}
	if s.Plan.Traces() {
		spans, err := s.Traces(ctx)
		if err != nil {
			end()
			return nil, err
		}
		env.Traces = spans
		closeLog := end
		end = func() { CloseTraces(spans, env.Observer); closeLog() }
	}
	return end, nil
}
