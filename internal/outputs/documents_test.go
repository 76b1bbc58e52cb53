package outputs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/perfctl/perfctl/internal/outputs"
	"github.com/perfctl/perfctl/internal/summary"
)

// A page leads to the pages that there are: a run that was killed has none.
func TestLinksLeadToPagesThatAreThere(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "whole"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "whole", "report.html"), []byte("page"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &summary.Suite{Name: "nightly", Runs: []summary.SuiteRun{{Name: "whole", Summary: &summary.Summary{}}, {Name: "killed", Summary: &summary.Summary{}}}}
	page := filepath.Join(dir, "index.html")
	if err := (&outputs.Writer{}).Suite(outputs.Output{Format: "html", Where: page}, s); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(got), `href="whole/report.html"`) || strings.Contains(string(got), "killed/report.html") || !strings.Contains(string(got), "killed") {
		t.Errorf("the page leads elsewhere:\n%s", got)
	}
}
