package script

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/perfctl/perfctl/internal/scenarios/script/options"
	"github.com/perfctl/perfctl/internal/scenarios/script/vm"
)

func loadText(ctx context.Context, t *testing.T, text string, f options.Flags) (*Loaded, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "script.js")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(ctx, path, vm.Host{Lookup: func(string) (string, bool) { return "", false }}, f)
}

func TestAnEndlessLoopOutsideFunctionsIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	cancel(enough)
	if _, err := loadText(ctx, t, "while (true) {}\nexport default function () {}", options.Flags{}); !errors.Is(err, enough) {
		t.Errorf("%v, want the cause", err)
	}
}

func TestANumberThatIsNoneIsNoMissingOption(t *testing.T) {
	for text, name := range map[string]string{
		"{ vus: Number(__ENV.VUS), duration: '1s' }":                                     "vus is NaN",
		"{ scenarios: { a: { executor: 'constant-vus', vus: 1 / 0, duration: '1s' } } }": "vus is Infinity",
		"{ stages: [{ duration: '1s', target: parseInt(__ENV.PEAK) }] }":                 "target is NaN",
	} {
		_, err := loadText(t.Context(), t, "export const options = "+text+";\nexport default function () {}", options.Flags{})
		if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "-e NAME=value") {
			t.Errorf("%s: %v, want %s", text, err, name)
		}
	}
}

// The script of a run is read again when it is set up, without the user's flags.
func TestALoadThatFlagsMendedIsNoFaultLater(t *testing.T) {
	text := "export const options = { vus: 10, iterations: 3 };\nexport default function () {}"
	if _, err := loadText(t.Context(), t, text, options.Flags{VUs: 2}); err != nil {
		t.Error(err)
	}
	if _, err := loadText(t.Context(), t, text, options.Flags{Planned: true}); err != nil {
		t.Error(err)
	}
	if _, err := loadText(t.Context(), t, text, options.Flags{}); err == nil {
		t.Error("3 iterations of 10 users are no fault")
	}
}
