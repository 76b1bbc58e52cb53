package analysis

import (
	"slices"
	"strings"

	"github.com/perfctl/perfctl/internal/metrics"
)

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

// groupOf returns the group that a series belongs to, empty for none. The
// generator's own series belong to none: its health is judged elsewhere.
func groupOf(s *metrics.Series) string {
	name := s.Name
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(name, p) })
	}
	switch {
	case strings.HasPrefix(name, "generator_"):
		return ""
	case s.Kind == metrics.KindTrend && s.Unit == metrics.UnitTime:
		switch {
		case name == "db_pool_wait":
			return GroupPoolWait
		case latencies[name]:
			return GroupLatency
		}
	case has("hit_ratio"):
		return GroupHitRatio
	case s.Kind != metrics.KindGauge:
	case s.Unit == metrics.UnitBytes && has("memory", "rss", "heap") && !has("limit", "max", "total", "watermark"):
		return GroupMemory
	case s.Unit == metrics.UnitCount && has("queue_length", "queued", "messages_ready", "unacked", "unacknowledged", "backlog"):
		return GroupQueue
	// http_connections counts those ever opened.
	case s.Unit == metrics.UnitCount && has("connections", "pool_size", "clients", "channels", "open_files") &&
		!has("max", "limit") && name != "http_connections":
		return GroupConnections
	}
	return ""
}

// latencies are the times that a target's slowing down shows in.
var latencies = map[string]bool{
	metrics.ResponseTime.Name: true, "rabbitmq_publish_latency": true, "rabbitmq_consume_latency": true,
	"agent_task_latency": true, "db_query_duration": true, "db_transaction_duration": true, "voting_latency": true,
	"redis_command_duration": true, "http_req_duration": true,
}
