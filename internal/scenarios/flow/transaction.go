package flow

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/strictyaml"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/postgres"
)

// transaction executes steps on one connection, and commits them together or not at
// all.
type transaction struct {
	step      // for its name, its place and its metrics; it has no action
	isolation string
	retries   int64
	// back says that it is rolled back at its end.
	back  bool
	steps []node

	begin, commit, rollback *postgres.Statement
	pool                    *postgres.Pool // nil in the set-up, which uses conn
	conn                    *pgx.Conn
	wait, took              *metrics.Trend
	tries                   postgres.Tries
	ends                    postgres.Ends
}

// isolations are the levels that PostgreSQL has.
var isolations = []string{"read committed", "repeatable read", "serializable"}

// maxRetries bounds how often a transaction is tried again.
const maxRetries = 1000

func (f *parser) transaction(v, inner strictyaml.Value, name, group, onFail string) node {
	t := &transaction{step: step{name: name, group: group, pos: v.Pos(), part: f.part}, retries: 3}
	if t.name == "" {
		t.name = "transaction_" + strconv.Itoa(len(f.out.transactions)+1)
	}
	t.continues = f.goesOn(v, onFail)
	var end string
	var steps strictyaml.Value
	has := false
	ok := inner.Map("transaction",
		strictyaml.Required("steps", func(of strictyaml.Value) { steps, has = of, true }).Help("steps of sql, think, repeat and if"),
		strictyaml.Optional("isolation", oneOf(&t.isolation, isolations...)).Help("the server's default if left out"),
		strictyaml.Optional("retries", strictyaml.Int(&t.retries, 0, maxRetries)).
			Help("how often it is tried again where the server asks for it (40001, 40P01); 3 if left out"),
		strictyaml.Optional("end", oneOf(&end, "commit", "rollback")).Help("commit if left out"))
	t.back = end == "rollback"
	f.need(targets.Postgres)
	f.out.transactions = append(f.out.transactions, t)
	if has {
		outer := f.inside
		if outer {
			v.Add("a transaction is within another one: PostgreSQL has none of that kind, use sql steps with SAVEPOINT and RELEASE")
		}
		f.inside = true
		t.steps = f.list("the steps of a transaction", steps)
		f.inside = outer
	}
	if !ok {
		return nil
	}
	return t
}

// oneOf reads one of several words.
func oneOf(into *string, words ...string) strictyaml.Reader {
	return func(v strictyaml.Value) {
		s, ok := v.Word(words...)
		if !ok {
			return
		}
		for _, w := range words {
			if strings.EqualFold(s, w) {
				*into = w
				return
			}
		}
		v.Add("%q is not one of %s", s, strings.Join(words, ", "))
	}
}

// mayStandInside says whether a kind of step may be a part of a transaction.
func (f *parser) mayStandInside(kind string, v strictyaml.Value, onFail string) {
	if !f.inside {
		return
	}
	switch kind {
	case "http", "publish", "consume", "redis":
		v.Add("%s cannot be a step of a transaction: it would be done again where the server asks for another try, while locks are held: write it before or behind", kind)
	}
	if onFail != "" {
		v.Add("on_failure does not belong to a step of a transaction, which fails as a whole: write it beside transaction")
	}
}

// bind makes the statements and the metrics.
func (t *transaction) bind(s *scenario) {
	t.conn = s.conn
	begin := "BEGIN"
	if t.isolation != "" {
		begin += " ISOLATION LEVEL " + strings.ToUpper(t.isolation)
	}
	name := "perfctl_flow_t" + strconv.Itoa(len(s.statements)) + "_"
	t.begin, t.commit, t.rollback = postgres.NewStatement(name+"begin", begin), postgres.NewStatement(name+"commit", "COMMIT"), postgres.NewStatement(name+"rollback", "ROLLBACK")
	if t.part != "steps" {
		return
	}
	s.statements = append(s.statements, t.begin, t.commit, t.rollback)
	tags := t.tags(&s.env)
	t.duration = s.env.Metrics.Trend(stepDuration, tags)
	t.wait, t.took = s.env.Metrics.Trend(postgres.PoolWait, tags), s.env.Metrics.Trend(postgres.TransactionDuration, tags)
	t.ends = postgres.NewEnds(s.env.Metrics, tags)
	t.tries = postgres.NewTries(s.env.Metrics, tags)
}

