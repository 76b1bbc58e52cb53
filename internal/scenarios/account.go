package scenarios

import (
	"context"
	"slices"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios/examples"
)

// Accountant is a scenario that can tell whether what was done is consistent, by
// counting alone: its Account is what a run, or one shard of it, counted, accounts of
// all shards add up to that of the whole, and its definition's Weigh makes the checks of
// it. Nothing is judged before it is whole.
type Accountant interface {
	// Account compares what was done with what the target holds. Of what the target
	// holds each row, key or message is one shard's to count, so that nothing counts
	// twice. It is called once, when all shards are drained and before any of them
	// removes anything. An error means that something could not be found out; what was
	// counted all the same is returned beside it.
	Account(ctx context.Context) (*Account, error)
}

// Account is what was counted of a scenario's work, by names of its own.
type Account struct {
	// Sums add up over shards, Peaks are the highest of any.
	Sums  map[string]int64
	Peaks map[string]int64
	// Facts hold what needs no adding; who knows one says it.
	Facts map[string]string
	// Named are examples of faults, by the fault.
	Named map[string][]string
	// Parts are what each shard keeps in a form of the scenario's own.
	Parts [][]byte

	// Missing is how many shards' accounts are not in it: of what they did nothing is
	// known.
	Missing int
}

// NewAccount returns an empty account.
func NewAccount() *Account {
	return &Account{Sums: map[string]int64{}, Peaks: map[string]int64{}, Facts: map[string]string{}, Named: map[string][]string{}}
}

// Fault counts one fault under a name, and keeps who it is about, of the first ones.
func (a *Account) Fault(name, who string) {
	a.Sums[name]++
	a.Named[name] = examples.Keep(a.Named[name], who)
}

// Add adds another shard's account.
func (a *Account) Add(o *Account) {
	for k, v := range o.Sums {
		a.Sums[k] += v
	}
	for k, v := range o.Peaks {
		a.Peaks[k] = max(a.Peaks[k], v)
	}
	for k, v := range o.Facts {
		if _, known := a.Facts[k]; !known {
			a.Facts[k] = v
		}
	}
	for k, v := range o.Named {
		a.Named[k] = append(slices.Clip(a.Named[k]), v...)
	}
	a.Parts = append(a.Parts, o.Parts...)
}

// Who returns the first ones that a fault is about, for a message: with lead before
// them, and nothing where there are none.
func (a *Account) Who(name, lead string) string {
	return examples.Text(a.Named[name], lead, a.Sums[name])
}

// Weighed is what the account of a whole run comes to.
type Weighed struct {
	Checks []Check
	// Values are those of trends that no single shard could tell.
	Values []Value
}

// Value is one value of a trend.
type Value struct {
	Desc      metrics.Desc
	Operation string
	// Stage is the number of the stage that it counts for, At when it was known.
	Stage int
	At    time.Time
	Value time.Duration
}

// Certain returns the checks of an account that some shards are missing from: those
// that failed, of faults that no other shard can explain. What passed is not known.
func Certain(all []Check) []Check {
	return slices.DeleteFunc(slices.Clone(all), func(c Check) bool { return c.Passed })
}

// Sharer is a scenario that makes something in its targets for a run: what the first
// shard's Setup made, the others Join to use, and only the first one's Close removes.
type Sharer interface {
	// Shares says in a word or two what the shards of a run share of it, such as "its
	// tables"; "" where they share nothing.
	Shares() string
	// HandOver returns what the others must know of what Setup made. It may hold
	// secrets.
	HandOver() ([]byte, error)
	// Join stands in for Setup in all shards but the first: it opens every connection,
	// and makes nothing that another shard made.
	Join(ctx context.Context, made []byte) error
}

// First says whether this process makes what the shards of a run share.
func (p *Plan) First() bool { return p.Shard == 0 }

// Sharded says whether this process offers a part of the run only.
func (p *Plan) Sharded() bool { return p.Shards > 1 }

// Part returns this process's part of n connections, agents, rows, of which the whole
// run has n: all parts together are n, but that each has one at least.
func (p *Plan) Part(n int) int { return max(p.Portion(n), 1) }

// Portion is Part, which may be 0: all portions together are n.
func (p *Plan) Portion(n int) int {
	if p.Shards <= 1 {
		return n
	}
	return max(n-p.Shard+p.Shards-1, 0) / p.Shards
}

// Mine says whether arrival n of the scenario is this process's.
func (p *Plan) Mine(n int64) bool {
	return p.Shards <= 1 || p.Owner != nil && p.Owner(n) == p.Shard
}
