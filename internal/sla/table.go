package sla

import (
	"github.com/perfctl/perfctl/internal/strictyaml"
)

// DecodeTable reads the rules of an SLA file. All its problems are returned at
// once, each with its place, as a *strictyaml.Errors.
func DecodeTable(file string, data []byte) ([]Rule, error) {
	var rules []Rule
	lines := map[string]int{}
	err := strictyaml.Parse(file, data, readTable(func(r Rule, item strictyaml.Value) {
		// Results are told apart by the name of their rule.
		if line, twice := lines[r.Name]; twice {
			item.Add("the name %q is that of the rule in line %d, too", r.Name, line)
			return
		}
		lines[r.Name] = r.Pos.Line
		rules = append(rules, r)
	}))
	return rules, err
}

// Describe returns what an SLA file may hold.
func Describe() strictyaml.Description {
	return strictyaml.Describe(readTable(func(Rule, strictyaml.Value) {}))
}

// ShapeScenario is the name of the shape of a scenario's name.
const ShapeScenario = "scenario"

// readTable reads an SLA file and hands on each rule that is sound.
func readTable(found func(Rule, strictyaml.Value)) func(strictyaml.Value, *strictyaml.Collector) {
	return func(root strictyaml.Value, _ *strictyaml.Collector) {
		root.Map("the SLA file", strictyaml.Required("rules", func(v strictyaml.Value) {
			v.List("the rules", func(_ int, item strictyaml.Value) {
				if r, ok := readRule(item); ok {
					found(r, item)
				}
			})
		}))
	}
}

func readRule(v strictyaml.Value) (Rule, bool) {
	var name, action, scenario string
	var rule Rule
	class, severity, judge := "", string(Fail), "run"
	ok := v.Map("a rule",
		strictyaml.Required("name", strictyaml.String(&name)),
		strictyaml.Required("threshold", func(v strictyaml.Value) {
			text, ok := v.Scalar()
			if !ok {
				return
			}
			r, err := ParseThreshold(text)
			if err != nil {
				v.Add("%v", err)
			}
			rule = r
		}).Help("metric{tags}: statistic op value, as in response_time{stage:peak}: p(95) < 500ms"),
		strictyaml.Optional("severity", oneOf(&severity, string(Fail), string(Warn))).Help("fail: exit 99; warn: told"),
		strictyaml.Optional("class", oneOf(&class, "normal", "high", "spike")).Help("only judged stages of this class"),
		strictyaml.Optional("judge", oneOf(&judge, "run", "stages")).Help("stages: each judged stage, and all of them together"),
		strictyaml.Optional("scenario", func(v strictyaml.Value) {
			v.Named(ShapeScenario)
			strictyaml.String(&scenario)(v)
		}).Help("only runs that have this scenario"),
		strictyaml.Optional("action", strictyaml.String(&action)).Help("printed where the rule is missed"),
	)
	rule.Name, rule.Action, rule.Severity, rule.Class, rule.Scenario = name, action, Severity(severity), class, scenario
	rule.PerStage = judge == "stages"
	rule.Pos = v.Pos()
	return rule, ok
}

// oneOf reads one of a few words.
func oneOf(p *string, choices ...string) strictyaml.Reader {
	return func(v strictyaml.Value) {
		s, ok := v.Word(choices...)
		if !ok {
			return
		}
		for _, c := range choices {
			if s == c {
				*p = s
				return
			}
		}
		v.Add("%q is not valid here%s", s, near(s, choices))
	}
}
