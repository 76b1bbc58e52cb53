package profiles

import (
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/perfctl/perfctl/internal/strictyaml"
	"github.com/perfctl/perfctl/internal/suggest"
)

// NamePattern is the form of the names of profiles, rates and stages: they
// become tags and parts of thresholds.
const NamePattern = `^[A-Za-z][A-Za-z0-9_-]{0,63}$`

var nameForm = regexp.MustCompile(NamePattern)

// Decode reads a profile file; file is what messages call it. The form is
// documented in configs/examples/profile.yaml. An error is a *strictyaml.Errors
// with everything that is wrong, each with its line and column.
func Decode(file string, data []byte) (*Profile, error) {
	d := &decoder{p: &Profile{}}
	if err := strictyaml.Parse(file, data, d.read); err != nil {
		return nil, err
	}
	if d.p.Name == "" {
		d.p.Name = nameOf(file)
	}
	return d.p, nil
}

// nameOf is the name of a profile that has none: that of its file, in the form of
// names.
func nameOf(file string) string {
	base := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		}
		return '-'
	}, base)
	if !nameForm.MatchString(name) {
		return "profile"
	}
	return name
}

type decoder struct {
	c    *strictyaml.Collector
	p    *Profile
	root strictyaml.Pos
	raw  []rawStage
}

// rawStage is a stage before the names of rates are looked up: rates may stand
// below the stages.
type rawStage struct {
	Stage
	rate, from, to rawRate
	users          Users
	of             []string // keys that only a closed stage has
	hasDuration    bool
	sound          bool // nothing is wrong with its keys and values
}

// rawRate is a number or the name of a rate.
type rawRate struct {
	given bool
	value float64
	name  string
	pos   strictyaml.Pos
}

// Describe returns what a profile file may hold.
func Describe() strictyaml.Description {
	return strictyaml.Describe(func(root strictyaml.Value, c *strictyaml.Collector) {
		(&decoder{p: &Profile{}}).read(root, c)
	})
}

// The names of the shapes that hold what only scenarios know.
const (
	// ShapeSettings are the settings of scenarios, by scenario and key.
	ShapeSettings = "settings"
	// ShapeWeights are weights, by scenario.
	ShapeWeights = "weights"
)

func (d *decoder) read(root strictyaml.Value, c *strictyaml.Collector) {
	d.c, d.root = c, root.Pos()
	root.Map("a profile",
		strictyaml.Optional("name", name(&d.p.Name)),
		strictyaml.Optional("description", strictyaml.String(&d.p.Description)),
		strictyaml.Optional("rates", d.rates).Help("rates that stages refer to by name"),
		strictyaml.Optional("scenarios", d.scenarios).Help("which scenarios arrivals exercise, with their weights"),
		strictyaml.Optional("settings", settings(&d.p.Settings)),
		strictyaml.Required("stages", d.stages),
	)
	for i := range d.raw {
		d.p.Stages = append(d.p.Stages, d.resolve(&d.raw[i]))
	}
	d.checkNames()
	d.checkSettings(d.p.Settings)
	for i := range d.p.Stages {
		d.checkSettings(d.p.Stages[i].Settings)
	}
	d.checkSize()
}

// name reads a name.
func name(p *string) strictyaml.Reader {
	return func(v strictyaml.Value) {
		var s string
		v.Like(NamePattern)
		strictyaml.String(&s)(v)
		if s != "" && !nameForm.MatchString(s) {
			v.Add("%.80q is no name: a name is a letter followed by up to 63 letters, digits, - and _", s)
		}
		*p = s
	}
}

func (d *decoder) rates(v strictyaml.Value) {
	v.KeysLike(NamePattern)
	v.Entries("rates", func(key string, at strictyaml.Pos, v strictyaml.Value) {
		if !nameForm.MatchString(key) {
			d.c.Add(at, "%.80q is no name for a rate: a name is a letter followed by up to 63 letters, digits, - and _", key)
		}
		r := NamedRate{Name: key, Pos: at}
		readRate(&r.Value)(v)
		d.p.Rates = append(d.p.Rates, r)
	})
}

// readRate reads a number of arrivals a second that a run can offer.
func readRate(p *float64) strictyaml.Reader {
	return func(v strictyaml.Value) {
		strictyaml.Rate(p)(v)
		if err := checkRate(*p); err != nil {
			v.Add("%v", err)
		}
	}
}

