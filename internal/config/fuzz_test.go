package config

import (
	"os"
	"path/filepath"
	"testing"
)

// anyOption takes every option.
type anyOption struct{}

func (anyOption) Names() []string             { return []string{"seed", "out"} }
func (anyOption) Repeatable(name string) bool { return name == "out" }
func (anyOption) Set(string, string) error    { return nil }

// A configuration file is read or refused, whatever is in it.
func FuzzFile(f *testing.F) {
	f.Add([]byte("settings: {DATABASE_URL: postgres://127.0.0.1/perfctl_test}\noptions: {seed: 7}\n"))
	f.Add([]byte("scenarios: {api: {path: /health}}\nallow_targets: [stage.example]\n"))
	f.Add([]byte("settings: &a {x: *a}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "perfctl.yaml")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := ReadFile(path, anyOption{})
		if err == nil && got == nil {
			t.Fatal("neither a file nor an error")
		}
	})
}
