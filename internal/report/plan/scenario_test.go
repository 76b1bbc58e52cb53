package plan

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/run"
)

func TestScenariosAreNoWiderThanTheTerminal(t *testing.T) {
	list, err := run.Describe()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, d := range list {
		Scenario(&b, d, true)
	}
	for _, width := range []int{60, 80, 120} {
		out := figure.Hanging(b.String(), width)
		for line := range strings.Lines(out) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > width {
				t.Errorf("%d columns at %d: %s", n, width, line)
			}
		}
		if got, want := len(strings.Fields(out)), len(strings.Fields(b.String())); got < want {
			t.Errorf("at %d: %d of %d words are left", width, got, want)
		}
	}
}
