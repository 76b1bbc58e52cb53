package options

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/perfctl/perfctl/internal/suggest"
)

// Main is the name of the scenario of a script that names none.
const Main = "default"

// maxDuration is how long iterations may take where a script does not say.
const maxDuration = 10 * time.Minute

// load makes the scenario of shortcuts, or of the user's flags.
func (p *parser) load(f Flags) {
	m := p.main
	if f.any() {
		if len(p.o.Scenarios) > 0 && f.VUs > 0 && f.Duration == 0 && f.Iterations == 0 && len(f.Stages) == 0 {
			p.at = "-u"
			p.fault("the script has scenarios of its own: say how long as well, with -d or -i, and these are left out")
			return
		}
		if f.Duration > 0 || f.Iterations > 0 || len(f.Stages) > 0 {
			p.o.Scenarios, m = nil, shortcuts{vus: m.vus, hasVUs: m.hasVUs}
		}
		m.iterations, m.duration = max(m.iterations, f.Iterations), max(m.duration, f.Duration)
		if len(f.Stages) > 0 {
			m.stages, m.hasStages = f.Stages, true
		}
		if f.VUs > 0 {
			m.vus, m.hasVUs = f.VUs, true
		}
	}
	if len(p.o.Scenarios) > 0 {
		if m.vus > 0 || m.iterations > 0 || m.duration > 0 || m.hasStages {
			p.at = "options.scenarios"
			p.warn("vus, iterations, duration and stages beside scenarios do nothing")
		}
		return
	}
	if !m.hasVUs {
		m.vus = 1
	}
	s := Scenario{Name: Main, Exec: "default", VUs: m.vus, GracefulStop: 30 * time.Second}
	p.at = "options"
	switch {
	case m.hasStages:
		s.Executor, s.Stages, s.StartVUs = RampingVUs, m.stages, m.vus
		if m.iterations > 0 || m.duration > 0 {
			p.fault("stages stand beside duration or iterations: choose one of them")
		}
	case m.iterations > 0:
		s.Executor, s.Iterations, s.Duration = SharedIterations, m.iterations, maxDuration
		if m.duration > 0 {
			s.Duration = m.duration
		}
	case m.duration > 0:
		s.Executor, s.Duration = ConstantVUs, m.duration
	default:
		s.Executor, s.Iterations, s.Duration = PerVUIterations, 1, maxDuration
	}
	if len(p.errs) == 0 && !f.Planned { // else it follows from what was said
		p.check(&s)
	}
	p.o.Scenarios = []Scenario{s}
}

func (p *parser) stages(v json.RawMessage) (out []Stage) {
	var list []map[string]json.RawMessage
	if err := json.Unmarshal(v, &list); err != nil {
		p.fault("is a list of {duration, target}, not %s", v)
		return nil
	}
	at := p.at
	for i, x := range list {
		p.at = at + "[" + itoa(i) + "]"
		var s Stage
		for _, k := range keys(x) {
			switch k {
			case "duration":
				s.Duration = p.duration(x[k])
			case "target":
				s.Target = p.number(x[k])
			default:
				p.warn("%s does nothing: a stage has a duration and a target", k)
			}
		}
		if s.Target < 0 {
			p.fault("the target %v is below 0", s.Target)
		}
		out = append(out, s)
	}
	p.at = at
	return out
}

var scenarioName = regexp.MustCompile(`^[0-9a-zA-Z_-]+$`)

func (p *parser) scenarios(v json.RawMessage) {
	var all map[string]map[string]json.RawMessage
	if err := json.Unmarshal(v, &all); err != nil {
		p.fault("is an object of scenarios: %v", err)
		return
	}
	for _, name := range keys(all) {
		p.at = "options.scenarios." + name
		if !scenarioName.MatchString(name) {
			p.fault("a scenario's name is letters, digits, _ and -")
			continue
		}
		p.scenario(name, all[name])
	}
}

// fieldsOf are the keys of each executor besides those of all.
var fieldsOf = map[string][]string{
	SharedIterations:    {"vus", "iterations", "maxDuration"},
	PerVUIterations:     {"vus", "iterations", "maxDuration"},
	ConstantVUs:         {"vus", "duration"},
	RampingVUs:          {"startVUs", "stages", "gracefulRampDown"},
	ConstantArrivalRate: {"rate", "timeUnit", "duration", "preAllocatedVUs", "maxVUs"},
	RampingArrivalRate:  {"startRate", "timeUnit", "stages", "preAllocatedVUs", "maxVUs"},
}

