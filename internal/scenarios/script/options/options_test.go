package options

import (
	"strings"
	"testing"
	"time"
)

func parse(t *testing.T, text string, f Flags) *Options {
	t.Helper()
	o, err := Parse([]byte(text), f, nil)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestShortcutsMakeTheScenarioThatTheyMean(t *testing.T) {
	for text, want := range map[string]Scenario{
		`{}`:                               {Executor: PerVUIterations, VUs: 1, Iterations: 1, Duration: maxDuration},
		`{"vus":10,"duration":"30s"}`:      {Executor: ConstantVUs, VUs: 10, Duration: 30 * time.Second},
		`{"vus":"10","iterations":100}`:    {Executor: SharedIterations, VUs: 10, Iterations: 100, Duration: maxDuration},
		`{"iterations":5,"duration":"1m"}`: {Executor: SharedIterations, VUs: 1, Iterations: 5, Duration: time.Minute},
		`{"stages":[{"duration":"1m30s","target":20},{"duration":"0s","target":0}]}`: {Executor: RampingVUs, VUs: 1, StartVUs: 1},
		`{"vus":0,"stages":[{"duration":"1s","target":20}]}`:                         {Executor: RampingVUs, VUs: 0, StartVUs: 0},
	} {
		got := parse(t, text, Flags{}).Scenarios[0]
		if got.Executor != want.Executor || got.VUs != want.VUs || got.Iterations != want.Iterations || got.Duration != want.Duration || got.StartVUs != want.StartVUs {
			t.Errorf("%s is %+v, want %+v", text, got, want)
		}
	}
}

func TestFlagsReplaceTheLoadOfAScript(t *testing.T) {
	script := `{"scenarios":{"a":{"executor":"constant-vus","vus":1,"duration":"1m","exec":"a"}}}`
	got := parse(t, script, Flags{VUs: 5, Duration: time.Second}).Scenarios
	if len(got) != 1 || got[0].Name != Main || got[0].VUs != 5 || got[0].Exec != "default" {
		t.Errorf("got %+v", got)
	}
	if _, err := Parse([]byte(script), Flags{VUs: 5}, nil); err == nil {
		t.Error("-u alone beside scenarios is silent")
	}
}

func TestFaultsNameTheirPlace(t *testing.T) {
	for text, want := range map[string]string{
		`{"vus":0,"duration":"x"}`:                                                          `options.duration: "x" is no time`,
		`{"scenarios":{"a":{"executor":"constant-vu"}}}`:                                    `did you mean constant-vus?`,
		`{"scenarios":{"a":{"executor":"constant-vus","vus":1,"duration":"1s","rate":5}}}`:  `options.scenarios.a.rate: constant-vus has no such setting`,
		`{"scenarios":{"a":{"executor":"constant-arrival-rate","rate":5,"duration":"1s"}}}`: `preAllocatedVUs is missing`,
		`{"scenarios":{"a":{"executor":"constant-vus","vus":0,"duration":"1s"}}}`:           `has 0 users`,
		`{"vus":0,"duration":"1s"}`:                                                         `has 0 users`,
		`{"vus":0,"iterations":3}`:                                                          `has 0 users`,
		`{"vus":1000000,"duration":"1s"}`:                                                   `at most 100000`,
		`{"thresholds":{"http_req_duration":[{"threshold":"p(95)<1","abort":true}]}}`:       `there is no such key`,
		`{"tlsAuth":[{"cert":"x","key":"hush"}]}`:                                           `options.tlsAuth[0]: cert and key are texts in PEM form`,
	} {
		_, err := Parse([]byte(text), Flags{}, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func TestUnknownOptionsAreNamed(t *testing.T) {
	o := parse(t, `{"dicardResponseBodies":true,"ext":{}}`, Flags{})
	if len(o.Warnings) != 2 || !strings.Contains(o.Warnings[0], `did you mean "discardResponseBodies"?`) || !strings.Contains(o.Warnings[1], "options.ext") {
		t.Errorf("got %q", o.Warnings)
	}
}

func TestAGracefulRampDownIsNotLeftOutInSilence(t *testing.T) {
	o := parse(t, `{"scenarios":{"a":{"executor":"ramping-vus","gracefulRampDown":"0s","stages":[{"duration":"1s","target":2}]}}}`, Flags{})
	if len(o.Warnings) != 1 || !strings.Contains(o.Warnings[0], "options.scenarios.a.gracefulRampDown: is left out") {
		t.Errorf("got %q", o.Warnings)
	}
}

func TestThresholdsInPerfctlsGrammar(t *testing.T) {
	o := parse(t, `{"thresholds":{"http_req_failed":["rate<0.01"],"http_req_duration{type:api, name:\"x y\"}":[{"threshold":"p(95)<500","abortOnFail":true,"delayAbortEval":"10s"}],"dropped_iterations":"count<5"}}`, Flags{})
	var got []string
	for _, x := range o.Thresholds {
		got = append(got, x.Text())
	}
	if strings.Join(got, "|") != `arrivals_dropped: count<5|"http_req_duration{name:x y,type:api}": p(95)<500|http_req_failed: rate<0.01` {
		t.Errorf("got %q", got)
	}
	x := o.Thresholds[1]
	if !x.Abort || x.Delay != 10*time.Second || x.Tags["name"] != "x y" || x.Tags["type"] != "api" {
		t.Errorf("got %+v", x)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`{"vus":1,"stages":[{"duration":"1s","target":1}],"thresholds":{"a{b:c}":["x"]}}`)
	f.Fuzz(func(_ *testing.T, text string) { _, _ = Parse([]byte(text), Flags{}, nil) })
}
