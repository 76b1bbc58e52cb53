// Package configs holds the built-in files, embedded into the binary; it reads
// none of them.
package configs

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
)

//go:embed profiles sla.yaml examples/perfctl.yaml examples/profile.yaml examples/profile-users.yaml examples/sla.yaml examples/flow-*.yaml examples/requests.yaml
var files embed.FS

// order is that of the guide: what most people want first.
var order = []string{"load", "spike", "soak", "resilience", "smoke", "tasks", "voting", "crud", "cache"}

// Profiles returns the names of the built-in profiles.
func Profiles() []string { return slices.Clone(order) }

// Profile returns the file of a built-in profile, and the name by which messages
// may call that file. A name that Profiles does not return is an error that
// wraps fs.ErrNotExist.
func Profile(name string) (file string, data []byte, err error) {
	if !slices.Contains(order, name) {
		return "", nil, fmt.Errorf("no built-in profile is named %q: %w", name, fs.ErrNotExist)
	}
	file = "profiles/" + name + ".yaml"
	if data, err = files.ReadFile(file); err != nil {
		return "", nil, fmt.Errorf("reading the built-in profile %s: %w", name, err)
	}
	return "configs/" + file, data, nil
}

// SLA returns the file of the built-in SLA tables, and the name by which
// messages may call it.
func SLA() (file string, data []byte, err error) {
	if data, err = files.ReadFile("sla.yaml"); err != nil {
		return "", nil, fmt.Errorf("reading the built-in SLA tables: %w", err)
	}
	return "configs/sla.yaml", data, nil
}

// Starters returns the names of the files that a user starts from.
func Starters() []string {
	return append([]string{"perfctl.yaml", "profile.yaml", "profile-users.yaml", "sla.yaml"}, Flows()...)
}

// Flows returns the names of those that describe what an arrival does.
func Flows() []string {
	return []string{"flow-orchestrator.yaml", "flow-http.yaml", "flow-events.yaml", "flow-sql.yaml", "flow-transaction.yaml", "flow-transfer.yaml", "flow-redis.yaml", "flow-messages.yaml", "flow-control.yaml", "requests.yaml"}
}

// Starter returns one of them.
func Starter(name string) ([]byte, error) {
	data, err := files.ReadFile("examples/" + name)
	if err != nil {
		return nil, fmt.Errorf("reading the example %s: %w", name, err)
	}
	return data, nil
}
