package flow

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios/answer"
	"github.com/perfctl/perfctl/internal/scenarios/template"
	"github.com/perfctl/perfctl/internal/strictyaml"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/postgres"
)

// sqlAction executes a statement.
type sqlAction struct {
	sql       string
	args      []argument
	pos       strictyaml.Pos
	statement *postgres.Statement
	pool      *postgres.Pool // nil in the set-up, which uses conn
	conn      *pgx.Conn
	wait      *metrics.Trend
	query     *metrics.Trend
	// inside says that it is a part of a transaction, and else it is one of its own.
	inside bool
	took   *metrics.Trend
	ends   postgres.Ends
}

func (f *parser) sql(v strictyaml.Value) action {
	a := &sqlAction{pos: v.Pos(), inside: f.inside}
	if !v.Map("sql",
		strictyaml.Required("query", func(of strictyaml.Value) {
			a.sql = unread
			if strictyaml.String(&a.sql)(of); a.sql == unread {
				return
			}
			if err := unsafeStatement(a.sql, f.inside); err != nil {
				of.Add("%v", err)
			}
		}).Help("one statement, with $1, $2 … for what args says"),
		strictyaml.Optional("args", func(of strictyaml.Value) {
			of.List("args", func(_ int, item strictyaml.Value) { a.args = append(a.args, f.argument(item)) })
		}).Help("values of the parameters $1, $2 …")) {
		return nil
	}
	f.need(targets.Postgres)
	return a
}

// unread is no statement.
const unread = "\x00"

func (a *sqlAction) asks() string { return work.Statement(a.sql) }

func (a *sqlAction) words() []string { return []string{answer.Rows, answer.Column} }

func (a *sqlAction) bind(_ context.Context, s *scenario, of *step) error {
	a.statement = postgres.NewStatement("perfctl_flow_"+strconv.Itoa(len(s.statements)), a.sql)
	if of.part == "steps" {
		s.statements = append(s.statements, a.statement)
		a.wait = s.env.Metrics.Trend(postgres.PoolWait, of.tags(&s.env))
		a.query = s.env.Metrics.Trend(postgres.QueryDuration, of.tags(&s.env))
		if !a.inside {
			a.took = s.env.Metrics.Trend(postgres.TransactionDuration, of.tags(&s.env))
			a.ends = postgres.NewEnds(s.env.Metrics, of.tags(&s.env))
		}
	}
	return nil
}

// try lets the server read the statement, so that what it rejects is known before
// the first arrival.
func (a *sqlAction) try(ctx context.Context, c *pgx.Conn) error {
	sd, err := c.PgConn().Prepare(ctx, "", a.sql, nil)
	if err != nil {
		if postgres.StateOf(err) == "42P18" { // indeterminate_datatype
			return fmt.Errorf("the server cannot tell the type of a parameter: write it behind, as in $1::int: %w", err)
		}
		return fmt.Errorf("the server rejects the statement: %w", err)
	}
	settle(a.args, sd)
	if n := len(sd.ParamOIDs); n != len(a.args) {
		return fmt.Errorf("the statement has %d parameters ($1, $2 …), and there are %d args", n, len(a.args))
	}
	return nil
}

func (a *sqlAction) do(ctx context.Context, w *worker, _ bool) (answer.Answer, error) {
	if a.pool == nil {
		if err := a.look(ctx); err != nil {
			return answer.Answer{}, postgres.Fail(err)
		}
	}
	values, err := a.render(w)
	if err != nil {
		return answer.Answer{}, err
	}
	if a.pool == nil {
		r := a.conn.PgConn().ExecParams(ctx, a.sql, values, nil, nil, nil)
		return w.rows.read(r)
	}
	if w.inTx {
		return a.execute(ctx, w, w.tx, values)
	}
	began := w.now()
	c, err := a.pool.Acquire(ctx)
	if err != nil {
		return answer.Answer{}, postgres.Fail(err)
	}
	defer c.Release()
	stage, sent := w.scope.Arrival.Stage, w.now()
	got, err := a.execute(ctx, w, c, values)
	a.ends.Count(stage, postgres.OutcomeOf(err))
	if err == nil && a.query != nil {
		a.wait.Record(stage, sent-began)
		a.took.Record(stage, w.now()-sent)
	}
	return got, err
}

func (a *sqlAction) execute(ctx context.Context, w *worker, c postgres.Conn, values [][]byte) (answer.Answer, error) {
	sent := w.now()
	c.Note(w.note, sent, a.sql)
	got, err := w.rows.read(c.QueryText(ctx, a.statement, values))
	if err == nil && a.query != nil {
		a.query.Record(w.scope.Arrival.Stage, w.now()-sent)
	}
	return got, err
}

