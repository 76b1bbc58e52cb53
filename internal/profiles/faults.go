package profiles

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/perfctl/perfctl/internal/faults"
	"github.com/perfctl/perfctl/internal/strictyaml"
)

// readFaults reads the faults of a stage: each a text as on the command line, or a
// mapping.
func readFaults(p *[]faults.Fault) strictyaml.Reader {
	return func(v strictyaml.Value) {
		v.List("faults", func(_ int, v strictyaml.Value) {
			f, ok := readFault(v)
			f.Place = v.Pos().String()
			if ok {
				*p = append(*p, f)
			}
		})
	}
}

func readFault(v strictyaml.Value) (f faults.Fault, ok bool) {
	if !v.IsMap() {
		text, ok := v.Scalar()
		if !ok {
			return f, false
		}
		f, err := faults.Parse(text)
		if err != nil {
			v.Add("%v", err)
		}
		return f, err == nil
	}
	with := func(read func(string) error) strictyaml.Reader {
		return func(v strictyaml.Value) {
			if text, ok := v.Scalar(); ok {
				if err := read(text); err != nil {
					v.Add("%v", err)
				}
			}
		}
	}
	ok = v.Map("a fault",
		strictyaml.Optional("name", name(&f.Name)).Help("what rules and reports call it"),
		strictyaml.Required("target", with(f.SetTarget)).Help("rabbitmq, postgres, redis or http; with @ and an endpoint's name, or host:port, one server of it"),
		strictyaml.Optional("kind", with(func(s string) error { return faults.ParseKind(s, &f) })).
			Help("what is done, with what belongs to it, as in delay 50ms±20ms: "+strings.Join(faults.Kinds(), ", ")+
				"; on servers of --lab: "+strings.Join(faults.ServerKinds(), ", ")),
		strictyaml.Optional("run", strictyaml.String(&f.Run)).Help("instead of a kind, the shell command that breaks something on a server of yours; needs undo and --allow-faults"),
		strictyaml.Optional("undo", strictyaml.String(&f.Undo)).Help("the shell command that undoes what run did"),
		strictyaml.Optional("at", readDuration(&f.At)).Help("when it begins, from the start of the stage"),
		strictyaml.Optional("for", readDuration(&f.For)).Help("how long it lasts; to the end of the stage where it is left out"),
		strictyaml.Optional("share", with(func(s string) (err error) {
			f.Share, err = faults.ParseShare(s)
			return err
		})).Help("the share of connections that it is done to: 30%"),
	)
	if f.Kind == "" && ok {
		if f.Run == "" && f.Undo == "" {
			v.Add("a fault needs its kind, or run and undo with commands of yours")
			return f, false
		}
		f.Kind = faults.Command
	}
	if err := f.Complete(); ok && err != nil {
		v.Add("%v", err)
		return f, false
	}
	return f, ok
}

// checkFaults rejects faults that begin when their stage is over.
func (d *decoder) checkFaults(s *rawStage) {
	for _, f := range s.Faults {
		if s.Duration > 0 && f.At >= s.Duration {
			d.c.Add(s.Pos, "stage %q lasts %v, and its fault %s begins after %v", s.Name, s.Duration, f.Name, f.At)
		}
	}
}

// scaleFaults scales the times of the stage's faults.
func (s *Stage) scaleFaults(scale float64) {
	s.Faults = slices.Clone(s.Faults)
	for i := range s.Faults {
		s.Faults[i] = ScaleFault(s.Faults[i], scale)
	}
}

// ScaleFault returns a fault that begins so many times as late and lasts so many times
// as long.
func ScaleFault(f faults.Fault, scale float64) faults.Fault {
	times := func(d time.Duration) time.Duration { return time.Duration(math.Round(float64(d) * scale)) }
	f.At = times(f.At)
	if f.For > 0 {
		f.For = max(times(f.For), 1) // 0 would be for ever
	}
	return f
}

// wholeFaults returns the faults of all stages, their times from the start of the run.
func (p *Profile) wholeFaults() (out []faults.Fault) {
	at := time.Duration(0)
	for i := range p.Stages {
		s := &p.Stages[i]
		for _, f := range s.Faults {
			if f.For == 0 {
				f.For = s.Duration - f.At
			}
			f.At += at
			out = append(out, f)
		}
		at += s.Duration
	}
	return out
}

// Timetable returns the faults of the profile and those that were given besides, in the
// order in which they begin, with their times from the start of the run.
func (p *Profile) Timetable(given []faults.Fault) ([]faults.Timed, error) {
	var list []faults.Timed
	at := time.Duration(0)
	for i := range p.Stages {
		s := &p.Stages[i]
		for _, f := range s.Faults {
			t := faults.Timed{Fault: f, Start: at + f.At, End: at + s.Duration}
			if f.For > 0 {
				t.End = min(t.End, t.Start+f.For)
			}
			list = append(list, t)
		}
		at += s.Duration
	}
	for _, f := range given {
		t := faults.Timed{Fault: f, Start: f.At}
		if f.For > 0 {
			t.End = f.At + f.For
		}
		list = append(list, t)
	}
	out, err := faults.Timetable(list, at)
	if err != nil {
		return nil, fmt.Errorf("faults: %w", err)
	}
	return out, nil
}
