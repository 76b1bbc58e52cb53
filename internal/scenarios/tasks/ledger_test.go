package tasks

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/perfctl/perfctl/internal/scenarios/examples"
)

// figuresOnly leaves out which tasks are named.
var figuresOnly = cmpopts.IgnoreFields(account{}, "lostOnes", "duplicatedOnes")

// TestLedgerAgreesWithAPlainModel drives the ledger with any order of events
// and compares it with maps.
func TestLedgerAgreesWithAPlainModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLedger(rapid.Int64Range(0, 10).Draw(t, "planned"))
		type state struct {
			attempted, confirmed, nacked, returned, unknown bool
			first, again                                    int
		}
		model := map[int64]*state{}
		var stray int64
		number := rapid.SampledFrom([]int64{0, 1, 2, 3, 4095, 4096, 50000})
		t.Repeat(map[string]func(*rapid.T){
			"publish": func(t *rapid.T) {
				n := number.Draw(t, "n")
				if model[n] != nil {
					return
				}
				w, s := l.attempt(n), &state{attempted: true}
				model[n] = s
				switch rapid.SampledFrom([]string{"ack", "nack", "return", "lose", "unsent"}).Draw(t, "outcome") {
				case "ack":
					s.confirmed = l.confirm(w)
				case "nack":
					w.Or(nacked)
					s.nacked = true
				case "return":
					w.Or(returned)
					s.returned = true
					if l.confirm(w) {
						t.Fatal("a returned task was confirmed")
					}
				case "lose":
					w.Or(unknown)
					s.unknown = true
				}
			},
			"process": func(t *rapid.T) {
				n := number.Draw(t, "n")
				again := rapid.Bool().Draw(t, "redelivered")
				first, expected := l.processed(n, again)
				s := model[n]
				if expected != (s != nil) {
					t.Fatalf("task %d: expected %v", n, expected)
				}
				if s == nil {
					stray++
					return
				}
				if first != (s.first+s.again == 0) {
					t.Fatalf("task %d: first %v after %+v", n, first, *s)
				}
				if again {
					s.again++
				} else {
					s.first++
				}
			},
			"": func(t *rapid.T) {
				want := account{unexpected: stray}
				for _, s := range model {
					want.attempted++
					if s.confirmed {
						want.confirmed++
					}
					if s.nacked {
						want.nacked++
					}
					if s.returned {
						want.returned++
					}
					if s.unknown {
						want.unknown++
					}
					if s.first+s.again > 0 {
						want.processed++
						if s.unknown {
							want.recovered++
						}
					} else if s.confirmed {
						want.lost++
					}
					if s.first > 1 {
						want.duplicated++
					} else if s.first+s.again > 1 {
						want.explained++
					}
				}
				if diff := cmp.Diff(want, l.account(), cmp.AllowUnexported(account{}), figuresOnly); diff != "" {
					t.Fatalf("(-want +got)\n%s", diff)
				}
				if got := l.outstanding.Load(); got != want.lost {
					t.Fatalf("outstanding %d, want %d", got, want.lost)
				}
			},
		})
	})
}

// TestLedgerKeepsCountWhenConfirmAndProcessingRace: the agents may process a
// task before its publisher sees the confirm.
func TestLedgerKeepsCountWhenConfirmAndProcessingRace(t *testing.T) {
	const n = 20000
	l := newLedger(10) // it must grow under way
	var wg sync.WaitGroup
	ready := make(chan int64, 64)
	for w := range 4 {
		wg.Go(func() {
			for i := int64(w); i < n; i += 4 {
				word := l.attempt(i)
				ready <- i
				l.confirm(word)
			}
		})
	}
	var agents sync.WaitGroup
	for range 4 {
		agents.Go(func() {
			for i := range ready {
				l.processed(i, false)
			}
		})
	}
	wg.Wait()
	close(ready)
	agents.Wait()
	want := account{attempted: n, confirmed: n, processed: n}
	if diff := cmp.Diff(want, l.account(), cmp.AllowUnexported(account{}), figuresOnly); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := l.outstanding.Load(); got != 0 {
		t.Errorf("outstanding %d", got)
	}
}

// TestLedgerCountsDoNotOverflow: a task processed more often than its counter
// holds stays a duplicate and touches no other bit.
func TestLedgerCountsDoNotOverflow(t *testing.T) {
	l := newLedger(1)
	l.confirm(l.attempt(0))
	for range 1000 {
		l.processed(0, false)
		l.processed(0, true)
	}
	want := account{attempted: 1, confirmed: 1, processed: 1, duplicated: 1}
	if diff := cmp.Diff(want, l.account(), cmp.AllowUnexported(account{}), figuresOnly); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestTheFirstTasksThatAreLostAreNamed(t *testing.T) {
	l := newLedger(1)
	for n := range int64(7) {
		l.confirm(l.attempt(n))
	}
	l.processed(1, false)
	l.processed(1, false)
	a := l.account()
	if got := examples.Text(a.lostOnes.Names(), ": number ", 0) + examples.Text(a.duplicatedOnes.Names(), ": number ", 0); got != ": number 0, 2, 3, 4, 5 …: number 1" {
		t.Errorf("named %q", got)
	}
}
