package sla

import "testing"

func TestAMetricInQuotationMarksMayHaveAnyName(t *testing.T) {
	r, err := ParseThreshold(`"http_req_duration{name:x y,type:api}": p(95)<500`)
	if err != nil || r.Metric != "http_req_duration{name:x y,type:api}" || r.Tags.Operation != "" {
		t.Errorf("got %+v, %v", r, err)
	}
	for _, bad := range []string{`"": p(95)<500`, `"x: p(95)<500`} {
		if _, err := ParseThreshold(bad); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
}
