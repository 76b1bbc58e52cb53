package tasks

import (
	"fmt"
	"math"
	"runtime"
	"strconv"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/scenarios"
)

// config holds the scenario's settings, read.
type config struct {
	agents, prefetch      int
	connections, channels int
	priorities            int
	timeout, settle       time.Duration
	distribution          string
	queueArgs             amqp.Table
	mode                  uint8
	// bodySize and workTime hold one value for each stage.
	bodySize []int
	workTime []time.Duration
	maxBody  int
	// external is nil for built-in agents.
	external *externalConfig
}

func readConfig(v *scenarios.Values, stages int) (config, error) {
	c := config{
		agents: v.Int(0, keyAgents), prefetch: v.Int(0, keyPrefetch),
		connections: v.Int(0, keyConnections), channels: v.Int(0, keyChannels),
		priorities: v.Int(0, keyPriorities),
		timeout:    v.Duration(0, keyTimeout), settle: v.Duration(0, keySettle),
		distribution: v.Text(0, keyDistribution),
		queueArgs:    amqp.Table{amqp.QueueTypeArg: v.Text(0, keyQueueType)},
		mode:         amqp.Transient,
	}
	if c.connections == 0 {
		c.connections = runtime.GOMAXPROCS(0)
	}
	if v.Bool(0, keyPersistent) {
		c.mode = amqp.Persistent
	}
	quorum := v.Text(0, keyQueueType) == amqp.QueueTypeQuorum
	switch {
	case quorum && c.priorities > 0:
		return c, fmt.Errorf("tasks.%s: a quorum queue takes no highest priority; use %s classic, or 0", keyPriorities, keyQueueType)
	case quorum && c.mode != amqp.Persistent:
		return c, fmt.Errorf("tasks.%s: a quorum queue keeps every task on disk; use %s classic, or true", keyPersistent, keyQueueType)
	case c.priorities > 0:
		c.queueArgs["x-max-priority"] = int32(c.priorities)
	}
	if v.Text(0, keyAgents) == external {
		// What consumes is the replies' consumers: one on each connection.
		c.agents, c.queueArgs = c.connections, amqp.Table{amqp.QueueTypeArg: amqp.QueueTypeClassic}
	}
	for stage := range max(stages, 1) {
		c.bodySize = append(c.bodySize, v.Int(stage, keyBodySize))
		c.workTime = append(c.workTime, v.Duration(stage, keyWorkTime))
		c.maxBody = max(c.maxBody, c.bodySize[stage])
	}
	var err error
	c.external, err = readExternal(v, &c)
	return c, err
}

// The random streams of a task.
const (
	streamWork = 0x7461736b01
	streamPrio = 0x7461736b02
)

// logSigma is the deviation of the logarithm of lognormal work times.
const logSigma = 1.0

// priorityOf returns the arrival's priority, drawn evenly from 0 to the
// highest.
func (c *config) priorityOf(a *work.Arrival) uint8 {
	if c.priorities == 0 {
		return 0
	}
	return uint8(a.Random(streamPrio) % uint64(c.priorities+1))
}

// workOf returns how long an agent works on arrival k of the stage: a pure
// function of the seed and k.
func (c *config) workOf(seed uint64, k int64, stage int) time.Duration {
	mean := c.workTime[min(max(stage, 0), len(c.workTime)-1)]
	u := work.Unit(work.Mix(seed, uint64(k), streamWork))
	switch c.distribution {
	case "exponential":
		// The inverse of the distribution function; 1-u is never 0.
		return time.Duration(-math.Log(1-u) * float64(mean))
	case "lognormal":
		// exp(σ·z − σ²/2) has the mean 1; z is the normal quantile of u.
		z := math.Sqrt2 * math.Erfinv(2*u-1)
		return time.Duration(math.Exp(logSigma*z-logSigma*logSigma/2) * float64(mean))
	case "uniform":
		return time.Duration(2 * u * float64(mean))
	}
	return mean
}

// queueName returns the name of the run's queue, which is all shards'. Only the replies
// of external agents come to a queue of each shard's own, which a task names: a reply
// must reach the shard that published its task.
func queueName(env *scenarios.Env, replies bool) string {
	name := queuePrefix + env.RunID
	if replies && env.Plan.Sharded() {
		name += "." + strconv.Itoa(env.Plan.Shard)
	}
	return name
}

// divide leaves this shard its part of the agents, connections and channels. There may be
// fewer agents than shards, but each shard publishes.
func (c *config) divide(plan *scenarios.Plan) {
	channels := c.connections * c.channels
	c.connections = plan.Part(c.connections)
	c.channels = max(plan.Part(channels)/c.connections, 1)
	if c.external == nil {
		c.agents = plan.Portion(c.agents)
	} else {
		c.agents = c.connections
	}
}
