package analysis

import "github.com/perfctl/perfctl/internal/metrics"

// The groups of series that are tested for a drift, as rules name them:
// drift(memory): none.
const (
	GroupLatency     = "latency"
	GroupMemory      = "memory"
	GroupConnections = "connections"
	GroupQueue       = "queue"
	GroupPoolWait    = "pool_wait"
	GroupHitRatio    = "hit_ratio"
)

// groups are those of the roles that are tested for a drift.
var groups = map[metrics.Role]string{
	metrics.RoleLatency:       GroupLatency,
	metrics.RoleDone:          GroupLatency,
	metrics.RolePoolWait:      GroupPoolWait,
	metrics.RoleMemory:        GroupMemory,
	metrics.RoleProcessMemory: GroupMemory,
	metrics.RoleQueue:         GroupQueue,
	metrics.RoleBacklog:       GroupQueue,
	metrics.RoleConnections:   GroupConnections,
	metrics.RolePoolSize:      GroupConnections,
	metrics.RoleHitRatio:      GroupHitRatio,
}

// groupOf returns the group that a series belongs to, empty for none.
func groupOf(s *metrics.Series) string { return groups[s.Role] }
