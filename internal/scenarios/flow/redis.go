package flow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	driver "github.com/redis/go-redis/v9"

	"github.com/perfctl/perfctl/internal/scenarios/answer"
	"github.com/perfctl/perfctl/internal/scenarios/request"
	"github.com/perfctl/perfctl/internal/scenarios/template"
	"github.com/perfctl/perfctl/internal/strictyaml"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/redis"
)

// redisAction executes one command, or several in one round trip.
type redisAction struct {
	commands []command
	// several says that there may be several, whose replies are told apart; together,
	// that the server executes them as one (MULTI, EXEC).
	several, together bool
	client            *redis.Client
	// shown are the commands as the file has them, each with its first argument; the
	// others may be long, and secret.
	shown []string
}

// maxShown is how many of several commands a failure tells.
const maxShown = 3

func (a *redisAction) asks() string {
	text := strings.Join(a.shown[:min(len(a.shown), maxShown)], "; ")
	if len(a.shown) > maxShown {
		text += "; …"
	}
	return text
}

// showing notes a command of the file.
func (a *redisAction) showing(v strictyaml.Value) {
	var words []string
	v.List("a redis command", func(i int, item strictyaml.Value) {
		if word, ok := item.Scalar(); ok && i < 2 {
			words = append(words, word)
		}
	})
	a.shown = append(a.shown, strings.Join(words, " "))
}

type command []text

// blocking are commands that hold a connection or change what it is for.
var blocking = []string{"SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "MONITOR", "MULTI", "EXEC", "WATCH", "SELECT", "AUTH", "QUIT", "RESET", "HELLO", "SHUTDOWN", "FLUSHALL", "FLUSHDB"}

func (f *parser) redis(v strictyaml.Value) action {
	a := &redisAction{}
	f.need(targets.Redis)
	if !v.IsMap() {
		c, ok := f.command(v)
		a.commands = []command{c}
		if !ok {
			return nil
		}
		a.showing(v)
		return a
	}
	list := func(together bool) strictyaml.Reader {
		return func(of strictyaml.Value) {
			if a.several {
				of.Add("redis has either pipeline or multi")
				return
			}
			a.several, a.together = true, together
			if of.List("the commands", func(_ int, item strictyaml.Value) {
				if c, ok := f.command(item); ok {
					a.commands = append(a.commands, c)
					a.showing(item)
				}
			}) {
				of.Add("there are no commands: each is a list of words, as in [[INCR, a], [GET, b]]")
			}
		}
	}
	if !v.Map("redis",
		strictyaml.Optional("pipeline", list(false)).Either("several").Help("commands sent in one go"),
		strictyaml.Optional("multi", list(true)).Either("several").Help("commands that the server executes as one (MULTI, EXEC)")) {
		return nil
	}
	if !a.several {
		v.Add("redis is a list of words, {pipeline: [commands]} or {multi: [commands]}")
		return nil
	}
	return a
}

// command reads one command.
func (f *parser) command(v strictyaml.Value) (c command, ok bool) {
	ok = true
	bad := func(at strictyaml.Value, format string, args ...any) {
		at.Add(format, args...)
		ok = false
	}
	if !v.IsList() {
		bad(v, "a redis command is a list of words, as in [GET, \"task:{{n}}\"]")
		return nil, false
	}
	if v.List("a redis command", func(i int, item strictyaml.Value) {
		var t text
		request.Text(&f.fields, &t)(item)
		c = append(c, t)
		name, constant := t.Constant()
		if i > 0 {
			return
		}
		if !constant || name == "" {
			bad(item, "the first word of a redis command is its name, without fields")
			return
		}
		for _, b := range blocking {
			if !strings.EqualFold(b, name) {
				continue
			}
			next := ""
			if b == "MULTI" || b == "EXEC" {
				next = ": write {multi: [commands]}"
			}
			bad(item, "%s cannot be a step: it changes or holds its connection, or ends what others do%s", name, next)
		}
	}) {
		bad(v, "a redis command is a list of words, as in [GET, \"task:{{n}}\"]")
	}
	return c, ok
}

func (a *redisAction) words() []string {
	all := []string{answer.Body, answer.Exists, answer.JSON, answer.Match, answer.Rows}
	if a.several {
		all = append(all, answer.Reply)
	}
	return all
}

func (a *redisAction) bind(_ context.Context, s *scenario, _ *step) error {
	a.client = s.redis
	return nil
}

func (a *redisAction) do(ctx context.Context, w *worker, _ bool) (answer.Answer, error) {
	if a.several {
		return a.pipeline(ctx, w)
	}
	words, err := w.render(a.commands[0])
	if err != nil {
		return answer.Answer{}, err
	}
	if w.note != nil {
		w.note.On(w.note.Start, 0, 0)
		w.noteCommand(words)
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

// noteCommand notes a command's name; its words may be long, and secret.
func (w *worker) noteCommand(words []any) {
	if name, ok := words[0].(string); ok {
		w.note.Asks(name, "")
	}
}

// pipeline sends the commands together. One that the server rejects fails the step.
func (a *redisAction) pipeline(ctx context.Context, w *worker) (answer.Answer, error) {
	p := a.client.Pipeline()
	if a.together {
		p = a.client.TxPipeline()
	}
	for _, c := range a.commands {
		words, err := w.render(c)
		if err != nil {
			return answer.Answer{}, err
		}
		p.Do(ctx, slices.Clone(words)...)
	}
	replies, err := p.Exec(ctx)
	if err != nil && !errors.Is(err, driver.Nil) {
		return answer.Answer{}, redis.Classify(err)
	}
	values := make([]any, len(replies))
	for i, r := range replies {
		c, ok := r.(*driver.Cmd)
		if !ok {
			continue
		}
		v, err := c.Result()
		if err != nil && !errors.Is(err, driver.Nil) {
			return answer.Answer{}, redis.Classify(fmt.Errorf("command %d: %w", i+1, err))
		}
		values[i] = v
	}
	got := w.reply(values)
	got.Missing = false
	got.Column = func(number string, into *template.Value) bool {
		i, err := strconv.Atoi(number)
		if err != nil || i < 1 || i > len(values) || values[i-1] == nil {
			return false
		}
		one := w.reply(values[i-1])
		into.Set(max(one.Sort, template.Plain), one.Body)
		return true
	}
	return got, nil
}

// render returns the words of a command, which are good until the next call.
func (w *worker) render(c command) ([]any, error) {
	if cap(w.words) < len(c) {
		w.words = make([]any, len(c))
	}
	words := w.words[:len(c)]
	for i, t := range c {
		var err error
		if w.text, err = t.Append(w.text[:0], &w.scope); err != nil {
			return nil, err
		}
		words[i] = string(w.text)
	}
	return words, nil
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
