package crud

import (
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/scenarios/examples"
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

// The names in the account of the scenario; see found. Those of the insert modes have
// the mode behind them.
const (
	sumLost, sumCommitted, sumGone, sumGiven            = "lost", "committed", "gone", "given"
	sumTorn, sumUnknown, sumRecovered, sumTrimmed       = "torn", "unknown", "recovered", "trimmed"
	sumUnexpected, sumStay, sumAltered, sumVersions     = "unexpected", "stay", "altered", "versions"
	sumUpdates, sumUnknownUpdates                       = "updates", "unknown_updates"
	sumModeRows, sumModeInserts, sumModeNanos           = "rows/", "inserts/", "nanos/"
	namedLost, namedUnexpected, namedAltered, factFloor = "lost", "unexpected", "altered", "round_trip_ns"
)

// sumUp makes the account of what was found and of what the client did.
func (s *scenario) sumUp(f *found) *scenarios.Account {
	a := scenarios.NewAccount()
	a.Sums = map[string]int64{
		sumLost: f.lost, sumCommitted: f.committed, sumGone: f.missing, sumTorn: f.torn, sumUnknown: f.unknown, sumRecovered: f.recovered,
		sumTrimmed: f.trimmed, sumUnexpected: f.unexpected, sumStay: f.undeleted + f.untrimmed, sumAltered: f.altered, sumVersions: f.versions,
		sumUpdates: s.account.updates.Load(), sumUnknownUpdates: s.account.unknownUpdates.Load(),
	}
	if s.plan.First() {
		a.Sums[sumGone] += s.cfg.table - f.preloaded
		a.Sums[sumGiven] = s.cfg.table + s.cfg.reserve
		a.Facts[factFloor] = strconv.FormatInt(int64(s.floor.idle), 10)
	}
	for mode, name := range modeNames {
		m := &s.account.modes[mode]
		if m.rows.Load() > 0 {
			a.Sums[sumModeRows+name], a.Sums[sumModeInserts+name], a.Sums[sumModeNanos+name] = m.rows.Load(), m.inserts.Load(), m.nanos.Load()
		}
	}
	for name, all := range map[string]examples.Numbers{namedLost: f.lostIDs, namedUnexpected: f.unexpectedIDs, namedAltered: f.alteredIDs} {
		a.Named[name] = append(a.Named[name], all.Names()...)
	}
	return a
}

// whose names the first rows of a fault.
func whose(a *scenarios.Account, name string) string {
	return examples.Text(a.Named[name], ": id ", 0)
}

// weighRows makes the checks of the account.
func weighRows(a *scenarios.Account) (scenarios.Weighed, error) {
	n := a.Sums
	return scenarios.Weighed{Checks: []scenarios.Check{
		{Name: "crud_rows_lost", Passed: n[sumLost] == 0 && n[sumGone] == 0 && n[sumTorn] == 0,
			Detail: fmt.Sprintf("%d of %d rows of committed inserts and %d of %d rows written before the run are missing; %d inserts are there in part (%d inserts of unknown outcome, of which %d rows took effect; %d rows deleted again to keep to max_rows)%s",
				n[sumLost], n[sumCommitted], n[sumGone], n[sumGiven], n[sumTorn], n[sumUnknown], n[sumRecovered], n[sumTrimmed], whose(a, namedLost)),
			Balance: &scenarios.Balance{Kept: n[sumCommitted], Lost: n[sumLost] + n[sumGone], Unknown: n[sumUnknown]}},
		{Name: "crud_rows_unexpected", Passed: n[sumUnexpected] == 0 && n[sumStay] == 0,
			Detail: fmt.Sprintf("%d rows that this run did not write, %d rows whose delete was confirmed are still there%s", n[sumUnexpected], n[sumStay], whose(a, namedUnexpected))},
		{Name: "crud_rows_intact", Passed: n[sumAltered] == 0, Detail: fmt.Sprintf("%d rows do not hold what was written to them%s", n[sumAltered], whose(a, namedAltered))},
		// Updates of a shard that left no account are counted in the rows all the same.
		{Name: "crud_updates_counted", Passed: a.Missing > 0 || n[sumVersions] >= n[sumUpdates] && n[sumVersions] <= n[sumUpdates]+n[sumUnknownUpdates],
			Detail: fmt.Sprintf("the rows count %d updates, the client %d (and %d of unknown outcome)", n[sumVersions], n[sumUpdates], n[sumUnknownUpdates])},
		efficiency(a),
	}}, nil
}

// efficiency sets the insert modes side by side.
func efficiency(a *scenarios.Account) scenarios.Check {
	floor, _ := strconv.ParseInt(a.Facts[factFloor], 10, 64) // 0 says nothing
	idle := time.Duration(floor)
	var parts []string
	var rows int64
	for _, name := range modeNames {
		n, inserts, took := a.Sums[sumModeRows+name], a.Sums[sumModeInserts+name], time.Duration(a.Sums[sumModeNanos+name])
		if n == 0 {
			continue
		}
		rows += n
		parts = append(parts, fmt.Sprintf("%s: %d rows in %d inserts, %s a row, %s rows/s on one connection, %s an insert%s",
			name, n, inserts, figure.Millis(ms(took)/float64(n)), figure.Whole(float64(n)/took.Seconds()), figure.Millis(ms(took)/float64(inserts)), times(idle, took/time.Duration(inserts))))
	}
	if len(parts) == 0 {
		parts = []string{"no inserts"}
	}
	parts = append(parts, fmt.Sprintf("a round trip (SELECT 1, before the run) takes %s", figure.Millis(ms(idle))))
	return scenarios.Check{Name: "crud_batch_modes", Passed: rows == a.Sums[sumCommitted], Detail: strings.Join(parts, "; ")}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
