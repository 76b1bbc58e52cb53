// Package options reads what a k6 script exports as options, and the flags that a
// k6 user types, into plain values. It knows no profile and runs nothing.
package options

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/perfctl/perfctl/internal/suggest"
)

// The executors.
const (
	SharedIterations    = "shared-iterations"
	PerVUIterations     = "per-vu-iterations"
	ConstantVUs         = "constant-vus"
	RampingVUs          = "ramping-vus"
	ConstantArrivalRate = "constant-arrival-rate"
	RampingArrivalRate  = "ramping-arrival-rate"
)

// Executors are the names of all executors.
var Executors = []string{SharedIterations, PerVUIterations, ConstantVUs, RampingVUs, ConstantArrivalRate, RampingArrivalRate}

// Options is what a script says about its run.
type Options struct {
	// Scenarios are in the order of their start, those that start together by name.
	Scenarios []Scenario
	// Thresholds are in the order of their names.
	Thresholds []Threshold
	// Tags are put on every sample.
	Tags map[string]string

	SetupTimeout, TeardownTimeout, MinIterationDuration time.Duration
	NoConnectionReuse, Insecure, DiscardBodies, Throw   bool
	KeepCookies, NoSetup, NoTeardown, NoThresholds      bool
	Hosts                                               map[string]string
	BlockHostnames                                      []string
	UserAgent                                           string
	MaxRedirects, Batch, BatchPerHost                   int
	RPS                                                 float64
	SummaryTrendStats                                   []string
	SummaryTimeUnit                                     string
	// Certificates are shown to servers that ask for one.
	Certificates []Certificate

	// JSON is the options as the script sees them, scenarios filled in.
	JSON string
	// Warnings say what is left out, each with its name.
	Warnings []string
}

// Scenario is one of the script's scenarios.
type Scenario struct {
	Name, Executor, Exec    string
	Env, Tags               map[string]string
	StartTime, GracefulStop time.Duration
	VUs, MaxVUs             int
	Iterations              int64
	Duration                time.Duration // of iterations, the longest that they may take
	Rate, TimeUnit          float64       // iterations per TimeUnit seconds
	Stages                  []Stage
	StartVUs                int
}

// Stage is a ramp of a scenario: to Target over Duration.
type Stage struct {
	Duration time.Duration
	Target   float64
}

// Threshold is one condition on a metric.
type Threshold struct {
	// Key is the metric with its tags, as the script writes it; Metric and Tags are
	// its parts.
	Key, Metric string
	Tags        map[string]string
	// Condition is the expression.
	Condition string
	// Place is where it stands in the script, as FILE:LINE with a colon and a space behind
	// it; empty for not known.
	Place string
	// Abort ends the run where the condition fails, not before Delay.
	Abort bool
	Delay time.Duration
}

// Flags are what a user types in place of the script's own load.
type Flags struct {
	VUs        int
	Duration   time.Duration
	Iterations int64
	Stages     []Stage
	// Planned says that the load was planned before, with the user's flags: what the
	// script says of it is not looked at for faults again.
	Planned bool
}

func (f Flags) any() bool {
	return f.VUs > 0 || f.Duration > 0 || f.Iterations > 0 || len(f.Stages) > 0
}

// Length is how long the scenario goes on at most, its start apart.
func (s *Scenario) Length() time.Duration {
	if s.Executor != RampingVUs && s.Executor != RampingArrivalRate {
		return s.Duration
	}
	var d time.Duration
	for _, x := range s.Stages {
		d += x.Duration
	}
	return d
}

// End is when the scenario ends, from the run's start.
func (s *Scenario) End() time.Duration { return s.StartTime + s.Length() }

// Users is the most users that it has.
func (s *Scenario) Users() int {
	switch s.Executor {
	case RampingVUs:
		n := s.StartVUs
		for _, x := range s.Stages {
			n = max(n, int(x.Target))
		}
		return n
	case ConstantArrivalRate, RampingArrivalRate:
		return s.MaxVUs
	}
	return s.VUs
}

// Open says whether its iterations come by a schedule.
func (s *Scenario) Open() bool {
	return s.Executor == ConstantArrivalRate || s.Executor == RampingArrivalRate
}

// A Place says where in the script an option stands, as FILE:LINE; empty where that is
// not known. The path is the names of the options from the outermost one.
type Place func(path []string) string

// Parse reads options in JSON. All faults are returned at once; where is nil where the
// place of an option is not known.
func Parse(data []byte, f Flags, where Place) (*Options, error) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, fmt.Errorf("options: %w", err)
	}
	p := &parser{o: &Options{SetupTimeout: 60 * time.Second, TeardownTimeout: 60 * time.Second, MaxRedirects: 10, Batch: 20, BatchPerHost: 6}}
	p.where = where
	for _, k := range keys(raw) {
		p.at = "options." + k
		p.option(k, raw[k])
	}
	p.load(f)
	slices.SortStableFunc(p.o.Scenarios, func(a, b Scenario) int { return int(min(max(a.StartTime-b.StartTime, -1), 1)) })
	if len(p.errs) > 0 {
		return nil, errors.Join(p.errs...)
	}
	p.o.JSON = filled(raw, p.o.Scenarios)
	return p.o, nil
}

