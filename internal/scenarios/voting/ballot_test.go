package voting

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/targets"
)

func values(t testing.TB, over ...scenarios.Override) *scenarios.Values {
	t.Helper()
	d := Definition()
	v, errs := scenarios.NewValues(&d, 2, over)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return v
}

func set(key, value string) scenarios.Override {
	return scenarios.Override{Key: key, Value: value, Stage: -1, Place: "test"}
}

func TestEveryMetricEmittedIsDeclaredAndNoOther(t *testing.T) {
	reg := metrics.NewRegistry(nil)
	d := Definition()
	if _, err := d.New(scenarios.Env{Metrics: reg, Targets: &targets.Settings{}, Values: values(t), RunID: "r", Plan: scenarios.Plan{Arrivals: 1, Workers: 1}}); err != nil {
		t.Fatal(err)
	}
	names := func(all []metrics.Desc) []string {
		var out []string
		for _, m := range all {
			out = append(out, m.Name)
		}
		slices.Sort(out)
		return out
	}
	if got, want := names(reg.Descs()), names(d.Metrics); !slices.Equal(got, want) {
		t.Errorf("registered %v, declared %v", got, want)
	}
}

func TestARoundIsEveryAgentsVoteOnEveryProposal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := layout{agents: rapid.Int64Range(1, 12).Draw(t, "agents"), proposals: rapid.Int64Range(1, 12).Draw(t, "proposals"), open: rapid.Int64Range(1, 12).Draw(t, "open")}
		rounds := rapid.Int64Range(1, 3).Draw(t, "rounds")
		type pair struct{ proposal, agent int64 }
		seen := map[pair]bool{}
		proposals := map[int64]bool{}
		votes := map[int64]int64{}
		for n := range rounds * l.round() {
			b := l.ballot(1, n)
			if b.agent < 0 || b.agent >= l.agents || b.proposal/l.proposals != n/l.round() || seen[pair{b.proposal, b.agent}] {
				t.Fatalf("vote %d is %+v", n, b)
			}
			seen[pair{b.proposal, b.agent}] = true
			proposals[b.proposal] = true
			votes[b.proposal]++
			opened := int64(0)
			for _, v := range votes {
				if v < l.agents {
					opened++
				}
			}
			if opened > l.open {
				t.Fatalf("after vote %d there are %d open proposals", n, opened)
			}
			if got := l.proposalsOf(n + 1); got != int64(len(proposals)) {
				t.Fatalf("%d votes touch %d proposals, said to be %d", n+1, len(proposals), got)
			}
		}
	})
}

func TestChoicesAreAFunctionOfTheSeed(t *testing.T) {
	l := layout{agents: 100, proposals: 50, open: 5}
	var n [choices]int
	changed := 0
	for i := range int64(10_000) {
		b := l.ballot(3, i)
		if b != l.ballot(3, i) {
			t.Fatal("one seed, two votes")
		}
		if b.choice != l.ballot(4, i).choice {
			changed++
		}
		n[b.choice]++
	}
	for choice, want := range map[int]int{yes: 7000, no: 2000, abstain: 1000} {
		if n[choice] < want-250 || n[choice] > want+250 {
			t.Errorf("choice %d: %d of 10000, want about %d", choice, n[choice], want)
		}
	}
	if changed == 0 {
		t.Error("another seed gives the same votes")
	}
}

func TestSettingsThatCannotWorkAreRefused(t *testing.T) {
	for _, c := range []struct {
		over []scenarios.Override
		want string
	}{
		{[]scenarios.Override{set(keyQuorum, "101")}, "voting.quorum"},
		{[]scenarios.Override{set(keyAgents, "1"), set(keyTally, slotted)}, "voting.agents"},
	} {
		_, err := newScenario(scenarios.Env{Metrics: metrics.NewRegistry(nil), Targets: &targets.Settings{}, Values: values(t, c.over...), RunID: "r",
			Plan: scenarios.Plan{Arrivals: 1_000_000, Workers: 1}})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want an error that names %s", err, c.want)
		}
	}
}
