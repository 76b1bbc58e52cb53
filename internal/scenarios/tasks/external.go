package tasks

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/scenarios/template"
	"github.com/perfctl/perfctl/internal/targets/rabbitmq"
)

const (
	// external is the number of agents that says they are not perfctl's.
	external    = "external"
	jsonType    = "application/json"
	defaultBody = `{"task_id":"{{id}}","number":{{n}},"payload":"{{fill}}"}`
)

// Where a reply carries the id of its task.
const (
	idProperty  = "correlation_id"
	idMessage   = "message_id"
	idBodyStart = "body."
)

func validReplyID(text string) error {
	if text == idProperty || text == idMessage ||
		strings.HasPrefix(text, idBodyStart) && len(text) > len(idBodyStart) && !strings.Contains(text+".", "..") {
		return nil
	}
	return fmt.Errorf("%q is none of %s, %s and body.FIELD", text, idProperty, idMessage)
}

// externalConfig says how external agents are given tasks and reply.
type externalConfig struct {
	exchange, key, contentType          string
	replyQueue, replyExchange, replyKey string
	replyID                             string
	replyPath                           []string // of replyID in the body
	timeout                             time.Duration
	watch                               string
	bodies                              []string // for each stage
}

// readExternal reads the settings of external agents; nil where the agents are
// built in.
func readExternal(v *scenarios.Values, c *config) (*externalConfig, error) {
	e := &externalConfig{
		exchange: v.Text(0, keyExchange), key: v.Text(0, keyRoutingKey), contentType: v.Text(0, keyContentType),
		replyQueue: v.Text(0, keyReplyQueue), replyExchange: v.Text(0, keyReplyExchange), replyKey: v.Text(0, keyReplyKey),
		replyID: v.Text(0, keyReplyID), timeout: v.Duration(0, keyReplyTimeout), watch: v.Text(0, keyWatchQueue),
	}
	if v.Text(0, keyAgents) != external {
		if e.exchange != "" || e.key != "" || e.replyQueue != "" || e.replyExchange != "" {
			return nil, fmt.Errorf("tasks.%s: an exchange, a routing key and a place for replies are for external agents; set tasks.%s=%s", keyExchange, keyAgents, external)
		}
		return nil, nil
	}
	if path, ok := strings.CutPrefix(e.replyID, idBodyStart); ok {
		e.replyPath = strings.Split(path, ".")
	}
	switch {
	case e.exchange == "" && e.key == "":
		return nil, fmt.Errorf("tasks.%s: external agents need the queue, or the exchange and key, that they take tasks from", keyRoutingKey)
	case e.exchange == "" && e.key == e.replyQueue:
		return nil, fmt.Errorf("tasks.%s: %s is the queue of the tasks, from which perfctl would take them away", keyReplyQueue, e.replyQueue)
	case e.replyQueue != "" && e.replyExchange != "":
		return nil, fmt.Errorf("tasks.%s: replies come from %s or from an exchange, not both", keyReplyExchange, e.replyQueue)
	}
	if e.watch == "" && e.exchange == "" {
		e.watch = e.key
	}
	for stage := range c.bodySize {
		text := v.Text(stage, keyBody)
		b, err := compileBody(text, bodyFields{arrivals: &template.Arrivals{Run: "r"}, replyTo: "q"})
		if err != nil {
			return nil, fmt.Errorf("tasks.%s: %w", keyBody, err)
		}
		if e.contentType == jsonType {
			sample, err := b.Append(nil, &bodyValues{scope: template.Scope{Arrival: &work.Arrival{}}})
			if err != nil {
				return nil, fmt.Errorf("tasks.%s: %w", keyBody, err)
			}
			if !json.Valid(sample) {
				return nil, fmt.Errorf("tasks.%s: not JSON once its fields are filled in: %s; correct it, or set tasks.%s", keyBody, sample, keyContentType)
			}
		}
		e.bodies = append(e.bodies, text)
	}
	return e, nil
}