type parser struct {
	o     *Options
	at    string
	main  shortcuts
	errs  []error
	where Place
}

// shortcuts are the options that make one scenario by themselves.
type shortcuts struct {
	vus        int
	iterations int64
	duration   time.Duration
	stages     []Stage
	hasStages  bool
	hasVUs     bool // which may be 0: none to begin stages with
}

func (p *parser) fault(format string, args ...any) {
	p.errs = append(p.errs, fmt.Errorf("%s%s: %s", p.place(), p.at, fmt.Sprintf(format, args...)))
}

func (p *parser) warn(format string, args ...any) {
	p.o.Warnings = append(p.o.Warnings, p.place()+p.at+": "+fmt.Sprintf(format, args...))
}

var step = regexp.MustCompile(`\["([^"]*)"\]|\[\d+\]|([^.\[\]]+)`)

// place is where what is being read stands in the script, with a colon behind it; empty
// for not known.
func (p *parser) place() string {
	if p.where == nil || !strings.HasPrefix(p.at, "options") {
		return ""
	}
	var path []string
	for _, m := range step.FindAllStringSubmatch(p.at, -1) {
		if name := m[1] + m[2]; name != "" {
			path = append(path, name)
		}
	}
	if at := p.where(path); at != "" {
		return at + ": "
	}
	return ""
}

func keys[T any](m map[string]T) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// ignored are options that change nothing here, with why.
var ignored = map[string]string{
	"ext": "it is for the cloud of k6", "cloud": "it is for the cloud of k6",
	"summaryMode": "perfctl's own summary is printed", "systemTags": "perfctl's tags are fixed", "noVUConnectionReuse": "connections are kept for the whole run, not for a user's iteration",
	"console-output": "the console goes to stderr", "linger": "perfctl ends when the run does", "paused": "perfctl starts at once; use --start-at",
	"noUsageReport": "perfctl reports nothing to anybody", "httpDebug": "use -v and --trace", "dns": "names are resolved by the system for each connection",
	"tlsVersion": "TLS 1.2 and newer are offered", "tlsCipherSuites": "Go's own choice of ciphers is offered", "userAgents": "it is no option of k6",
	"executionSegment": "use --shard I/N", "executionSegmentSequence": "use --shard I/N", "summaryExport": "use --json > FILE",
	"handleSummaryTimeout": "the summary has two minutes", "minIterationDurationCI": "it is no option of k6",
}

// unable are options that change the load and are not there.
var unable = map[string]string{
	"localIPs": "source addresses cannot be chosen", "blacklistIPs": "addresses cannot be blacklisted; --allow-target says what may be loaded",
}

var names = []string{"vus", "iterations", "duration", "stages", "scenarios", "thresholds", "tags", "setupTimeout", "teardownTimeout",
	"minIterationDuration", "noConnectionReuse", "insecureSkipTLSVerify", "discardResponseBodies", "throw", "noCookiesReset", "hosts",
	"userAgent", "maxRedirects", "batch", "batchPerHost", "rps", "summaryTrendStats", "summaryTimeUnit", "noThresholds", "blockHostnames", "tlsAuth"}

// option reads one option.
func (p *parser) option(k string, v json.RawMessage) {
	if string(v) == "null" {
		return
	}
	o := p.o
	switch k {
	case "vus":
		p.main.vus, p.main.hasVUs = int(p.whole(v)), true
	case "iterations":
		p.main.iterations = p.whole(v)
	case "duration":
		p.main.duration = p.duration(v)
	case "stages":
		p.main.stages, p.main.hasStages = p.stages(v), true
	case "scenarios":
		p.scenarios(v)
	case "thresholds":
		p.thresholds(v)
	case "tags":
		o.Tags = p.texts(v)
	case "setupTimeout":
		o.SetupTimeout = p.duration(v)
	case "teardownTimeout":
		o.TeardownTimeout = p.duration(v)
	case "minIterationDuration":
		o.MinIterationDuration = p.duration(v)
	case "hosts":
		o.Hosts = p.texts(v)
	case "userAgent":
		o.UserAgent = p.text(v)
	case "summaryTimeUnit":
		o.SummaryTimeUnit = p.text(v)
	case "summaryTrendStats":
		o.SummaryTrendStats = p.trendStats(v)
	case "blockHostnames":
		o.BlockHostnames = p.list(v)
	case "tlsAuth":
		p.certificates(v)
	case "maxRedirects":
		o.MaxRedirects = int(p.whole(v))
	case "batch":
		o.Batch = int(p.whole(v))
	case "batchPerHost":
		o.BatchPerHost = int(p.whole(v))
	case "rps":
		o.RPS = p.number(v)
	default:
		p.switches(k, v)
	}
}

