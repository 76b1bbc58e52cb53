package cli

import (
	"fmt"
	"os"

	"github.com/perfctl/perfctl/internal/exitcode"
)

// openFailures opens the file that --log-failures names, to add to it.
func openFailures(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, exitcode.ConfigError(fmt.Errorf("--log-failures: %w", err))
	}
	return f, nil
}
