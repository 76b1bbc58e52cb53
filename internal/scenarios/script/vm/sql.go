package vm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dop251/goja"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/perfctl/perfctl/internal/targets/postgres"
)

// sqlModule is the module k6/x/sql, for PostgreSQL.
func (v *VM) sqlModule() *goja.Object {
	return v.told(v.object(map[string]any{
		"open": func(c goja.FunctionCall) goja.Value {
			if name := c.Argument(0).String(); !strings.Contains(name, "postgres") && name != "pgx" {
				v.throw("sql.open: the driver " + name + " is not there: perfctl speaks PostgreSQL")
			}
			return v.database(c.Argument(1).String())
		},
		// As it was before databases had methods.
		"query": func(c goja.FunctionCall) goja.Value { return v.ofDatabase(c, "query") },
		"exec":  func(c goja.FunctionCall) goja.Value { return v.ofDatabase(c, "exec") },
	}), "k6/x/sql")
}

// postgresDriver is what k6/x/sql/driver/postgres exports.
func (v *VM) postgresDriver() *goja.Object { return v.rt.ToValue("postgres").ToObject(v.rt) }

func (v *VM) ofDatabase(c goja.FunctionCall, method string) goja.Value {
	db, ok := c.Argument(0).(*goja.Object)
	if !ok {
		panic(v.rt.NewTypeError("sql." + method + " needs a database that sql.open returned"))
	}
	f, ok := goja.AssertFunction(db.Get(method))
	if !ok {
		panic(v.rt.NewTypeError("sql." + method + " needs a database that sql.open returned"))
	}
	out, err := f(db, c.Arguments[1:]...)
	if err != nil {
		panic(err)
	}
	return out
}

// database is what a script has of a database: nothing is opened before it is used.
func (v *VM) database(address string) *goja.Object {
	run := func(rows bool) func(goja.FunctionCall) goja.Value {
		return func(c goja.FunctionCall) goja.Value { return v.statement(address, rows, 0, c.Arguments) }
	}
	within := func(rows bool) func(goja.FunctionCall) goja.Value {
		return func(c goja.FunctionCall) goja.Value {
			d, err := time.ParseDuration(c.Argument(0).String())
			if err != nil || d <= 0 {
				panic(v.rt.NewTypeError("a time-out is a time such as \"10s\", not " + c.Argument(0).String()))
			}
			return v.statement(address, rows, d, c.Arguments[1:])
		}
	}
	return v.told(v.object(map[string]any{
		"query": run(true), "exec": run(false), "queryWithTimeout": within(true), "execWithTimeout": within(false),
		"close": func(goja.FunctionCall) goja.Value { return goja.Undefined() }, // the run closes what users share
	}), "a database of sql.open")
}

// statement executes a statement; rows says that its rows are wanted.
func (v *VM) statement(address string, rows bool, bound time.Duration, args []goja.Value) goja.Value {
	v.mustRun("a statement")
	if len(args) == 0 || strings.TrimSpace(args[0].String()) == "" {
		panic(v.rt.NewTypeError("a statement is missing"))
	}
	text := args[0].String()
	params := make([]any, len(args)-1)
	for i, x := range args[1:] {
		params[i] = v.param1(x)
	}
	ctx := v.ctx
	if bound > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, bound)
		defer cancel()
	}
	began := v.now()
	out, err := v.execute(ctx, address, text, rows, params)
	verb, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(text)), " ")
	v.timed(QueryDuration, verb, began, err)
	if err != nil {
		if v.ctx.Err() != nil {
			err = v.ctx.Err()
		}
		panic(v.rt.NewGoError(err))
	}
	return out
}

func (v *VM) execute(ctx context.Context, address, text string, rows bool, params []any) (goja.Value, error) {
	pool, err := v.s.settings.Stores.Postgres(ctx, address)
	if err != nil {
		return nil, err
	}
	c, err := pool.Acquire(ctx)
	if err != nil {
		return nil, postgres.Fail(err)
	}
	defer c.Release()
	if !rows {
		var tag pgconn.CommandTag
		if len(params) == 0 {
			tag, err = c.Pgx().Exec(ctx, text, pgx.QueryExecModeSimpleProtocol) // may hold several statements
		} else {
			tag, err = c.Pgx().Exec(ctx, text, params...)
		}
		if err != nil {
			return nil, postgres.Fail(err)
		}
		return v.told(v.object(map[string]any{
			"rowsAffected": func() int64 { return tag.RowsAffected() },
			"lastInsertId": func() (int64, error) {
				return 0, errors.New("PostgreSQL tells no last id: write RETURNING and use query")
			},
		}), "the result of exec"), nil
	}
	got, err := c.Pgx().Query(ctx, text, params...)
	if err != nil {
		return nil, postgres.Fail(err)
	}
	defer got.Close()
	var list []any
	for got.Next() {
		values, err := got.Values()
		if err != nil {
			return nil, postgres.Fail(err)
		}
		row := v.rt.NewObject()
		for i, f := range got.FieldDescriptions() {
			_ = row.Set(f.Name, v.column(values[i]))
		}
		list = append(list, row)
	}
	if err := got.Err(); err != nil {
		return nil, postgres.Fail(err)
	}
	return v.rt.NewArray(list...), nil
}

// param1 is a value as the driver takes it. Texts are read by the server, so that "5"
// is a number where it wants one.
func (v *VM) param1(x goja.Value) any {
	switch {
	case nothing(x):
		return nil
	case v.isBinary(x):
		return v.bytesOf(x)
	}
	switch e := x.Export().(type) {
	case int64, float64, bool, string, time.Time:
		return e
	}
	if o, ok := x.(*goja.Object); ok {
		return v.stringify(o) // for columns of JSON
	}
	return x.String()
}

// column is a value of a row as a script sees it.
func (v *VM) column(x any) any {
	switch e := x.(type) {
	case nil, string, bool, int64, float64:
		return e
	case int16:
		return int64(e)
	case int32:
		return int64(e)
	case float32:
		return float64(e)
	case []byte:
		return v.rt.NewArrayBuffer(e)
	case time.Time:
		d, err := v.rt.New(v.rt.Get("Date"), v.rt.ToValue(e.UnixMilli()))
		if err == nil {
			return d
		}
	case pgtype.Numeric:
		if f, err := e.Float64Value(); err == nil && f.Valid {
			return f.Float64
		}
	case [16]byte:
		return fmt.Sprintf("%x-%x-%x-%x-%x", e[:4], e[4:6], e[6:8], e[8:10], e[10:])
	case map[string]any, []any:
		return v.rt.ToValue(e)
	}
	if t, err := (pgtype.NewMap()).Encode(0, pgtype.TextFormatCode, x, nil); err == nil && t != nil {
		return string(t)
	}
	return fmt.Sprint(x)
}
