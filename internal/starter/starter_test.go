package starter_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/perfctl/perfctl/configs"
	"github.com/perfctl/perfctl/internal/schema"
	"github.com/perfctl/perfctl/internal/starter"
)

// A file that is there is left as it is, and said to be kept; all others are written.
func TestExamplesLeaveWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	mine := filepath.Join(dir, configs.Starters()[0])
	if err := os.WriteFile(mine, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	kept, wrote := 0, 0
	f := starter.Folder{Dir: dir, Wrote: func(_ string, was bool) {
		if was {
			kept++
		} else {
			wrote++
		}
	}}
	if err := f.Examples([]byte("{}")); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(mine); err != nil || string(got) != "mine" {
		t.Errorf("the user's file is now %q, %v", got, err)
	}
	if kept != 1 || wrote != len(configs.Starters()) {
		t.Errorf("%d kept and %d written, want 1 and %d", kept, wrote, len(configs.Starters()))
	}
	if got, err := os.ReadFile(filepath.Join(dir, schema.File)); err != nil || string(got) != "{}" {
		t.Errorf("the schema is %q, %v", got, err)
	}
}
