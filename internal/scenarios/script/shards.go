package script

import (
	"context"
	"encoding/json"
)

// Shares says that the script's setup and teardown are run once for all shards.
func (s *scenario) Shares() string {
	if !s.loaded.NoSetup && s.loaded.first.Has("setup") || !s.loaded.NoTeardown && s.loaded.first.Has("teardown") {
		return "its setup and teardown"
	}
	return ""
}

// HandOver returns what the script's setup returned.
func (s *scenario) HandOver() ([]byte, error) {
	if s.data == nil {
		return []byte("null"), nil
	}
	return s.data, nil
}

// Join makes the users with what the setup of the first shard returned.
func (s *scenario) Join(ctx context.Context, made []byte) error {
	s.loaded.first.Bind()
	if string(made) != "null" {
		s.data = json.RawMessage(made)
	}
	return s.open(ctx)
}

// rateOf is this shard's part of a bound on requests a second.
func (s *scenario) rateOf(whole float64) float64 { return whole / float64(max(s.env.Plan.Shards, 1)) }
