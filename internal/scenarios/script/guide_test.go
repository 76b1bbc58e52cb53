package script

import (
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/scenarios/script/options"
)

func guideOf(t *testing.T, text string, shard, shards int) *guide {
	t.Helper()
	o, err := options.Parse([]byte(text), options.Flags{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return newGuide(pointers(o.Scenarios), shard, shards)
}

// follow runs the users of a guide where an iteration takes no
// time but what is given, and returns the due times by scenario.
func follow(g *guide, takes time.Duration) map[string][]time.Duration {
	out := map[string][]time.Duration{}
	users := 0
	for _, p := range g.parts {
		users = max(users, p.first+p.users)
	}
	free := make([]time.Duration, users)
	gone := make([]bool, users)
	for left := users; left > 0; {
		first := -1
		for i := range free {
			if !gone[i] && i%g.shards == g.shard && (first < 0 || free[i] < free[first]) {
				first = i
			}
		}
		if first < 0 {
			break
		}
		due, ok := g.next(first+1, free[first])
		if !ok {
			gone[first] = true
			left--
			continue
		}
		name := g.part(first + 1).of.Name
		out[name] = append(out[name], due)
		free[first] = max(due, free[first]) + takes
	}
	return out
}

const several = `{"scenarios":{
	"shared":{"executor":"shared-iterations","vus":3,"iterations":10},
	"each":{"executor":"per-vu-iterations","vus":2,"iterations":4,"startTime":"5s"},
	"steady":{"executor":"constant-vus","vus":2,"duration":"10s","startTime":"1s"},
	"ramp":{"executor":"ramping-vus","startVUs":0,"stages":[{"duration":"10s","target":10},{"duration":"10s","target":0}]},
	"rate":{"executor":"constant-arrival-rate","rate":5,"duration":"10s","preAllocatedVUs":10},
	"rising":{"executor":"ramping-arrival-rate","startRate":0,"timeUnit":"1m","stages":[{"duration":"10s","target":600},{"duration":"0s","target":60},{"duration":"10s","target":60}],"preAllocatedVUs":20}}}`

func TestEveryExecutorRunsItsIterations(t *testing.T) {
	got := follow(guideOf(t, several, 0, 1), time.Second)
	// A ramp of users 0→10→0 over 20 s is 100 user-seconds.
	for name, want := range map[string]int{"shared": 10, "each": 8, "steady": 20, "ramp": 100, "rate": 50, "rising": 60} {
		if n := len(got[name]); n != want && (name != "ramp" || n < 95 || n > 110) {
			t.Errorf("%s ran %d iterations, want %d", name, n, want)
		}
	}
	if got["each"][0] != 5*time.Second || got["steady"][0] != time.Second {
		t.Errorf("a start time is not kept: %v, %v", got["each"][0], got["steady"][0])
	}
	if got["rate"][1]-got["rate"][0] != 200*time.Millisecond {
		t.Errorf("iterations at 5/s are due at %v", got["rate"][:3])
	}
}

func TestShardsOfAGuideRunTheWholeTogether(t *testing.T) {
	whole := follow(guideOf(t, several, 0, 1), time.Second)
	sum := map[string]int{}
	for shard := range 2 {
		for name, list := range follow(guideOf(t, several, shard, 2), time.Second) {
			sum[name] += len(list)
		}
	}
	for _, name := range []string{"shared", "each", "steady", "rate", "rising"} {
		if sum[name] != len(whole[name]) {
			t.Errorf("%s: two shards run %d iterations, one process %d", name, sum[name], len(whole[name]))
		}
	}
}

func TestAUserOfARampIsThereWhileTheLineIs(t *testing.T) {
	g := guideOf(t, `{"scenarios":{"r":{"executor":"ramping-vus","startVUs":0,"stages":[{"duration":"10s","target":10},{"duration":"5s","target":10},{"duration":"10s","target":0}]}}}`, 0, 1)
	got := g.parts[0].spans[4] // half way between 4 and 5
	if len(got) != 1 || got[0] != (span{4500 * time.Millisecond, 20500 * time.Millisecond}) {
		t.Errorf("user 4 is there %v", got)
	}
}