// look finds out the types of the parameters where a list may be one of two things,
// in the set-up and the teardown: there a statement may need what the one before it
// has made.
func (a *sqlAction) look(ctx context.Context) error {
	for i := range a.args {
		if a.args[i].form != asList {
			continue
		}
		sd, err := a.conn.PgConn().Prepare(ctx, "", a.sql, nil)
		if err != nil {
			return err
		}
		settle(a.args, sd)
		return nil
	}
	return nil
}

// render returns the parameters, which share one buffer of the worker.
func (a *sqlAction) render(w *worker) ([][]byte, error) {
	w.params, w.text = w.params[:0], w.text[:0]
	if w.text == nil {
		w.text = []byte{}
	}
	for i := range a.args {
		from := len(w.text)
		var null bool
		var err error
		if w.text, null, err = a.args[i].append(w.text, &w.scope); err != nil {
			return nil, err
		}
		if null {
			w.params = append(w.params, nil)
			continue
		}
		// A buffer that grows later leaves this part where it was. An empty text is
		// no nil slice, which would be NULL.
		w.params = append(w.params, w.text[from:len(w.text):len(w.text)])
	}
	return w.params, nil
}

// rows reads a statement's result, of whose rows the first is kept.
type rows struct {
	names  []string
	values []template.Value
	n      int64
}

func (r *rows) read(reader *pgconn.ResultReader) (answer.Answer, error) {
	r.n = 0
	for reader.NextRow() {
		if r.n++; r.n == 1 {
			r.keep(reader.FieldDescriptions(), reader.Values())
		}
	}
	tag, err := reader.Close()
	if err != nil {
		return answer.Answer{}, postgres.Fail(err)
	}
	if r.n == 0 {
		return answer.Answer{Rows: tag.RowsAffected()}, nil
	}
	return answer.Answer{Rows: r.n, Column: r.column}, nil
}

func (r *rows) keep(columns []pgconn.FieldDescription, values [][]byte) {
	r.names = r.names[:0]
	for len(r.values) < len(columns) {
		r.values = append(r.values, template.Value{})
	}
	for i := range columns {
		r.names = append(r.names, columns[i].Name)
		r.values[i].Set(sortOf(columns[i].DataTypeOID, values[i]), values[i])
		if b := &r.values[i]; b.Sort == template.Bool {
			b.Text = strconv.AppendBool(b.Text[:0], string(b.Text) == "t")
		}
	}
}

func sortOf(oid uint32, value []byte) template.Sort {
	switch {
	case value == nil:
		return template.Null
	case oid == pgtype.BoolOID:
		return template.Bool
	case oid == pgtype.Int2OID, oid == pgtype.Int4OID, oid == pgtype.Int8OID,
		oid == pgtype.Float4OID, oid == pgtype.Float8OID, oid == pgtype.NumericOID:
		return template.Number
	}
	return template.String
}

// column reads a column of the first row by its name.
func (r *rows) column(name string, into *template.Value) bool {
	for i := range r.names {
		if r.names[i] == name {
			into.Set(r.values[i].Sort, r.values[i].Text)
			return true
		}
	}
	return false
}

// openPostgres tries every statement and opens the pool.
func (s *scenario) openPostgres(ctx context.Context) error {
	for _, st := range s.program.all {
		a, ok := st.action.(*sqlAction)
		if !ok || st.part != "steps" {
			continue
		}
		if err := a.try(ctx, s.conn); err != nil {
			return st.explain(err)
		}
	}
	timeout := s.env.Values.Duration(0, keyTimeout)
	pool, err := postgres.Open(ctx, s.env.Targets.Postgres, postgres.Options{
		Run: s.env.RunID, Log: s.env.Log, Size: min(s.env.Plan.Part(s.env.Values.Int(0, keyPool)), len(s.workers)), StatementTimeout: timeout,
		Statements: s.statements, Reconnected: func(took time.Duration) {
			stage := int(s.stage.Load())
			s.m.dbReconnects.Add(stage, 1)
			s.m.dbReconnectTime.Record(stage, took)
		},
	})
	if err != nil {
		return err
	}
	s.pool = pool
	for _, st := range s.program.all {
		if a, ok := st.action.(*sqlAction); ok && st.part == "steps" {
			a.pool = pool
		}
	}
	for _, t := range s.program.transactions {
		if t.part == "steps" {
			t.pool = pool
		}
	}
	return nil
}
