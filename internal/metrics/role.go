package metrics

// Role is what a metric is to who reads a run, whatever the metric's name: an
// analysis asks for roles, so that the metrics of a new scenario are found.
type Role string

// The roles. A metric without one is shown and judged, and no more.
const (
	// RoleLatency is a time in which the slowing down of a target shows.
	RoleLatency Role = "latency"
	// RoleQueue is a number of things that wait.
	RoleQueue Role = "queue"
	// RoleMemory is memory in use; RoleProcessMemory is that of a process that is
	// watched.
	RoleMemory        Role = "memory"
	RoleProcessMemory Role = "process_memory"
	// RoleConnections is a number of connections, channels, clients or files that
	// are open.
	RoleConnections Role = "connections"
	// RoleConnectionsOpened is a number of connections opened since the start, by a
	// client that is to keep them; RoleRequests counts what it asked over them.
	RoleConnectionsOpened Role = "connections_opened"
	RoleRequests          Role = "requests"
	// RoleReconnects is a number of connections that were lost and replaced.
	RoleReconnects Role = "reconnects"
	// RolePoolSize, RolePoolMax and RolePoolUse are the connections of a pool, as
	// many as it may have, and the share of them in use. RolePoolWait is the time
	// to get one.
	RolePoolSize Role = "pool_size"
	RolePoolMax  Role = "pool_max"
	RolePoolUse  Role = "pool_use"
	RolePoolWait Role = "pool_wait"
	// RoleHitRatio is a share of look-ups that a cache answered.
	RoleHitRatio Role = "hit_ratio"
	// RoleRetries is a number of things that were done again.
	RoleRetries Role = "retries"
	// RoleIdle is the share of workers that have nothing to do.
	RoleIdle Role = "idle"
	// RoleProcessCPU and RoleGeneratorCPU are percent of one core, of a process that
	// is watched and of the generator itself.
	RoleProcessCPU   Role = "process_cpu"
	RoleGeneratorCPU Role = "generator_cpu"
	// RoleGeneratorMemory is the generator's resident memory, RoleGeneratorPause its
	// longest stop for garbage collection.
	RoleGeneratorMemory Role = "generator_memory"
	RoleGeneratorPause  Role = "generator_pause"
	// RoleAccountKept, RoleAccountLost, RoleAccountDuplicated and RoleAccountUnknown are
	// what scenarios account for at the end: what was confirmed, what of it is not
	// there, what is there twice, and what may be there or not.
	RoleAccountKept       Role = "account_kept"
	RoleAccountLost       Role = "account_lost"
	RoleAccountDuplicated Role = "account_duplicated"
	RoleAccountUnknown    Role = "account_unknown"
	// RoleRestarts is a number of restarts of a process that is watched.
	RoleRestarts Role = "restarts"
	// RoleBacklog is a queue of what arrivals set going and nobody has done yet;
	// RoleDone is the time from when an arrival was due until that is done.
	RoleBacklog Role = "backlog"
	RoleDone    Role = "done"
	// RoleStep is the time of one step of an arrival, which the operation names.
	RoleStep Role = "step"
	// RoleBatch is the time of writing several rows at once in the way that the
	// operation names, RoleBatchRows how many rows were written so.
	RoleBatch     Role = "batch"
	RoleBatchRows Role = "batch_rows"
)

// Subject is whose figures a metric holds.
type Subject string

// The subjects. A metric without one is of a scenario or a target.
const (
	// OfArrivals is for counts of arrivals.
	OfArrivals Subject = "arrivals"
	// OfGenerator is for what perfctl says of itself.
	OfGenerator Subject = "generator"
	// OfProcess is for processes that are watched or say it of themselves.
	OfProcess Subject = "process"
)
