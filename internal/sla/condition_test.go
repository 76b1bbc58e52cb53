package sla

import "testing"

func TestAThresholdKnowsItsCondition(t *testing.T) {
	for text, want := range map[string]string{
		"response_time: p(95)<500ms":                             "p(95)<500ms",
		" response_time :  p(95) < 500ms ":                       "p(95) < 500ms",
		"response_time { stage : peak }: p(99)<2s":               "p(99)<2s",
		`response_time{operation:"a:b"}: p(99)<2s`:               "p(99)<2s",
		"drift(memory): none":                                    "none",
		`"my::metric": avg<3`:                                    "avg<3",
		"response_time{scenario:crud,stage:peak}:max<1s over 5s": "max<1s over 5s",
	} {
		r, err := ParseThreshold(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if r.Condition != want {
			t.Errorf("%s: condition %q, want %q", text, r.Condition, want)
		}
	}
}
