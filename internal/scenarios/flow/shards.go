package flow

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/scenarios/request"
	"github.com/perfctl/perfctl/internal/scenarios/template"
)

// made is what the set-up's steps left for every arrival, whichever shard's it is.
type made struct {
	Vars    []variable            `json:"vars"`
	Cookies []request.CookieGroup `json:"cookies"`
}

// variable is a value that was captured.
type variable struct {
	Sort template.Sort `json:"sort"`
	Text []byte        `json:"text"`
}

// Shares says that the steps of the set-up and the teardown are executed once for all
// shards.
func (s *scenario) Shares() string {
	if len(s.program.setup) > 0 || len(s.program.teardown) > 0 {
		return "its set-up and teardown"
	}
	return ""
}

// HandOver returns what the set-up captured.
func (s *scenario) HandOver() ([]byte, error) {
	m := made{Cookies: s.cookies.Groups()}
	for _, v := range s.lasting {
		m.Vars = append(m.Vars, variable{v.Sort, v.Text})
	}
	return json.Marshal(m)
}

// Join uses what the set-up of the first shard captured.
func (s *scenario) Join(ctx context.Context, given []byte) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	var m made
	if err := json.Unmarshal(given, &m); err != nil {
		return fmt.Errorf("what the first shard's setup captured: %w", err)
	}
	if len(m.Vars) != s.program.lasting {
		return fmt.Errorf("the first shard's setup captured %d variables, and this file's captures %d: give all shards the same file", len(m.Vars), s.program.lasting)
	}
	for _, v := range m.Vars {
		s.lasting = append(s.lasting, template.Value{Sort: v.Sort, Text: v.Text})
	}
	if len(m.Cookies) > 0 {
		s.cookies = request.CookiesOf(m.Cookies)
	}
	return s.open(ctx)
}

// queuesOf leads the names of the queues of the run's own. Each shard has its own: what
// comes to one answers what its arrivals sent.
func queuesOf(env *scenarios.Env) string {
	if env.Plan.Sharded() {
		return env.RunID + "." + strconv.Itoa(env.Plan.Shard)
	}
	return env.RunID
}

// divisible refuses to wait for particular messages of one queue in several shards: each
// message comes to one of them, and not to the one whose arrival waits for it.
func divisible(plan *scenarios.Plan, inboxes []*inboxSpec) error {
	for _, sp := range inboxes {
		if plan.Sharded() && sp.queue != "" && sp.match != nil {
			return fmt.Errorf("%s: the shards of a run share the queue %s, and a message that an arrival of one of them matches may come to another: let the answers come to an own_queue, which each shard has for itself",
				sp.pos, sp.queue)
		}
	}
	return nil
}
