package analysis

import (
	"fmt"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/sla"
)

// accounts are what the scenarios of a run account for together.
type accounts struct {
	known                           bool
	kept, lost, duplicated, unknown int64
}

// accounts adds up what the scenarios accounted for.
func (a *axis) accounts() (out accounts) {
	for _, x := range []struct {
		role metrics.Role
		to   *int64
	}{{metrics.RoleAccountKept, &out.kept}, {metrics.RoleAccountLost, &out.lost},
		{metrics.RoleAccountDuplicated, &out.duplicated}, {metrics.RoleAccountUnknown, &out.unknown}} {
		for _, name := range a.named(x.role) {
			out.known = true
			*x.to += int64(sum(a.count(name), 0, a.n))
		}
	}
	return out
}

// attribute gives each fault what the accounts miss. They are of the whole run: what
// one of several faults did cannot be told, but that none of them did anything can.
func (o *Analysis) attribute() {
	for i := range o.Faults {
		e := &o.Faults[i]
		for _, x := range []struct {
			n  int64
			to **int64
		}{{o.accounts.lost, &e.Lost}, {o.accounts.duplicated, &e.Duplicated}, {o.accounts.unknown, &e.Unknown}} {
			if o.accounts.known && (len(o.Faults) == 1 || x.n == 0) {
				*x.to = &x.n
			}
		}
	}
}

// accountAnswers are what rules about lost and duplicated operations are judged by: of
// the run, and of each fault.
func (o *Analysis) accountAnswers() (out []sla.Answer) {
	if !o.accounts.known {
		return nil
	}
	for metric, n := range map[string]int64{sla.Lost: o.accounts.lost, sla.Duplicated: o.accounts.duplicated} {
		out = append(out, sla.Answer{Metric: metric, Value: float64(n), Exercised: true})
		for i := range o.Faults {
			a := sla.Answer{Metric: metric, Fault: o.Faults[i].Name, Value: float64(n), Exercised: true}
			if len(o.Faults) > 1 && n > 0 {
				a.Because = fmt.Sprintf("%d in the whole run; which of its %d faults did that is not known: run it alone", n, len(o.Faults))
			}
			out = append(out, a)
		}
	}
	return out
}
