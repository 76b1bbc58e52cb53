// Package flow is the scenario that a file describes: steps over HTTP, PostgreSQL,
// RabbitMQ and Redis with what they must answer, no Go needed. It holds the file's
// format and its execution; how a target is reached lives in targets, what a text
// or an answer is in template and answer.
package flow

import (
	"fmt"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/scenarios/answer"
	"github.com/perfctl/perfctl/internal/scenarios/request"
	"github.com/perfctl/perfctl/internal/scenarios/template"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/httpapi"
	"github.com/perfctl/perfctl/internal/targets/postgres"
	"github.com/perfctl/perfctl/internal/targets/rabbitmq"
)

// The names of the settings.
const (
	keyFile        = "file"
	keyTimeout     = "timeout"
	keyHTTPVersion = "http_version"
	keyReuse       = "reuse"
	keyPool        = "pool_size"
	keyRedisPool   = "redis_pool_size"
	keyChannels    = "channels"
	keyPrefetch    = "prefetch"
	keyCookies     = "cookies"
)

// Definition returns the scenario's definition.
func Definition() scenarios.Definition {
	return scenarios.Definition{
		Name:    "flow",
		Summary: "walks through the steps of a file of yours (http, sql, transaction, publish, consume, redis, think, repeat, if); done when the last one is",
		Also:    kinds,
		Settings: append([]scenarios.Option{
			{Key: keyFile, Type: scenarios.File{Valid: validFile},
				Help: "the file (YAML) with the steps; perfctl init writes examples to start from"},
			{Key: keyTimeout, Default: "10s", Type: scenarios.Duration{Min: time.Millisecond, Max: 10 * time.Minute},
				Help: "bound on a step, a duration, where the step has none of its own"},
			{Key: keyHTTPVersion, Default: "1.1", Type: scenarios.Enum{"1.1", "2"},
				Help: "HTTP version; 2 without TLS is by prior knowledge"},
			{Key: keyReuse, Default: "true", Type: scenarios.Bool{},
				Help: "keep HTTP connections open between requests"},
			{Key: keyCookies, Default: cookiesArrival, Type: scenarios.Enum{cookiesArrival, cookiesNone},
				Help: "cookies that servers set are sent back within their arrival, those of the setup in every arrival; none keeps none"},
			{Key: keyPool, Default: "20", Type: scenarios.Int{Min: 1, Max: 1000},
				Help: "number of connections to PostgreSQL"},
			{Key: keyRedisPool, Default: "50", Type: scenarios.Int{Min: 1, Max: 10_000},
				Help: "number of connections to Redis"},
			{Key: keyChannels, Default: "8", Type: scenarios.Int{Min: 1, Max: 500},
				Help: "number of RabbitMQ channels that messages are published on"},
			{Key: keyPrefetch, Default: "300", Type: scenarios.Int{Min: 1, Max: 10_000},
				Help: "number of messages that the broker hands out ahead, of each queue that is consumed"},
		}, request.Settings()...),
		Fields: append(template.ArrivalFields(),
			[2]string{"turn", "how often the innermost repeat was executed before, from 0"},
			[2]string{"queue NAME", "name of the run's own queue that a consume calls NAME"},
			[2]string{"data.COLUMN", "the value of a column in the arrival's row of data"},
			[2]string{"NAME", "a variable of vars or capture"}),
		Metrics: append(append([]metrics.Desc{httpapi.FirstEvent, httpapi.EventGap, httpapi.Events, stepDuration, answer.Checks, heldMessages, unclaimed, rabbitmq.Reconnects, rabbitmq.BlockedTime},
			httpapi.Metrics()...), postgres.PoolWait, postgres.QueryDuration, postgres.TransactionDuration, postgres.Transactions, postgres.Retries, postgres.Reconnects, postgres.ReconnectDuration,
			postgres.PoolSize, postgres.PoolInUse, postgres.PoolIdle, postgres.PoolMax, postgres.PoolWaiting, postgres.PoolUtilisation),
		New: func(e scenarios.Env) (scenarios.Scenario, error) { return newScenario(e) },
	}
}

// The values of the setting cookies.
const (
	cookiesArrival = "arrival"
	cookiesNone    = "none"
)

var (
	stepDuration = metrics.StepDuration
	heldMessages = metrics.Desc{Name: "flow_messages_held", Kind: metrics.KindGauge, Adds: true, Unit: metrics.UnitCount,
		Help: "messages that were consumed and that no arrival has asked for yet"}
	unclaimed = metrics.Desc{Name: "flow_messages_unclaimed", Kind: metrics.KindCounter, Unit: metrics.UnitCount,
		Help: "messages that no arrival had asked for within a minute, or before 100,000 newer ones: strangers', late or sent twice"}
)

// validFile reads the file, so that its faults are found before anything is
// reached.
func validFile(path string) error {
	_, err := load(path, blank())
	return err
}

// kinds returns the targets that the file's steps need.
func kinds(v *scenarios.Values) []targets.Kind {
	p, err := load(v.Text(0, keyFile), blank())
	if err != nil {
		return nil // New reports it
	}
	return p.kinds
}

// load reads a file.
func load(path string, f *parser) (*program, error) {
	if path == "" {
		return nil, fmt.Errorf("flow.%s: the scenario needs a file with its steps, as in --set flow.file=flow.yaml", keyFile)
	}
	data, err := scenarios.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return f.parse(path, data)
}
