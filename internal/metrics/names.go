package metrics

// Standard returns the metrics that every run has, whatever its scenarios.
func Standard() []Desc {
	return []Desc{ResponseTime, ServiceTime, SessionDuration, SessionPause, ScheduleLag, DispatchLag, FailureTime, Arrivals, ArrivalsStarted,
		ArrivalsSucceeded, ArrivalsFailed, ArrivalsDropped, ArrivalsUnfinished, InFlight, Queued, Users}
}

// The metrics that every run has, whatever its scenarios.
var (
	// ResponseTime is what SLAs judge.
	ResponseTime = Desc{Name: "response_time", Kind: KindTrend, Unit: UnitTime, Role: RoleLatency,
		Help: "from when an arrival was due until it was done, its own pauses left out, successes only; dropped, timed-out and unfinished arrivals count in its tail"}
	// ServiceTime is what the target did, seen alone.
	ServiceTime = Desc{Name: "service_time", Kind: KindTrend, Unit: UnitTime,
		Help: "from when a worker started an arrival until it was done, its own pauses left out, successes only"}
	// SessionDuration is what a user of the system spends, pauses included.
	SessionDuration = Desc{Name: "session_duration", Kind: KindTrend, Unit: UnitTime,
		Help: "from when an arrival was due until it was done, its own pauses included, successes only; of arrivals that pause"}
	// SessionPause is what an arrival pauses of its own will.
	SessionPause = Desc{Name: "session_pause", Kind: KindTrend, Unit: UnitTime,
		Help: "how long an arrival paused of its own will, as between two pages; of arrivals that pause, successes only"}
	// ScheduleLag is how late arrivals were started.
	ScheduleLag = Desc{Name: "schedule_lag", Kind: KindTrend, Unit: UnitTime,
		Help: "from when an arrival was due until a worker started it: waiting for a free worker included"}
	// DispatchLag is the generator's own lateness.
	DispatchLag = Desc{Name: "generator_dispatch_lag", Kind: KindTrend, Unit: UnitTime, Of: OfGenerator,
		Help: "from when an arrival was due until it started, or, where no worker was free, until it was queued: the generator's own lateness, no target in it"}
	// FailureTime keeps failed arrivals out of the success trends.
	FailureTime = Desc{Name: "failure_time", Kind: KindTrend, Unit: UnitTime,
		Help: "from when an arrival was due until it failed, its own pauses left out"}

	// ArrivalsStarted counts arrivals that a worker began.
	ArrivalsStarted = Desc{Name: "arrivals_started", Kind: KindCounter, Unit: UnitCount, Of: OfArrivals, Help: "arrivals that a worker began to execute"}
	// ArrivalsSucceeded counts arrivals done without an error.
	ArrivalsSucceeded = Desc{Name: "arrivals_succeeded", Kind: KindCounter, Unit: UnitCount, Of: OfArrivals, Help: "arrivals done without an error"}
	// ArrivalsFailed counts arrivals done with an error, by kind as outcome.
	ArrivalsFailed = Desc{Name: "arrivals_failed", Kind: KindCounter, Unit: UnitCount, Of: OfArrivals, Help: "arrivals done with an error; the outcome tag is its kind"}
	// ArrivalsDropped counts arrivals that were due and never started, by
	// reason as outcome.
	ArrivalsDropped = Desc{Name: "arrivals_dropped", Kind: KindCounter, Unit: UnitCount, Of: OfArrivals, Help: "arrivals that were due and never started; the outcome tag is the reason"}
	// ArrivalsUnfinished counts arrivals still not done at the end.
	ArrivalsUnfinished = Desc{Name: "arrivals_unfinished", Kind: KindCounter, Unit: UnitCount, Of: OfArrivals, Help: "arrivals started and not done at the end of the graceful stop"}
	// Arrivals counts what came due.
	Arrivals = Desc{Name: "arrivals", Kind: KindCounter, Unit: UnitCount, Of: OfArrivals, Help: "arrivals that came due"}
	// InFlight is the number of arrivals being executed.
	InFlight = Desc{Name: "arrivals_in_flight", Kind: KindGauge, Adds: true, Unit: UnitCount, Of: OfArrivals, Help: "arrivals started and not done"}
	// Users is the number of users of closed stages.
	Users = Desc{Name: "users", Kind: KindGauge, Adds: true, Unit: UnitCount, Help: "users of a closed stage that are there"}
	// Queued is the number of arrivals waiting for a worker.
	Queued = Desc{Name: "arrivals_queued", Kind: KindGauge, Adds: true, Unit: UnitCount, Of: OfArrivals, Role: RoleQueue, Help: "arrivals due and waiting for a free worker"}
)

// Metrics that one room records and another one asks for by name.
var (
	// StepDuration is the time of one step of a flow: what k6 calls a group.
	StepDuration = Desc{Name: "flow_step_duration", Kind: KindTrend, Unit: UnitTime, Role: RoleStep,
		Help: "from when a step began until its answer was read, successes only; a consuming step begins to wait when its turn comes, though the message may have come before"}
	// FaultFirstError is when a fault was first felt.
	FaultFirstError = Desc{Name: "fault_first_error", Kind: KindGauge, Unit: UnitSeconds,
		Help: "from the beginning of a fault until the first arrival after it failed; the operation is its name"}
	// Replicas is how many instances of a program serve; the operation is its name.
	Replicas = Desc{Name: "replicas", Kind: KindGauge, Unit: UnitCount, Help: "instances of a program that serve, as --replicas reads them"}
	// ReplicaLoad is 1 where all instances of a program have the same load.
	ReplicaLoad = Desc{Name: "replica_load_ratio", Kind: KindGauge, Unit: UnitRatio,
		Help: "load of the busiest instance of a program as a multiple of the mean of all, over the last seconds: 1 is even"}
)
