package rundir_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/rundir"
)

func TestRunsOfOneSecondHaveDirectoriesOfTheirOwn(t *testing.T) {
	t.Chdir(t.TempDir())
	at := time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)
	for _, want := range []string{"load-20260102-150405", "load-20260102-150405-2", "load-20260102-150405-3"} {
		got := rundir.Free("load", at)
		if got != filepath.Join("runs", want) {
			t.Errorf("got %s, want runs/%s", got, want)
		}
		if err := os.MkdirAll(got, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}
