// Package tasks is the scenario of an orchestrator that hands tasks to agents
// over RabbitMQ: an arrival publishes one task and is done at the broker's
// confirm; built-in agents consume, work and acknowledge. It accounts for
// every task at the end. How RabbitMQ is reached lives in targets/rabbitmq,
// when arrivals come in the engine.
package tasks

import (
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/rabbitmq"
)

// Definition describes the scenario.
func Definition() scenarios.Definition {
	return scenarios.Definition{
		Name:     "tasks",
		Summary:  "publishes one task to RabbitMQ and is done at the broker's confirm; built-in agents consume, work for a while and acknowledge, or your own agents reply",
		Targets:  []targets.Kind{targets.RabbitMQ},
		Settings: settings(),
		Metrics: []metrics.Desc{
			publishLatency, consumeLatency, ackLatency, taskLatency, waitTime,
			queueLength, availability, busyAgents, prefetchGauge,
			published, confirmedCount, nackedCount, returnedCount, unknownCount,
			processedCount, duplicatedCount, redeliveredCount, unexpectedCount, lateCount,
			rabbitmq.Reconnects, reconnectTime, rabbitmq.BlockedTime,
		},
		Weigh: weighTasks,
		New:   func(env scenarios.Env) (scenarios.Scenario, error) { return newScenario(env) },
	}
}

// The names of the settings.
const (
	keyAgents       = "agents"
	keyPrefetch     = "prefetch"
	keyWorkTime     = "work_time"
	keyDistribution = "work_distribution"
	keyBodySize     = "body_size"
	keyQueueType    = "queue_type"
	keyPersistent   = "persistent"
	keyPriorities   = "priorities"
	keyConnections  = "connections"
	keyChannels     = "channels"
	keyTimeout      = "confirm_timeout"
	keySettle       = "settle"

	keyExchange      = "exchange"
	keyRoutingKey    = "routing_key"
	keyBody          = "body"
	keyContentType   = "content_type"
	keyReplyQueue    = "reply_queue"
	keyReplyExchange = "reply_exchange"
	keyReplyKey      = "reply_key"
	keyReplyID       = "reply_id"
	keyReplyTimeout  = "reply_timeout"
	keyWatchQueue    = "watch_queue"
)

func settings() []scenarios.Option {
	return append([]scenarios.Option{
		{Key: keyAgents, Default: "20", Type: scenarios.IntOr{Int: scenarios.Int{Min: 1, Max: 2000}, Word: external},
			Help: "number of built-in agents, each one consumer on one channel, working on one task at a time; or external: the agents are yours, tasks go to your exchange and their replies are timed"},
		{Key: keyPrefetch, Default: "20", Type: scenarios.Int{Min: 1, Max: 2000},
			Help: "number of tasks that the broker hands to an agent ahead of its work; the SLA table asks for 10 to 100"},
		{Key: keyWorkTime, Default: "5ms", Type: scenarios.Duration{Min: 0, Max: time.Hour}, PerStage: true,
			Help: "mean time that an agent works on a task, a duration; the agent waits, it burns no CPU"},
		{Key: keyDistribution, Default: "constant", Type: scenarios.Enum{"constant", "exponential", "uniform", "lognormal"},
			Help: "how work times are spread around work_time: all equal, exponential, uniform from 0 to twice the mean, or lognormal (one in a hundred takes more than six times the mean)"},
		{Key: keyBodySize, Default: "256", Type: scenarios.Int{Min: prefixSize, Max: 1 << 20}, PerStage: true,
			Help: "size of a task's message, in bytes"},
		{Key: keyQueueType, Default: "classic", Type: scenarios.Enum{"classic", "quorum"},
			Help: "type of the queue, which is always durable"},
		{Key: keyPersistent, Default: "true", Type: scenarios.Bool{},
			Help: "whether the broker keeps tasks on disk"},
		{Key: keyPriorities, Default: "0", Type: scenarios.Int{Min: 0, Max: 9},
			Help: "highest priority of a task, drawn evenly from 0 on; 0 makes a queue without priorities (classic queues only)"},
		{Key: keyConnections, Default: "0", Type: scenarios.Int{Min: 0, Max: 256},
			Help: "number of connections that publish, and as many that consume; 0 means one for each CPU that perfctl may use"},
		{Key: keyChannels, Default: "8", Type: scenarios.Int{Min: 1, Max: 500},
			Help: "number of channels on each publishing connection; fewer arrivals in flight on a channel keep its confirms cheap"},
		{Key: keyTimeout, Default: "10s", Type: scenarios.Duration{Min: 10 * time.Millisecond, Max: time.Hour},
			Help: "how long an arrival waits for its confirm, a duration"},
		{Key: keySettle, Default: "5s", Type: scenarios.Duration{Min: 100 * time.Millisecond, Max: time.Hour},
			Help: "how long the drain waits, a duration, with the queue empty and every agent idle, for confirmed tasks that are still missing"},
	}, externalSettings()...)
}