var common = []string{"executor", "startTime", "gracefulStop", "exec", "env", "tags", "options"}

func (p *parser) scenario(name string, raw map[string]json.RawMessage) {
	at := p.at
	s := Scenario{Name: name, Exec: "default", GracefulStop: 30 * time.Second, TimeUnit: 1, VUs: 1, StartVUs: 1}
	if x, ok := raw["executor"]; ok {
		s.Executor = p.text(x)
	}
	own, ok := fieldsOf[s.Executor]
	if !ok {
		hint := "; there are " + strings.Join(Executors, ", ")
		if near, ok := suggest.Nearest(s.Executor, Executors); ok {
			hint = "; did you mean " + near + "?"
		}
		p.fault("no executor is named %q%s", s.Executor, hint)
		return
	}
	if s.Executor == SharedIterations || s.Executor == PerVUIterations {
		s.Iterations, s.Duration = 1, maxDuration
	}
	prealloc := 0
	for _, k := range keys(raw) {
		v := raw[k]
		p.at = at + "." + k
		if string(v) == "null" || k == "executor" {
			continue
		}
		if !slices.Contains(own, k) && !slices.Contains(common, k) {
			all := append(slices.Clone(own), common...)
			hint := "; it has " + strings.Join(all, ", ")
			if near, ok := suggest.Nearest(k, all); ok {
				hint = "; did you mean " + near + "?"
			}
			p.fault("%s has no such setting%s", s.Executor, hint)
			continue
		}
		p.field(&s, k, v, &prealloc)
	}
	p.at = at
	if s.Open() {
		if prealloc == 0 && s.MaxVUs == 0 {
			p.fault("preAllocatedVUs is missing: how many users may be in an iteration at a time")
		}
		s.MaxVUs = max(s.MaxVUs, prealloc)
	}
	p.check(&s)
	p.o.Scenarios = append(p.o.Scenarios, s)
}

func (p *parser) field(s *Scenario, k string, v json.RawMessage, prealloc *int) {
	switch k {
	case "startTime":
		s.StartTime = p.duration(v)
	case "gracefulStop":
		s.GracefulStop = p.duration(v)
	case "gracefulRampDown":
		p.duration(v)
		p.warn("is left out: a user who leaves on the way down finishes its iteration")
	case "exec":
		s.Exec = p.text(v)
	case "env":
		s.Env = p.texts(v)
	case "tags":
		s.Tags = p.texts(v)
	case "options":
		p.warn("is for the browser and does nothing")
	case "vus":
		s.VUs = int(p.whole(v))
	case "startVUs":
		s.StartVUs = int(p.whole(v))
	case "iterations":
		s.Iterations = p.whole(v)
	case "duration", "maxDuration":
		s.Duration = p.duration(v)
	case "rate", "startRate":
		s.Rate = p.number(v)
	case "timeUnit":
		s.TimeUnit = p.duration(v).Seconds()
	case "preAllocatedVUs":
		*prealloc = int(p.whole(v))
	case "maxVUs":
		s.MaxVUs = int(p.whole(v))
	case "stages":
		s.Stages = p.stages(v)
	}
}

// check finds what cannot be executed.
func (p *parser) check(s *Scenario) {
	switch {
	case s.Open() && s.TimeUnit <= 0:
		p.fault("timeUnit must be above 0")
	case s.Executor == ConstantArrivalRate && s.Rate <= 0:
		p.fault("rate must be above 0")
	case s.Executor == ConstantArrivalRate && s.Duration <= 0, s.Executor == ConstantVUs && s.Duration <= 0:
		p.fault("duration is missing, or 0")
	case (s.Executor == RampingVUs || s.Executor == RampingArrivalRate) && len(s.Stages) == 0:
		p.fault("stages are missing")
	case (s.Executor == RampingVUs || s.Executor == RampingArrivalRate) && s.Length() == 0:
		p.fault("the stages have no length")
	case !s.Open() && s.Users() == 0:
		p.fault("has 0 users, who do nothing: at least 1 vu")
	case s.Users() > 100_000:
		p.fault("asks for %d users: one process has at most 100000; share them out with --shard", s.Users())
	case s.Executor == SharedIterations && s.Iterations < int64(s.VUs):
		p.fault("iterations (%d) are fewer than vus (%d): some users would have nothing to do", s.Iterations, s.VUs)
	case (s.Executor == SharedIterations || s.Executor == PerVUIterations) && s.Iterations == 0:
		p.fault("iterations must be above 0")
	}
}
