package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/perfctl/perfctl/internal/targets"
)

// Claim holds a name, by an advisory lock of a transaction that stays open: it ends with
// its connection, and a pooler gives it to nobody else. The error is a
// *targets.UnreachableError, which wraps targets.ErrClaimed where another run holds the
// name.
func Claim(ctx context.Context, a targets.Address, name string) (targets.Claim, error) {
	c, err := Connect(ctx, a, Options{Run: name})
	if err != nil {
		return nil, err
	}
	var held bool
	tx, err := c.Begin(ctx)
	if err == nil {
		// The transaction does nothing all along, and holds no snapshot meanwhile.
		_, err = tx.Exec(ctx, "SET LOCAL idle_in_transaction_session_timeout = 0")
	}
	if err == nil {
		err = tx.QueryRow(ctx, "SELECT pg_try_advisory_xact_lock(hashtext('perfctl'), hashtext($1))", name).Scan(&held)
	}
	if err == nil && held {
		return claim{c}, nil
	}
	claim{c}.Release(ctx)
	if err == nil {
		return nil, targets.Claimed(a, name)
	}
	return nil, Explain(a, "claim the run "+name, err)
}

type claim struct{ conn *pgx.Conn }

func (c claim) Release(ctx context.Context) {
	_ = c.conn.Close(ctx) // the server lets go of it with the connection at the latest
}