// externalSettings are those that hold for external agents alone.
func externalSettings() []scenarios.Option {
	return []scenarios.Option{
		{Key: keyExchange, Type: scenarios.Text{},
			Help: "external agents: your exchange that tasks are published to; empty for the default exchange, where routing_key names the queue"},
		{Key: keyRoutingKey, Type: scenarios.Text{},
			Help: "external agents: routing key of the tasks"},
		{Key: keyBody, Default: defaultBody, Type: scenarios.Text{Valid: validBody}, PerStage: true,
			Help: "external agents: body of a task, in which " + fieldNames() + " stand for the task's own; {{fill}} brings the body to about body_size bytes"},
		{Key: keyContentType, Default: jsonType, Type: scenarios.Text{},
			Help: "external agents: content type of the tasks; a body that is to be JSON is checked before the run"},
		{Key: keyReplyQueue, Type: scenarios.Text{},
			Help: "external agents: your queue that replies arrive in, from which perfctl takes every message; empty for a queue of the run's own, whose name each task carries as reply_to"},
		{Key: keyReplyExchange, Type: scenarios.Text{},
			Help: "external agents: your exchange that the run's own reply queue is bound to, where agents do not heed reply_to"},
		{Key: keyReplyKey, Default: "#", Type: scenarios.Text{},
			Help: "external agents: key by which the reply queue is bound to reply_exchange"},
		{Key: keyReplyID, Default: idProperty, Type: scenarios.Text{Valid: validReplyID},
			Help: "external agents: where a reply carries the id of its task: correlation_id, message_id, or body.FIELD of a JSON body, as in body.task_id or body.task.id"},
		{Key: keyReplyTimeout, Default: "10s", Type: scenarios.Duration{Min: 10 * time.Millisecond, Max: time.Hour},
			Help: "external agents: time from when a task was due after which its reply is late; the drain waits as long for replies"},
		{Key: keyWatchQueue, Type: scenarios.Text{},
			Help: "external agents: queue whose length is rabbitmq_queue_length; empty for routing_key where the default exchange is used"},
	}
}

// The scenario's metrics.
var (
	publishLatency = metrics.Desc{Name: "rabbitmq_publish_latency", Kind: metrics.KindTrend, Unit: metrics.UnitTime, Role: metrics.RoleLatency, Part: "the broker",
		Help: "from when a task was due until the broker's confirm of its message arrived; confirmed tasks only"}
	consumeLatency = metrics.Desc{Name: "rabbitmq_consume_latency", Kind: metrics.KindTrend, Unit: metrics.UnitTime, Role: metrics.RoleLatency,
		Help: "from just before a task's message was written to the socket until an agent received it; its wait behind the agent's other tasks not included; first deliveries only"}
	ackLatency = metrics.Desc{Name: "rabbitmq_ack_latency", Kind: metrics.KindTrend, Unit: metrics.UnitTime,
		Help: "from when an agent received a task until its acknowledgement was written to the socket: wait and work included"}
	taskLatency = metrics.Desc{Name: "agent_task_latency", Kind: metrics.KindTrend, Unit: metrics.UnitTime, Role: metrics.RoleDone,
		Help: "from when a task was due until an agent had processed it and written the acknowledgement, or, with external agents, until its reply arrived; each task once"}
	waitTime = metrics.Desc{Name: "agent_wait_time", Kind: metrics.KindTrend, Unit: metrics.UnitTime, Part: "the agents that consume tasks",
		Help: "from when an agent received a task until it began to work on it: the wait behind the tasks that were prefetched before"}
	queueLength = metrics.Desc{Name: "rabbitmq_queue_length", Kind: metrics.KindGauge, Unit: metrics.UnitCount, Role: metrics.RoleBacklog,
		Help: "tasks in the queue that no agent holds yet, by passive declare"}
	availability = metrics.Desc{Name: "agent_availability", Kind: metrics.KindGauge, Unit: metrics.UnitRatio, Role: metrics.RoleIdle, Part: "the agents that consume tasks",
		Help: "share of the agents' time since the last reading in which they were connected and idle"}
	busyAgents = metrics.Desc{Name: "agents_busy", Kind: metrics.KindGauge, Adds: true, Unit: metrics.UnitCount,
		Help: "agents at work, averaged over the time since the last reading"}
	prefetchGauge = metrics.Desc{Name: "rabbitmq_prefetch", Kind: metrics.KindGauge, Unit: metrics.UnitCount,
		Help: "tasks that the broker may hand to an agent ahead of its work"}

	published      = counter("tasks_published", "tasks written to a connection")
	confirmedCount = counter("tasks_confirmed", "tasks that the broker confirmed and did not return")
	nackedCount    = counter("tasks_nacked", "tasks that the broker refused")
	returnedCount  = counter("tasks_returned", "tasks that the broker returned because no queue took them")
	unknownCount   = counter("tasks_unknown", "tasks published whose outcome is unknown: the connection was lost, or no confirm came in time")
	processedCount = counter("tasks_processed", "tasks that an agent processed and acknowledged, each counted once")

	duplicatedCount  = counter("tasks_duplicated", "tasks processed once more after they had been processed already")
	redeliveredCount = counter("tasks_redelivered", "deliveries that the broker marked as made before").As(metrics.RoleRetries)
	unexpectedCount  = counter("tasks_unexpected", "messages received that this run never published")
	lateCount        = counter("tasks_late", "replies of external agents that came after reply_timeout")

	reconnectTime = metrics.Desc{Name: "rabbitmq_reconnect_time", Kind: metrics.KindTrend, Unit: metrics.UnitTime,
		Help: "from when the loss of a connection was noticed until it was replaced and its channels stood again"}
)

func counter(name, help string) metrics.Desc {
	return metrics.Desc{Name: name, Kind: metrics.KindCounter, Unit: metrics.UnitCount, Help: help}
}
