package run

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/perfctl/perfctl/internal/exitcode"
)

// A generator without descriptors is no panic: it says what to raise.
func TestAGeneratorThatCannotStartSaysWhatItLacks(t *testing.T) {
	err := cannotStart(fmt.Errorf("start a pacer: %w", syscall.EMFILE))
	if exitcode.Of(err) != exitcode.Invalid || !strings.Contains(err.Error(), "ulimit -n") {
		t.Errorf("exit code %d: %v", exitcode.Of(err), err)
	}
}
