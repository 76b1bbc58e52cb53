// Package api is the scenario of requests to an HTTP API. It holds no driver and
// no other scenario; what a request and an answer are is in request and answer.
package api

import (
	"fmt"
	"strings"
	"time"

	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/scenarios/answer"
	"github.com/perfctl/perfctl/internal/scenarios/data"
	"github.com/perfctl/perfctl/internal/scenarios/request"
	"github.com/perfctl/perfctl/internal/scenarios/template"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/httpapi"
)

// The names of the settings.
const (
	keyRequests    = "requests"
	keyMethod      = "method"
	keyPath        = "path"
	keyHeaders     = "headers"
	keyBody        = "body"
	keyStatus      = "expect_status"
	keyChecks      = "checks"
	keyData        = "data"
	keyDataOrder   = "data_order"
	keyTimeout     = "timeout"
	keyHTTPVersion = "http_version"
	keyReuse       = "reuse"
)

// Definition returns the scenario's definition.
func Definition() scenarios.Definition {
	return scenarios.Definition{
		Name:    "api",
		Summary: "send an HTTP request to API_BASE_URL and read the whole answer; done when its body ended and everything checked of it holds",
		Targets: []targets.Kind{targets.API},
		Settings: append([]scenarios.Option{
			{Key: keyRequests, Default: "", Type: scenarios.File{Valid: validRequests}, Help: "file (YAML) with several requests and their weights, in place of method, path, headers, body, expect_status and checks"},
			{Key: keyMethod, Default: "GET", Type: scenarios.Enum(request.Methods), PerStage: true, Help: "method of the request"},
			{Key: keyPath, Default: "/", Type: scenarios.Text{Valid: validPath}, PerStage: true, Help: "path and query below API_BASE_URL; it may hold fields, as in /tasks/{{random 1 100}}"},
			{Key: keyHeaders, Default: "", Type: scenarios.Text{Valid: validHeaders}, Help: "headers, as in 'Content-Type: application/json | X-Key: {{n}}'"},
			{Key: keyBody, Default: "", Type: scenarios.Text{Valid: validText}, PerStage: true, Help: "body of the request, with fields"},
			{Key: keyStatus, Default: request.DefaultStatusText, Type: scenarios.Text{Valid: validStatus}, PerStage: true, Help: "statuses that are a success, as in 201 or 2xx, 404"},
			{Key: keyChecks, Default: "", Type: scenarios.Text{Valid: validChecks}, PerStage: true, Help: "what else the answer must be, as in 'json task.state: done | header ETag present: true'"},
			{Key: keyData, Default: "", Type: scenarios.File{Valid: validData}, Help: "file of rows (CSV, TSV, NDJSON, JSON array), one for each arrival: {{data.COLUMN}}; a file of requests may name one of its own"},
			{Key: keyDataOrder, Default: string(data.Sequential), Type: scenarios.Enum(data.Orders), Help: "which row an arrival uses: unique is each once over all users and shards, sticky one for each user"},
			{Key: keyTimeout, Default: "30s", Type: scenarios.Duration{Min: time.Millisecond, Max: 10 * time.Minute}, Help: "bound on a request, body included"},
			{Key: keyHTTPVersion, Default: "1.1", Type: scenarios.Enum{"1.1", "2"}, Help: "HTTP version; 2 without TLS is by prior knowledge"},
			{Key: keyReuse, Default: "true", Type: scenarios.Bool{}, Help: "keep connections open between requests"},
		}, request.Settings()...),
		Fields:  template.ArrivalFields(),
		Metrics: append(httpapi.Metrics(), answer.Checks),
		New:     func(e scenarios.Env) (scenarios.Scenario, error) { return newScenario(e) },
	}
}

// blank compiles texts before there is a run, when it is not known yet which columns
// rows of data have: any may be.
func blank() *template.Fields {
	f := &template.Fields{Arrivals: &template.Arrivals{}, Names: &template.Names{}}
	f.Also = func(c template.Call) template.Field[*template.Scope] {
		if len(c.Args) == 0 && strings.HasPrefix(c.Name, data.Prefix) {
			return template.Column(0)
		}
		return nil
	}
	return f
}

func validData(path string) error {
	_, err := data.Open(path)
	return err
}

func validText(s string) error {
	_, err := blank().Compile(s)
	return err
}

func validPath(s string) error {
	_, err := request.New(blank(), "GET", s, nil, "")
	return err
}

func validHeaders(s string) error {
	list, err := parseHeaders(s)
	if err != nil {
		return err
	}
	_, err = request.New(blank(), "GET", "/", list, "")
	return err
}

// parseHeaders reads Name: value | Name: value; a | without blanks is part of a value.
func parseHeaders(s string) ([][2]string, error) {
	var out [][2]string
	for i, item := range template.Split(s, " | ") {
		if strings.TrimSpace(item) == "" {
			continue
		}
		name, value, ok := strings.Cut(item, ":")
		if name = strings.TrimSpace(name); !ok || name == "" || strings.ContainsAny(name, " \t") {
			// What it holds may be a secret.
			return nil, fmt.Errorf("header %d is not of the form Name: value; several stand with \" | \" between them", i+1)
		}
		out = append(out, [2]string{name, strings.TrimSpace(value)})
	}
	return out, nil
}

func validStatus(s string) error {
	_, err := answer.ParseStatuses(s)
	return err
}

func validChecks(s string) error {
	_, err := parseChecks(s, blank())
	return err
}

// parseChecks reads PLACE: WANT | PLACE: WANT.
func parseChecks(s string, fields *template.Fields) ([]*answer.Check, error) {
	var out []*answer.Check
	for _, item := range template.Split(s, " | ") {
		if strings.TrimSpace(item) == "" {
			continue
		}
		left, right, ok := strings.Cut(item, ":")
		if !ok {
			return nil, fmt.Errorf("%q is not of the form PLACE: WANT, as in json state: done", item)
		}
		c, err := answer.ParseCheck(left, strings.TrimSpace(right), request.Words, fields)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

func validRequests(path string) error {
	_, err := load(path, blank(), &data.Rows{})
	return err
}