func (d *decoder) scenarios(v strictyaml.Value) {
	v.Named(ShapeWeights)
	v.Entries("scenarios", func(key string, at strictyaml.Pos, v strictyaml.Value) {
		weight := int64(1)
		strictyaml.Int(&weight, 1, maxBlock)(v)
		d.p.Scenarios = append(d.p.Scenarios, Weight{Scenario: key, Weight: int(weight), Pos: at})
	})
	if len(d.p.Scenarios) == 0 {
		v.Add("scenarios names none: leave it out to exercise the default ones")
	}
}

// settings reads a mapping of scenarios to mappings of keys to scalars.
func settings(p *[]Setting) strictyaml.Reader {
	return func(v strictyaml.Value) {
		v.Named(ShapeSettings)
		v.Entries("settings", func(scenario string, _ strictyaml.Pos, v strictyaml.Value) {
			v.Entries("the settings of "+scenario, func(key string, at strictyaml.Pos, v strictyaml.Value) {
				if s, ok := v.Scalar(); ok {
					*p = append(*p, Setting{Scenario: scenario, Key: key, Value: s, Pos: at})
				}
			})
		})
	}
}

func (d *decoder) stages(v strictyaml.Value) {
	if v.List("stages", func(i int, v strictyaml.Value) {
		if i >= MaxStages {
			if i == MaxStages {
				v.Add("a profile has at most %d stages", MaxStages)
			}
			return
		}
		s := rawStage{Stage: Stage{Class: Normal, Judged: true, Pos: v.Pos()}}
		s.sound = v.Map("a stage",
			strictyaml.Required("name", name(&s.Name)),
			strictyaml.Optional("duration", func(v strictyaml.Value) {
				s.hasDuration = true
				readDuration(&s.Duration)(v)
			}).Help("how long it lasts"),
			strictyaml.Optional("rate", s.rate.read).Help("arrivals a second, or the name of a rate"),
			strictyaml.Optional("from", s.from.read).Help("where a ramp begins: arrivals a second, or the name of a rate"),
			strictyaml.Optional("to", s.to.read).Help("where a ramp ends"),
			strictyaml.Optional("users", s.readUsers).Help("users in place of a rate: how many, or from and to for a ramp"),
			strictyaml.Optional("pace", s.userTime("pace", &s.users.Pace)).Help("a due time for every user each so long"),
			strictyaml.Optional("pause", s.userTime("pause", &s.users.Pause)).Help("how long a user waits between two arrivals"),
			strictyaml.Optional("iterations", s.readIterations).Help("arrivals of all users together after which the stage ends, or per_user"),
			strictyaml.Optional("burst", strictyaml.Int(&s.Burst, 1, MaxArrivals)).Help("arrivals that are all due when the stage starts"),
			strictyaml.Optional("class", class(&s.Class)).Help("which error rate is allowed"),
			strictyaml.Optional("judge", strictyaml.Bool(&s.Judged)).Help("false for a stage that no SLA rule looks at"),
			strictyaml.Optional("settings", settings(&s.Settings)).Help("settings in force in this stage only"),
			strictyaml.Optional("faults", readFaults(&s.Faults)).Help("what is broken on purpose while it lasts: texts as in 'redis: delay 50ms at 30s for 20s', or mappings"),
		)
		d.raw = append(d.raw, s)
	}) {
		v.Add("a profile needs at least one stage")
	}
}

func readDuration(p *time.Duration) strictyaml.Reader {
	return func(v strictyaml.Value) {
		if strictyaml.Duration(p)(v); *p > MaxDuration {
			v.Add("a stage of %v is longer than %v", *p, MaxDuration)
			*p = MaxDuration
		}
	}
}

// class reads a class of the SLA table.
func class(p *Class) strictyaml.Reader {
	return func(v strictyaml.Value) {
		classes := []string{string(Normal), string(High), string(Spike)}
		s, _ := v.Word(classes...)
		if s == "" || slices.Contains(classes, s) {
			*p = Class(s)
			return
		}
		hint := ""
		if near, ok := suggest.Nearest(s, classes); ok {
			hint = "; did you mean " + strconv.Quote(near) + "?"
		}
		v.Add("unknown class %.80q: it is normal, high or spike%s", s, hint)
	}
}

// read reads a number, or a word that is taken for the name of a rate.
func (r *rawRate) read(v strictyaml.Value) {
	r.given, r.pos = true, v.Pos()
	if s := v.Bare(); nameForm.MatchString(s) {
		r.name = s
		return
	}
	readRate(&r.value)(v)
}
