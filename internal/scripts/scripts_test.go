package scripts

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/perfctl/perfctl/internal/config"
	"github.com/perfctl/perfctl/internal/profiles"
	"github.com/perfctl/perfctl/internal/scenarios/script/options"
)

func parsed(t *testing.T, text string) *options.Options {
	t.Helper()
	o, err := options.Parse([]byte(text), Flags{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// shape is what a stage offers.
type shape struct {
	Name     string
	Duration time.Duration
	From, To float64
	Users    profiles.Users
}

func shapes(p *profiles.Profile) (out []shape) {
	for _, s := range p.Stages {
		x := shape{Name: s.Name, Duration: s.Duration, From: s.From, To: s.To}
		if s.Users != nil {
			x.Users = *s.Users
		}
		out = append(out, x)
	}
	return out
}

func TestEveryExecutorBecomesItsStages(t *testing.T) {
	for text, want := range map[string][]shape{
		`{"vus":10,"duration":"30s"}`: {{Name: "default", Duration: 30 * time.Second, Users: profiles.Users{From: 10, To: 10}}},
		`{"vus":5,"iterations":50}`:   {{Name: "default", Duration: 10 * time.Minute, Users: profiles.Users{From: 5, To: 5, Iterations: 50}}},
		`{}`:                          {{Name: "default", Duration: 10 * time.Minute, Users: profiles.Users{From: 1, To: 1, PerUser: 1}}},
		`{"stages":[{"duration":"1m","target":20},{"duration":"0s","target":5},{"duration":"1m","target":5},{"duration":"10s","target":0},{"duration":"5s","target":0}]}`: {
			{Name: "default-1", Duration: time.Minute, Users: profiles.Users{From: 1, To: 20}},
			{Name: "default-3", Duration: time.Minute, Users: profiles.Users{From: 5, To: 5}},
			{Name: "default-4", Duration: 10 * time.Second, Users: profiles.Users{From: 5}},
			{Name: "default-5", Duration: 5 * time.Second}},
		`{"scenarios":{"a":{"executor":"constant-arrival-rate","rate":120,"timeUnit":"1m","duration":"1m","preAllocatedVUs":5,"startTime":"10s"}}}`: {
			{Name: "wait", Duration: 10 * time.Second}, {Name: "a", Duration: time.Minute, From: 2, To: 2}},
		`{"scenarios":{"a":{"executor":"ramping-arrival-rate","startRate":10,"stages":[{"duration":"1m","target":50}],"preAllocatedVUs":5}}}`: {
			{Name: "a-1", Duration: time.Minute, From: 10, To: 50}},
		`{"scenarios":{"a":{"executor":"constant-vus","vus":3,"duration":"1m"},"b":{"executor":"per-vu-iterations","vus":2,"iterations":5,"startTime":"2m","maxDuration":"1m"}}}`: {
			{Name: "a", Duration: time.Minute, Users: profiles.Users{From: 3, To: 3}},
			{Name: "wait", Duration: time.Minute},
			{Name: "b", Duration: time.Minute, Users: profiles.Users{From: 2, To: 2, PerUser: 5}}},
		`{"scenarios":{"a":{"executor":"constant-vus","vus":3,"duration":"1m"},"b":{"executor":"constant-arrival-rate","rate":30,"timeUnit":"1m","duration":"1m","preAllocatedVUs":4,"startTime":"30s"},"c":{"executor":"ramping-vus","startVUs":0,"stages":[{"duration":"10s","target":5}],"startTime":"90s"}}}`: {
			{Name: "a+b", Duration: 90 * time.Second, Users: profiles.Users{From: 7, To: 7, Guide: "a 3 users, b 0.5/s from 30s"}},
			{Name: "c-1", Duration: 10 * time.Second, Users: profiles.Users{To: 5}}},
	} {
		p := Profile("dir/my script.js", parsed(t, text))
		if diff := cmp.Diff(want, shapes(p)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", text, diff)
		}
		if _, err := profiles.Compile(p.Stages, profiles.Options{}); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if p.Name != "my-script" {
			t.Errorf("the profile is named %q", p.Name)
		}
	}
}

func TestOnlyThresholdsThatSayItEndTheRun(t *testing.T) {
	given, err := config.ReadRules("", []string{"http_reqs: count>1"})
	if err != nil {
		t.Fatal(err)
	}
	o := parsed(t, `{"thresholds":{"http_req_failed":[{"threshold":"rate<0.01","abortOnFail":true,"delayAbortEval":"10s"}],"http_req_duration{type:api}":["p(95)<500"]}}`)
	r, abort, err := judging(given, o)
	if err != nil || !abort || len(r.Table) != 0 || len(r.Own) != 3 {
		t.Fatalf("%v, abort %v: %+v", err, abort, r)
	}
	got := map[string]time.Duration{}
	for _, x := range r.Own {
		got[x.Metric] = x.After
	}
	want := map[string]time.Duration{"http_req_failed": 10 * time.Second, "http_req_duration{type:api}": never, "http_reqs": never}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, x := range r.Own {
		if x.AtOnce != (x.Metric == "http_req_failed") {
			t.Errorf("%s ends the run at once: %v", x.Metric, x.AtOnce)
		}
	}
	if _, _, err := judging(given, parsed(t, `{"thresholds":{"checks":["p95<1 and"]}}`)); err == nil {
		t.Error("a condition that is none is silent")
	}
}

func TestStagesAsTheyAreTyped(t *testing.T) {
	got, err := ParseStages([]string{"30s:100,1m:0"})
	if err != nil || len(got) != 2 || got[0] != (options.Stage{Duration: 30 * time.Second, Target: 100}) {
		t.Errorf("%v %v", got, err)
	}
	if _, err := ParseStages([]string{"30s"}); err == nil {
		t.Error("a stage without users is silent")
	}
}
