package rundir

import (
	"strings"

	"github.com/perfctl/perfctl/internal/metrics"
)

// meaning is what a metric is to an analysis.
type meaning struct {
	role metrics.Role
	part string
}

// meanings are those of the metrics of runs that were recorded before run.json
// said it. It is history: what a metric is today is said where it is declared.
var meanings = map[string]meaning{
	"arrivals_queued":               {metrics.RoleQueue, ""},
	"response_time":                 {metrics.RoleLatency, ""},
	"agent_availability":            {metrics.RoleIdle, "the agents that consume tasks"},
	"agent_task_latency":            {metrics.RoleDone, ""},
	"agent_wait_time":               {"", "the agents that consume tasks"},
	"cache_backend_duration":        {"", "the back end behind the cache"},
	"cache_hit_ratio":               {metrics.RoleHitRatio, ""},
	"db_connection_pool_size":       {metrics.RolePoolSize, "the database connection pool"},
	"db_pool_max":                   {metrics.RolePoolMax, "the database connection pool"},
	"db_pool_utilisation":           {metrics.RolePoolUse, "the database connection pool"},
	"db_pool_wait":                  {metrics.RolePoolWait, "the database connection pool"},
	"db_query_duration":             {metrics.RoleLatency, "the database"},
	"db_reconnects":                 {metrics.RoleReconnects, ""},
	"db_retries":                    {metrics.RoleRetries, ""},
	"db_transaction_duration":       {metrics.RoleLatency, ""},
	"crud_batch_duration":           {metrics.RoleBatch, ""},
	"crud_rows":                     {metrics.RoleBatchRows, ""},
	"flow_step_duration":            {metrics.RoleStep, ""},
	"generator_cpu_percent":         {metrics.RoleGeneratorCPU, ""},
	"generator_gc_pause_max":        {metrics.RoleGeneratorPause, ""},
	"generator_memory_bytes":        {metrics.RoleGeneratorMemory, ""},
	"heap_used_bytes":               {metrics.RoleMemory, ""},
	"http_connections":              {metrics.RoleConnectionsOpened, ""},
	"http_req_duration":             {metrics.RoleLatency, ""},
	"http_req_waiting":              {"", "the HTTP API"},
	"http_reqs":                     {metrics.RoleRequests, ""},
	"http_retries":                  {metrics.RoleRetries, ""},
	"pg_cache_hit_ratio":            {metrics.RoleHitRatio, ""},
	"pg_connections":                {metrics.RoleConnections, ""},
	"process_cpu_percent":           {metrics.RoleProcessCPU, ""},
	"process_memory_bytes":          {metrics.RoleProcessMemory, ""},
	"process_open_files":            {metrics.RoleConnections, ""},
	"process_restarts":              {metrics.RoleRestarts, ""},
	"rabbitmq_channels":             {metrics.RoleConnections, ""},
	"rabbitmq_connections":          {metrics.RoleConnections, ""},
	"rabbitmq_consume_latency":      {metrics.RoleLatency, ""},
	"rabbitmq_memory_bytes":         {metrics.RoleMemory, ""},
	"rabbitmq_messages_ready":       {metrics.RoleQueue, ""},
	"rabbitmq_messages_redelivered": {metrics.RoleRetries, ""},
	"rabbitmq_messages_unacked":     {metrics.RoleQueue, ""},
	"rabbitmq_publish_latency":      {metrics.RoleLatency, "the broker"},
	"rabbitmq_queue_length":         {metrics.RoleBacklog, ""},
	"rabbitmq_reconnects":           {metrics.RoleReconnects, ""},
	"redis_blocked_clients":         {metrics.RoleConnections, ""},
	"redis_clients":                 {metrics.RoleConnections, ""},
	"redis_command_duration":        {metrics.RoleLatency, "the cache"},
	"redis_memory_bytes":            {metrics.RoleMemory, ""},
	"redis_memory_rss_bytes":        {metrics.RoleMemory, ""},
	"redis_memory_used_bytes":       {metrics.RoleMemory, ""},
	"redis_reconnects":              {metrics.RoleReconnects, ""},
	"tasks_redelivered":             {metrics.RoleRetries, ""},
	"voting_latency":                {metrics.RoleLatency, ""},
}

// descOf returns a metric's description as run.json, or series.ndjson, gives it.
func (r *reader) descOf(m MetricInfo) metrics.Desc {
	d := m.desc()
	was := meanings[d.Name]
	if !r.run.Info.Roles {
		d.Role, d.Part = was.role, was.part
	}
	if !r.run.Info.Subjects {
		d.Of = subjectBefore(d.Name)
		if d.Role == "" {
			d.Role = was.role
		}
	}
	return d
}

// subjectBefore is whose figures a metric held of a run that was recorded before
// run.json said it: they were told by their names.
func subjectBefore(name string) metrics.Subject {
	switch {
	case strings.HasPrefix(name, "generator_"):
		return metrics.OfGenerator
	case strings.HasPrefix(name, "process_"):
		return metrics.OfProcess
	case strings.HasPrefix(name, "arrivals"):
		return metrics.OfArrivals
	}
	return ""
}

// Program says which target a watched program is; empty where that is not known. Of a run
// that was recorded before run.json said it, its name tells Redis from others.
func (i *RunInfo) Program(name string) string {
	if i.Programs == nil && strings.Contains(name, "redis") {
		return "redis"
	}
	return i.Programs[name]
}
