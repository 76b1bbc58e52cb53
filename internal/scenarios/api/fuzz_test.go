package api

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/perfctl/perfctl/internal/scenarios/data"
	"github.com/perfctl/perfctl/internal/scenarios/template"
)

// A file of requests is read or refused, whatever is in it; what was read can be sent.
func FuzzRequests(f *testing.F) {
	examples, err := filepath.Glob("../../../configs/examples/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range examples {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("requests: [{path: /, weight: 3, check: {status: 200-299}, body: '{\"a\": \"{{uuid}}\"}'}]"))
	f.Add([]byte("requests: [{path: '{{', method: \"\\x00\"}]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "requests.yaml")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		calls, err := load(path, &template.Fields{Names: &template.Names{}, Arrivals: &template.Arrivals{}}, &data.Rows{})
		if err == nil && len(calls) == 0 {
			t.Fatal("a file without requests was taken")
		}
		for _, c := range calls {
			if c.weight < 1 || c.name == "" {
				t.Fatalf("a request with weight %d and name %q was taken", c.weight, c.name)
			}
		}
	})
}
