package sla

import (
	"github.com/perfctl/perfctl/internal/strictyaml"
)

// DecodeTable reads the rules of an SLA file. All its problems are returned at
// once, each with its place, as a *strictyaml.Errors.
func DecodeTable(file string, data []byte) ([]Rule, error) {
	var rules []Rule
	lines := map[string]int{}
	err := strictyaml.Parse(file, data, func(root strictyaml.Value, _ *strictyaml.Collector) {
		root.Map("the SLA file", strictyaml.Required("rules", func(v strictyaml.Value) {
			v.List("the rules", func(_ int, item strictyaml.Value) {
				r, ok := readRule(item)
				if !ok {
					return
				}
				// Results are told apart by the name of their rule.
				if line, twice := lines[r.Name]; twice {
					item.Add("the name %q is that of the rule in line %d, too", r.Name, line)
					return
				}
				lines[r.Name] = r.Pos.Line
				rules = append(rules, r)
			})
		}))
	})
	return rules, err
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
		}),
		strictyaml.Optional("severity", oneOf(&severity, string(Fail), string(Warn))),
		strictyaml.Optional("class", oneOf(&class, "normal", "high", "spike")),
		strictyaml.Optional("judge", oneOf(&judge, "run", "stages")),
		strictyaml.Optional("scenario", strictyaml.String(&scenario)),
		strictyaml.Optional("action", strictyaml.String(&action)),
	)
	rule.Name, rule.Action, rule.Severity, rule.Class, rule.Scenario = name, action, Severity(severity), class, scenario
	rule.PerStage = judge == "stages"
	rule.Pos = v.Pos()
	return rule, ok
}

// oneOf reads one of a few words.
func oneOf(p *string, choices ...string) strictyaml.Reader {
	return func(v strictyaml.Value) {
		s, ok := v.Scalar()
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
