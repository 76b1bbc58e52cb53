package troubleshooting

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the page")

const file = "../../../docs/troubleshooting.md"

func TestThePageIsWhatTheProgramKnows(t *testing.T) {
	if *update {
		if err := os.WriteFile(file, []byte(Page()), 0o644); err != nil { //nolint:gosec // a page for everybody
			t.Fatal(err)
		}
	}
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(page) != Page() {
		t.Error("docs/troubleshooting.md is not what the program knows; run: go test ./internal/targets/troubleshooting -update")
	}
}

func TestEveryCauseHasAStepOfItsOwn(t *testing.T) {
	for _, sign := range []string{"28P01", "3D000", "42P05", "MOVED", "NOAUTH", "WRONGPASS", "PRECONDITION_FAILED", "RESOURCE_LOCKED", "certificate has expired", "connection refused"} {
		if !strings.Contains(Page(), sign) {
			t.Errorf("the page lacks %s", sign)
		}
	}
	for line := range strings.Lines(Page()) {
		if strings.HasPrefix(line, "|") && (strings.Contains(line, "|  |") || strings.Contains(line, "look at the server's log |")) {
			t.Errorf("a cause has no step of its own: %s", line)
		}
	}
}