// outside is the state of a run with external agents.
type outside struct {
	*externalConfig
	texts []bodyText // for each stage
	times times
	// foreign counts replies that are of no task of this run, late those that
	// came too late.
	foreign, late atomic.Int64
}

func newOutside(c *config, env *scenarios.Env, queue string) (*outside, error) {
	o := &outside{externalConfig: c.external}
	arrivals := &template.Arrivals{Run: env.RunID, Clock: env.Clock, Stages: env.Plan.Stages, Setting: env.Targets.Setting}
	for stage, text := range c.external.bodies {
		b, err := compileBody(text, bodyFields{arrivals, queue, c.bodySize[stage]})
		if err != nil {
			return nil, fmt.Errorf("tasks.%s: %w", keyBody, err)
		}
		o.texts = append(o.texts, b)
	}
	return o, nil
}

// prepareOutside looks that everything of the user's is there.
func (s *scenario) prepareOutside(ctx context.Context) error {
	o := s.outside
	for _, t := range [...]struct{ what, name string }{
		{"exchange", o.exchange}, {"exchange", o.replyExchange}, {"queue", o.replyQueue}, {"queue", o.watch},
	} {
		if err := s.control.MustExist(ctx, t.what, t.name, "let your system declare it first, or correct the setting of the scenario tasks that names it"); err != nil {
			return err
		}
	}
	return nil
}

// publishOutside writes a task to the user's exchange.
func (s *scenario) publishOutside(l *rabbitmq.Lane, b *buffer, a *work.Arrival) (*amqp.DeferredConfirmation, error) {
	o := s.outside
	stage := min(max(a.Stage, 0), len(o.texts)-1)
	o.times.set(a.N, a.Due, stage)
	v := &b.values
	*v = bodyValues{scope: template.Scope{Arrival: a}, run: s.run, priority: s.cfg.priorityOf(a), work: s.cfg.workOf(s.seed, a.K, stage),
		due: s.clock.Time(a.Due), sent: s.clock.Time(s.clock.Now())}
	var err error
	if b.body, err = o.texts[stage].Append(b.body[:0], v); err != nil {
		return nil, err
	}
	var text [idSize]byte
	id := string(idText(text[:0], s.run, a.N))
	return l.Write(o.exchange, o.key, true, &amqp.Publishing{
		ContentType: o.contentType, DeliveryMode: s.cfg.mode, Priority: v.priority,
		CorrelationId: id, MessageId: id, ReplyTo: s.queue, Body: b.body,
	}, a.Last(), s.clock)
}

// times holds when each task was due and its stage, by number, in pages: what
// perfctl's own agents read in a task's body, others need not send back.
type times struct {
	dir  atomic.Pointer[[]*timesPage]
	grow sync.Mutex
}

type timesPage [ledgerPageLen]struct {
	due   atomic.Int64
	stage atomic.Int32
}

func (t *times) page(n int64) *timesPage {
	dir := t.dir.Load()
	if i := n / ledgerPageLen; dir != nil && n >= 0 && i < int64(len(*dir)) {
		return (*dir)[i]
	}
	return nil
}

func (t *times) set(n int64, due time.Duration, stage int) {
	p := t.page(n)
	if p == nil {
		p = t.extend(n)
	}
	p[n%ledgerPageLen].due.Store(int64(due))
	p[n%ledgerPageLen].stage.Store(int32(stage))
}

// get returns the times of a task that was set.
func (t *times) get(n int64) (due time.Duration, stage int) {
	p := t.page(n)
	if p == nil {
		return 0, 0
	}
	return time.Duration(p[n%ledgerPageLen].due.Load()), int(p[n%ledgerPageLen].stage.Load())
}

func (t *times) extend(n int64) *timesPage {
	t.grow.Lock()
	defer t.grow.Unlock()
	var old []*timesPage
	if d := t.dir.Load(); d != nil {
		old = *d
	}
	i := int(n / ledgerPageLen)
	dir := make([]*timesPage, max(len(old), i+1))
	copy(dir, old)
	if dir[i] == nil {
		dir[i] = new(timesPage)
	}
	t.dir.Store(&dir)
	return dir[i]
}