// switches reads the options that are true or false, and those that are not there.
func (p *parser) switches(k string, v json.RawMessage) {
	o := p.o
	if to := map[string]*bool{
		"noConnectionReuse": &o.NoConnectionReuse, "insecureSkipTLSVerify": &o.Insecure, "discardResponseBodies": &o.DiscardBodies,
		"throw": &o.Throw, "noCookiesReset": &o.KeepCookies, "noThresholds": &o.NoThresholds, "noSetup": &o.NoSetup, "noTeardown": &o.NoTeardown,
	}[k]; to != nil {
		if err := json.Unmarshal(v, to); err != nil {
			p.fault("is true or false, not %s", v)
		}
		return
	}
	if why, ok := ignored[k]; ok {
		p.warn("is left out: %s", why)
		return
	}
	if why, ok := unable[k]; ok {
		p.fault("%s", why)
		return
	}
	if near, ok := suggest.Nearest(k, names); ok {
		p.warn("is no option and does nothing; did you mean %q?", near)
		return
	}
	p.warn("is no option and does nothing")
}

func (p *parser) number(v json.RawMessage) float64 {
	var n float64
	var text string
	err := json.Unmarshal(v, &n)
	if err != nil && json.Unmarshal(v, &text) == nil {
		// __ENV holds texts, and scripts pass them on.
		n, err = strconv.ParseFloat(strings.TrimSpace(text), 64)
	}
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		p.fault("is a number, not %s", v)
		return 0
	}
	return n
}

func (p *parser) whole(v json.RawMessage) int64 {
	n := p.number(v)
	if n != math.Trunc(n) || n < 0 || n > 1e12 {
		p.fault("is a whole number from 0, not %s", v)
		return 0
	}
	return int64(n)
}

func (p *parser) text(v json.RawMessage) string {
	var s string
	if err := json.Unmarshal(v, &s); err != nil {
		p.fault("is a text, not %s", v)
	}
	return s
}

func (p *parser) texts(v json.RawMessage) map[string]string {
	var m map[string]any
	if err := json.Unmarshal(v, &m); err != nil {
		p.fault("is an object of texts, not %s", v)
		return nil
	}
	out := make(map[string]string, len(m))
	for k, x := range m {
		switch y := x.(type) {
		case string:
			out[k] = y
		case float64, bool:
			out[k] = fmt.Sprint(y)
		case nil:
		default:
			p.fault("%s is no text", k)
		}
	}
	return out
}

func (p *parser) duration(v json.RawMessage) time.Duration {
	var ms float64
	if json.Unmarshal(v, &ms) == nil {
		return time.Duration(ms * float64(time.Millisecond))
	}
	var s string
	if err := json.Unmarshal(v, &s); err != nil {
		p.fault("is a time such as \"30s\", not %s", v)
		return 0
	}
	d, err := Duration(s)
	if err != nil {
		p.fault("%v", err)
	}
	return d
}

var days = regexp.MustCompile(`^(\d+(?:\.\d+)?)d`)

// Duration reads a time as k6 writes it: 1d2h, 1m30s, or a number of milliseconds.
func Duration(s string) (time.Duration, error) {
	text := strings.TrimSpace(s)
	if ms, err := strconv.ParseFloat(text, 64); err == nil {
		return time.Duration(ms * float64(time.Millisecond)), nil
	}
	var d time.Duration
	if m := days.FindStringSubmatch(text); m != nil {
		n, _ := strconv.ParseFloat(m[1], 64)
		d, text = time.Duration(n*24*float64(time.Hour)), text[len(m[0]):]
		if text == "" {
			return d, nil
		}
	}
	rest, err := time.ParseDuration(text)
	if err != nil || rest < 0 {
		return 0, fmt.Errorf("%q is no time such as 30s or 1m30s", s)
	}
	return d + rest, nil
}

// filled is the options with the scenarios as they were read, so that a script
// finds the stages of shortcuts as well.
func filled(raw map[string]json.RawMessage, list []Scenario) string {
	if _, own := raw["scenarios"]; !own {
		all := map[string]any{}
		for _, s := range list {
			one := map[string]any{"executor": s.Executor, "exec": s.Exec}
			var stages []map[string]any
			for _, x := range s.Stages {
				stages = append(stages, map[string]any{"duration": x.Duration.String(), "target": x.Target})
			}
			if stages != nil {
				one["stages"] = stages
			}
			if s.VUs > 0 {
				one["vus"] = s.VUs
			}
			if s.Iterations > 0 {
				one["iterations"] = s.Iterations
			}
			if s.Duration > 0 {
				one["duration"] = s.Duration.String()
			}
			all[s.Name] = one
		}
		raw["scenarios"], _ = json.Marshal(all)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(raw)
	return strings.TrimSpace(b.String())
}
