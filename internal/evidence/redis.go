package evidence

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	driver "github.com/redis/go-redis/v9"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/rundir/exemplars"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/redis"
)

// What of Redis is worth a note, in milliseconds.
const (
	slowAnswer  = 15.0
	slowCommand = 5.0
	slowFork    = 5.0
)

type redisWatcher struct {
	address targets.Address
	run     string
	log     *slog.Logger
	// last is the number of the last entry of SLOWLOG that was seen, -1 for none;
	// begun says that those from before are known; answered is when it answered last.
	last     int64
	begun    bool
	answered float64
	noLog    bool
	counts   redisCounts
	noInfo   bool
	// events are when the server's own monitor saw each kind of event last, in Unix
	// seconds.
	events                 map[string]int64
	noLatency, latencyRead bool
	// stall is when the server did not answer last.
	stall exemplars.Evidence
}

// NewRedis returns a watcher of a Redis or Valkey server. run is the run's identity.
func NewRedis(a targets.Address, run string, log *slog.Logger) Watcher {
	return &redisWatcher{address: a, run: run, log: log, events: map[string]int64{}}
}

func (w *redisWatcher) String() string { return "SLOWLOG of Redis at " + w.address.String() }

func (w *redisWatcher) Watch(ctx context.Context, j *Journal) error {
	c, err := redis.Open(ctx, w.address, redis.Options{Connections: 1, Timeout: 10 * time.Second, Name: "perfctl-" + w.run + "-evidence"})
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }() // it is only read from
	if c.IsCluster() {
		w.log.Info("the nodes of a Redis Cluster are not watched one by one: perfctl slow knows less of them")
		<-ctx.Done()
		return nil
	}
	w.last, w.begun, w.counts.known, w.answered = -1, false, false, j.Now()
	n, counted := 0, j.Now()
	open := newSpans(j)
	defer open.end()
	return every(ctx, j, looks, func(float64) error {
		if err := w.look(ctx, c, j); err != nil {
			return err
		}
		if n++; n%5 != 1 {
			return nil
		}
		before := counted
		counted = j.Now()
		err := w.count(ctx, c, j, open, before)
		open.sweep()
		return err
	})
}

// look asks for the slow commands. The question itself takes no time: where it does,
// the server was busy with something else.
func (w *redisWatcher) look(ctx context.Context, c *redis.Client, j *Journal) error {
	asked := j.Now()
	var entries []driver.SlowLog
	var err error
	if w.noLog {
		err = c.Ping(ctx).Err()
	} else {
		entries, err = c.SlowLogGet(ctx, 16).Result()
	}
	answered, before := j.Now(), w.answered
	if err != nil {
		if _, refused := err.(driver.Error); refused && !w.noLog { //nolint:errorlint // the driver's own kind of error
			w.noLog = true
			w.log.Info("Redis does not let SLOWLOG be read: perfctl slow knows less of it", "cause", err)
			return nil
		}
		if answered-asked >= slowAnswer && ctx.Err() == nil {
			j.Note(silence(asked, answered))
		}
		return err
	}
	w.answered = answered
	if answered-asked >= slowAnswer {
		w.stall = silence(asked, answered)
		j.Note(w.stall)
	}
	newest := w.last
	for i := len(entries) - 1; i >= 0; i-- {
		e := &entries[i]
		newest = max(newest, e.ID)
		took := exemplars.Millis(e.Duration)
		if !w.begun || e.ID <= w.last || took < slowCommand {
			continue
		}
		// It ended between the last answer and this one; where this answer was held up,
		// at its end.
		v := exemplars.Evidence{From: max(before-took, answered-took-exemplars.Millis(looks)), To: answered, Source: "redis", Kind: exemplars.Command,
			Command: commandName(e.Args), What: fmt.Sprintf("%s took %s", command(e.Args), figure.WholeMillis(took))}
		if answered-asked >= slowAnswer {
			v.From = answered - took
		}
		j.Note(v)
	}
	w.last, w.begun = newest, true
	return nil
}

func silence(from, to float64) exemplars.Evidence {
	return exemplars.Evidence{From: from, To: to, Source: "redis", Kind: exemplars.Silent, What: fmt.Sprintf("answered nothing for %s", figure.WholeMillis(to-from))}
}

// command shows a command with the first of its words.
func command(words []string) string {
	if len(words) > 3 {
		words = append(words[:3:3], "…")
	}
	text := strings.Join(words, " ")
	if len(text) > 120 {
		text = strings.ToValidUTF8(text[:120], "") + "…"
	}
	return text
}

// commandName is the name of a command, in capitals; empty for none.
func commandName(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return strings.ToUpper(words[0])
}

// field returns a number of INFO, 0 for none.
func field(text, name string) int64 {
	_, rest, _ := strings.Cut(text, "\n"+name+":")
	value, _, _ := strings.Cut(rest, "\r")
	n, _ := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
	return n
}
