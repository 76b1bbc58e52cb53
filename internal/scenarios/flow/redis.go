package flow

import (
	"context"
	"errors"
	"fmt"
	"strings"

	driver "github.com/redis/go-redis/v9"

	"github.com/perfctl/perfctl/internal/scenarios/answer"
	"github.com/perfctl/perfctl/internal/scenarios/request"
	"github.com/perfctl/perfctl/internal/scenarios/template"
	"github.com/perfctl/perfctl/internal/strictyaml"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/redis"
)

// redisAction executes one command.
type redisAction struct {
	args   []text
	client *redis.Client
}

// blocking are commands that hold a connection or change what it is for.
var blocking = []string{"SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "MONITOR", "MULTI", "EXEC", "WATCH", "SELECT", "AUTH", "QUIT", "RESET", "HELLO", "SHUTDOWN", "FLUSHALL", "FLUSHDB"}

func (f *parser) redis(v strictyaml.Value) action {
	a := &redisAction{}
	if v.List("a redis command", func(i int, item strictyaml.Value) {
		var t text
		request.Text(&f.fields, &t)(item)
		a.args = append(a.args, t)
		command, constant := t.Constant()
		if i > 0 {
			return
		}
		if !constant || command == "" {
			item.Add("the first word of a redis command is its name, without fields")
			return
		}
		for _, b := range blocking {
			if strings.EqualFold(b, command) {
				item.Add("%s cannot be a step: it changes or holds its connection, or ends what others do", command)
			}
		}
	}) {
		v.Add("a redis command is a list of words, as in [GET, \"task:{{n}}\"]")
		return nil
	}
	f.need(targets.Redis)
	return a
}

func (a *redisAction) words() []string {
	return []string{answer.Body, answer.Exists, answer.JSON, answer.Match, answer.Rows}
}

func (a *redisAction) bind(_ context.Context, s *scenario, _ *step) error {
	a.client = s.redis
	return nil
}

func (a *redisAction) do(ctx context.Context, w *worker, _ bool) (answer.Answer, error) {
	if cap(w.words) < len(a.args) {
		w.words = make([]any, len(a.args))
	}
	words := w.words[:len(a.args)]
	for i, t := range a.args {
		var err error
		if w.text, err = t.Append(w.text[:0], &w.scope); err != nil {
			return answer.Answer{}, err
		}
		words[i] = string(w.text)
	}
	v, err := a.client.Do(ctx, words...).Result()
	if errors.Is(err, driver.Nil) {
		return answer.Answer{Missing: true}, nil
	}
	if err != nil {
		return answer.Answer{}, redis.Classify(err)
	}
	return w.reply(v), nil
}

// reply makes an answer of what a command returned. Of a list, the body is its
// items, a line each.
func (w *worker) reply(v any) answer.Answer {
	w.text = w.text[:0]
	switch x := v.(type) {
	case string:
		w.text = append(w.text, x...)
		return answer.Answer{Body: w.text, Rows: 1}
	case int64:
		w.text = fmt.Append(w.text, x)
		return answer.Answer{Body: w.text, Rows: 1, Sort: template.Number}
	case []any:
		for i, item := range x {
			if i > 0 {
				w.text = append(w.text, '\n')
			}
			if item != nil {
				w.text = fmt.Append(w.text, item)
			}
		}
		return answer.Answer{Body: w.text, Rows: int64(len(x)), Missing: len(x) == 0}
	}
	w.text = fmt.Append(w.text, v)
	return answer.Answer{Body: w.text, Rows: 1}
}
