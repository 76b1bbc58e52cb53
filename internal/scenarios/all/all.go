// Package all lists the built-in scenarios. It is the one place that imports
// them; nothing else lives here.
package all

import (
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/scenarios/api"
	"github.com/perfctl/perfctl/internal/scenarios/cache"
	"github.com/perfctl/perfctl/internal/scenarios/crud"
	"github.com/perfctl/perfctl/internal/scenarios/flow"
	"github.com/perfctl/perfctl/internal/scenarios/script"
	"github.com/perfctl/perfctl/internal/scenarios/tasks"
	"github.com/perfctl/perfctl/internal/scenarios/voting"
)

// Registry returns the registry of the built-in scenarios.
func Registry() *scenarios.Registry {
	return scenarios.NewRegistry(
		tasks.Definition(),
		voting.Definition(),
		crud.Definition(),
		cache.Definition(),
		api.Definition(),
		flow.Definition(),
		script.Definition(),
	)
}