// run executes the transaction, again where the server asks for it.
func (t *transaction) run(ctx context.Context, w *worker) error {
	began := w.now()
	err := t.whole(ctx, w, began)
	if err == nil {
		if t.duration != nil {
			t.duration.Record(w.scope.Arrival.Stage, w.now()-began)
		}
		return nil
	}
	// A step inside has said where it was.
	if inner, ok := errors.AsType[*stepError](err); !ok || inner.step == &t.step {
		err = t.explain(err)
	}
	return t.fail(w, err)
}

func (t *transaction) whole(ctx context.Context, w *worker, began time.Duration) error {
	stage := w.scope.Arrival.Stage
	if t.pool != nil {
		note := w.scope.Arrival.Begin(string(targets.Postgres), t.name, began)
		c, err := t.pool.Acquire(ctx)
		note.Ended(w.now(), err)
		if err != nil {
			return postgres.Fail(err)
		}
		defer c.Release()
		c.Note(note, w.now(), "")
		if t.wait != nil {
			t.wait.Record(stage, w.now()-began)
		}
		w.tx, w.inTx = c, true
		defer func() { w.inTx = false }()
	}
	for try := int64(0); ; try++ {
		err := t.once(ctx, w)
		if err == nil || try == t.retries || ctx.Err() != nil || !t.tries.Again(stage, err) {
			return err
		}
		if err := w.pause(ctx, t.delay(w, try)); err != nil {
			return err
		}
	}
}

// The wait before a transaction is tried again: none at first, then random below a
// bound that doubles, so that those that met each other do not meet again.
const (
	shortestDelay = time.Millisecond
	longestDelay  = 64 * time.Millisecond
	streamDelay   = 0x72747279 << 16
)

func (t *transaction) delay(w *worker, try int64) time.Duration {
	if try == 0 {
		return 0
	}
	bound := min(shortestDelay<<min(try, 10), longestDelay)
	return time.Duration(work.Unit(w.scope.Draw(streamDelay+uint64(t.pos.Line)<<10+uint64(try))) * float64(bound))
}

// once tries the transaction.
func (t *transaction) once(ctx context.Context, w *worker) error {
	stage, sent := w.scope.Arrival.Stage, w.now()
	if _, err := t.exec(ctx, w, t.begin); err != nil {
		return postgres.Fail(err)
	}
	if err := walk(ctx, w, t.steps); err != nil {
		t.takeBack(ctx, w)
		t.ends.Count(stage, postgres.Refused)
		return err
	}
	if t.back {
		if _, err := t.exec(ctx, w, t.rollback); err != nil {
			t.ends.Count(stage, postgres.Refused)
			return postgres.Fail(err)
		}
		t.ends.Count(stage, postgres.Refused)
	} else {
		note := w.scope.Arrival.Begin(string(targets.Postgres), "commit", w.now())
		if t.pool != nil {
			w.tx.Note(note, w.now(), t.commit.SQL)
		}
		tag, err := t.exec(ctx, w, t.commit)
		note.Ended(w.now(), err)
		if err == nil && tag.String() == "ROLLBACK" {
			t.ends.Count(stage, postgres.Refused)
			return work.Fail(work.KindRejected, errors.New("the server rolled the transaction back at its commit"))
		}
		t.ends.Count(stage, postgres.OutcomeOf(err))
		if err != nil {
			return postgres.Fail(fmt.Errorf("commit: %w", err))
		}
	}
	if t.took != nil {
		t.took.Record(stage, w.now()-sent)
	}
	return nil
}

func (t *transaction) exec(ctx context.Context, w *worker, st *postgres.Statement) (pgconn.CommandTag, error) {
	if t.pool == nil {
		return t.conn.PgConn().ExecParams(ctx, st.SQL, nil, nil, nil, nil).Close()
	}
	return w.tx.QueryText(ctx, st, nil).Close()
}

// takeBackWithin is what a server has to answer a ROLLBACK; a connection that takes
// longer is given up, at which the server rolls back by itself.
const takeBackWithin = 2 * time.Second

// takeBack ends a transaction without its effects, also where the arrival's time is
// over, so that the connection is fit for the next one.
func (t *transaction) takeBack(ctx context.Context, w *worker) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), takeBackWithin)
	defer cancel()
	_, _ = t.exec(ctx, w, t.rollback)
}
