package api

import (
	"slices"
	"strconv"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/scenarios/answer"
	"github.com/perfctl/perfctl/internal/scenarios/data"
	"github.com/perfctl/perfctl/internal/scenarios/request"
	"github.com/perfctl/perfctl/internal/scenarios/template"
	"github.com/perfctl/perfctl/internal/strictyaml"
	"github.com/perfctl/perfctl/internal/targets/httpapi"
)

// call is one request with what its answer must be.
type call struct {
	name    string
	weight  int64
	request *request.Request
	// statuses are a success; nil where a check looks at the status.
	statuses []answer.Range
	checks   []*answer.Check
	keep     bool
	phases   *httpapi.Phases
	held     *metrics.Rate
}

// load reads a file of requests; rows are those of the settings, which its own replace.
// The error is an *strictyaml.Errors with every problem.
func load(path string, fields *template.Fields, rows *data.Rows) ([]*call, error) {
	text, err := scenarios.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var out []*call
	err = strictyaml.Parse(path, text, readRequests(path, fields, rows, func(c *call) { out = append(out, c) }))
	if err != nil {
		return nil, err
	}
	return out, nil
}

// DescribeRequests returns what a file of requests may hold.
func DescribeRequests() strictyaml.Description {
	return strictyaml.Describe(readRequests("", blank(), &data.Rows{}, func(*call) {}))
}

// readRequests reads a file of requests and hands on each that is sound.
func readRequests(path string, fields *template.Fields, rows *data.Rows, found func(*call)) func(strictyaml.Value, *strictyaml.Collector) {
	return func(root strictyaml.Value, _ *strictyaml.Collector) {
		var of, requests strictyaml.Value
		has := false
		whole := root.Map("a file of requests",
			strictyaml.Optional("data", func(v strictyaml.Value) { of, has = v, true }).Help(data.Help),
			strictyaml.Required("requests", func(v strictyaml.Value) { requests = v }))
		if has { // what requests may use is known first, whatever the file's order
			rows.Read(path)(of)
		}
		if !whole {
			return
		}
		rows.Into(fields)
		if requests.List("the requests", func(i int, item strictyaml.Value) {
			if c := readCall(i, item, fields); c != nil {
				found(c)
			}
		}) {
			requests.Add("there are no requests")
		}
	}
}

func readCall(i int, v strictyaml.Value, fields *template.Fields) *call {
	c := &call{name: "request_" + strconv.Itoa(i+1), weight: 1, request: &request.Request{}, statuses: request.DefaultStatuses}
	keys := append(c.request.Read(fields),
		strictyaml.Optional("name", strictyaml.String(&c.name)).Help("name under which it is measured"),
		strictyaml.Optional("weight", strictyaml.Int(&c.weight, 1, 1_000_000)).Help("share of the arrivals"),
		strictyaml.Optional("check", func(of strictyaml.Value) {
			of.Entries("the checks", func(left string, _ strictyaml.Pos, right strictyaml.Value) {
				right.Note(template.MayHoldFields)
				want, ok := right.Scalar()
				if !ok {
					return
				}
				x, err := answer.ParseCheck(left, want, request.Words, fields)
				if err != nil {
					right.Add("check %s: %v", left, err)
					return
				}
				c.checks = append(c.checks, x)
			})
		}).Help(answer.CheckHelp))
	if !v.Map("a request", keys...) {
		return nil
	}
	if err := c.request.SampleJSON(&template.Scope{Arrival: &work.Arrival{}}); err != nil {
		v.Add("body: %v", err)
	}
	c.complete()
	return c
}

// complete notes what follows from the checks.
func (c *call) complete() {
	for _, x := range c.checks {
		c.keep = c.keep || x.NeedsBody()
	}
	if slices.ContainsFunc(c.checks, (*answer.Check).OfStatus) {
		c.statuses = nil
	}
}
