package sla

import (
	"fmt"

	"github.com/perfctl/perfctl/internal/metrics"
)

// k6Names are the metrics that every k6 script has and the ones that perfctl
// measures in their place.
var k6Names = map[string]string{
	"http_req_failed":    ErrorRate,
	"iterations":         metrics.ArrivalsSucceeded.Name,
	"iteration_duration": metrics.ResponseTime.Name,
	"dropped_iterations": metrics.ArrivalsDropped.Name,
	"vus":                metrics.InFlight.Name,
	"group_duration":     metrics.StepDuration.Name,
}

// K6Metric returns perfctl's name of a metric of k6.
func K6Metric(name string) (own string, known bool) {
	own, known = k6Names[name]
	return own, known
}

// fromK6 gives a rule about a metric of k6 the one of perfctl, if the run does not
// record one of that name itself.
func (j *Judge) fromK6(r Rule) (Rule, error) {
	if _, recorded := j.units[r.Metric]; recorded {
		return r, nil
	}
	if r.Metric == "vus_max" {
		return r, fmt.Errorf("k6's vus_max is the bound that -u sets; what was used of it is %s: max", metrics.InFlight.Name)
	}
	own, known := k6Names[r.Metric]
	if !known {
		return r, nil
	}
	if _, recorded := j.units[own]; !recorded {
		return r, fmt.Errorf("k6's %s is perfctl's %s, which this run does not record", r.Metric, own)
	}
	r.Metric = own
	return r, nil
}

// expectedResponse is k6's tag of requests that did not fail. Times in perfctl are
// always those of what succeeded.
const expectedResponse = "expected_response"

// expected reads the value of that tag; done says that it was the last tag.
func (p *parser) expected() (done bool, err error) {
	if err := p.expect(":", "after the tag "+expectedResponse); err != nil {
		return false, err
	}
	if v := p.run(wordByte); v != "true" {
		return false, fmt.Errorf("%s:%s: times are always those of what succeeded; those of what failed are failure_time", expectedResponse, v)
	}
	if p.take("}") {
		return true, nil
	}
	return false, p.expect(",", "or } after a tag")
}
