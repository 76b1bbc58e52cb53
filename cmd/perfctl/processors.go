package main

import "github.com/perfctl/perfctl/internal/engine"

// processors returns how many processors the engine is to work with; 0, which
// leaves the runtime alone, where the user set GOMAXPROCS.
func (w *world) processors(p *plan) int {
	if _, set := w.lookupEnv("GOMAXPROCS"); set {
		return 0
	}
	return engine.Processors(p.schedule.MaxRate() / float64(p.shards))
}
