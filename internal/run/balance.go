package run

import (
	"strings"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios"
)

// The metrics of what scenarios account for, known when their checks are made.
var (
	accountKept = metrics.Desc{Name: "account_kept", Kind: metrics.KindCounter, Unit: metrics.UnitCount, Role: metrics.RoleAccountKept,
		Help: "operations that the target confirmed, by the account of the scenario; at the end of the run"}
	accountLost = metrics.Desc{Name: "account_lost", Kind: metrics.KindCounter, Unit: metrics.UnitCount, Role: metrics.RoleAccountLost,
		Help: "of those, what left nothing behind in the target"}
	accountDuplicated = metrics.Desc{Name: "account_duplicated", Kind: metrics.KindCounter, Unit: metrics.UnitCount, Role: metrics.RoleAccountDuplicated,
		Help: "of those, what took effect more than once"}
	accountUnknown = metrics.Desc{Name: "account_unknown", Kind: metrics.KindCounter, Unit: metrics.UnitCount, Role: metrics.RoleAccountUnknown,
		Help: "operations of which the client does not know whether they took effect"}
)

func accountMetrics() []metrics.Desc {
	return []metrics.Desc{accountKept, accountLost, accountDuplicated, accountUnknown}
}

// counted is what the account of a scenario comes to, for one of its metrics.
type counted struct {
	of       metrics.Desc
	scenario string
	n        int64
}

// balances are what the accounts of the scenarios came to.
func balances(checks []scenarios.Check) (out []counted) {
	for _, c := range checks {
		if c.Balance == nil {
			continue
		}
		scenario, _, _ := strings.Cut(c.Name, ":")
		out = append(out, counted{accountKept, scenario, c.Balance.Kept}, counted{accountLost, scenario, c.Balance.Lost},
			counted{accountDuplicated, scenario, c.Balance.Duplicated}, counted{accountUnknown, scenario, c.Balance.Unknown})
	}
	return out
}

// balance records what the accounts of the scenarios came to, in the run's last second.
func (m *measurer) balance(checks []scenarios.Check) {
	last := len(m.registry.Stages()) - 1
	for _, x := range balances(checks) {
		m.registry.Counter(x.of, metrics.Tags{Scenario: x.scenario}).Add(last, x.n)
	}
}
