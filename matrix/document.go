package main

import (
	"fmt"
	"strings"
	"time"
)

// table is what came of all cases.
func (m *matrix) table() string {
	var b strings.Builder
	b.WriteString("| server | from | scenarios | probes | TLS | faults |\n|---|---|---|---|---|---|\n")
	for _, r := range m.rows {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", r.title, r.from, r.scenarios, r.probes, r.secure, r.faults)
	}
	return b.String()
}

// document is docs/versions.md.
func (m *matrix) document() string {
	return fmt.Sprintf(`# Versions that perfctl was tried against

%s, by `+"`make test-matrix`"+`, which starts each server, and took %s on this machine.
Debian 12's servers are the machine's own packages, Debian 13's come by debootstrap into a
folder that is kept (%s), PostgreSQL 18 from npm. It needs root, is no part of `+"`make test`"+`, and
fails where something is not available.

%s
- *scenarios*: every arrival of `+"`tasks`"+`, of `+"`crud`"+` and `+"`voting`"+`, or of `+"`cache`"+` succeeds and every check of
  consistency holds, 5 s at 40/s. Statement pooling allows no transaction: such a pooler is
  refused (107), and the message says so.
- *probes*: what the server says of itself is read.
- *TLS*: the same over TLS with an authority of one's own; a server that another authority
  vouches for is refused (107).
- *faults*: the way to the server is delayed by `+"`--fault`"+`; the server is stopped for a second, and in another run killed and started again;
  all runs reach their end, account for every arrival, and recover.

Next: what is set for each server, [targets.md](targets.md); what an error means,
[troubleshooting.md](troubleshooting.md).
`, time.Now().Format("2006-01-02"), time.Since(m.began).Round(time.Second), defaultCache, m.table())
}
