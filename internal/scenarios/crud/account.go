package crud

import (
	"sync/atomic"
	"time"

	"github.com/perfctl/perfctl/internal/targets/postgres"
)

// account is what the client knows of its own writes, to be compared with what
// the server holds.
type account struct {
	// inserts is by the scenario's arrival number, deletes by the place of the
	// row among those that were written to be deleted.
	inserts, deletes *postgres.Outcomes
	// trims is by the number of the insert whose rows were deleted again.
	trims      *postgres.Outcomes
	nextDelete atomic.Int64
	// updates counts rows whose update was committed, unknownUpdates those of
	// which it is not known.
	updates, unknownUpdates atomic.Int64
	modes                   [modeCount]modeAccount
}

// updated notes an update of that many rows.
func (a *account) updated(rows int64, o postgres.Outcome) {
	switch o {
	case postgres.Committed:
		a.updates.Add(rows)
	case postgres.Unknown:
		a.unknownUpdates.Add(1)
	}
}

// modeAccount is what one insert mode did.
type modeAccount struct{ rows, inserts, nanos atomic.Int64 }

func (m *modeAccount) add(rows int64, took time.Duration) {
	m.rows.Add(rows)
	m.inserts.Add(1)
	m.nanos.Add(int64(took))
}
