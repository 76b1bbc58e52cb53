package compare

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/perfctl/perfctl/internal/rundir"
)

// Comparable says why a run that is yet to be made, of this load, could not be compared
// with its base: so that it is known before the run and not after it.
func Comparable(base []*rundir.Run, next rundir.RunInfo, o Options) error {
	for _, r := range base {
		if err := usable(r); err != nil {
			return err
		}
		if err := sameLoad(r, &rundir.Run{Dir: "the run", Info: next}); err != nil && !o.Force {
			return err
		}
	}
	return nil
}

// sameLoad says why two runs are not of the same load.
func sameLoad(a, b *rundir.Run) error {
	x, y := &a.Info, &b.Info
	differ := func(what string, v, w any) error {
		return fmt.Errorf("%s and %s are not of the same load: %s %v and %v\n  next: compare runs of one load, or see perfctl compare --force", a.Dir, b.Dir, what, v, w)
	}
	switch {
	case x.Profile != y.Profile:
		return differ("profiles", x.Profile, y.Profile)
	case !slices.Equal(x.Scenarios, y.Scenarios):
		return differ("scenarios", weights(x.Scenarios), weights(y.Scenarios))
	case !slices.EqualFunc(x.Stages, y.Stages, func(p, q rundir.StageInfo) bool {
		return p.Name == q.Name && p.Duration == q.Duration && p.From == q.From && p.To == q.To && p.Burst == q.Burst && sameUsers(p.Users, q.Users)
	}):
		return differ("stages", shapes(x.Stages), shapes(y.Stages))
	}
	return nil
}

// weights tells the scenarios of a run, with their weights where there are several.
func weights(all []rundir.ScenarioShare) string {
	var out []string
	for _, s := range all {
		if len(all) == 1 {
			return s.Name
		}
		out = append(out, fmt.Sprintf("%s=%d", s.Name, s.Weight))
	}
	return strings.Join(out, ",")
}

func sameUsers(a, b *rundir.UsersInfo) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

func shapes(stages []rundir.StageInfo) string {
	var out []string
	for _, s := range stages {
		if u := s.Users; u != nil {
			out = append(out, fmt.Sprintf("%s %gs %d→%d users", s.Name, s.Duration, u.From, u.To))
			continue
		}
		out = append(out, fmt.Sprintf("%s %gs %g→%g/s", s.Name, s.Duration, s.From, s.To))
	}
	return "(" + strings.Join(out, ", ") + ")"
}

// differences says in what else the sides differ: each setting, version or trait
// of the machine that is not the same in all runs.
func differences(base, next []*rundir.Run) []string {
	a, b := map[string][]string{}, map[string][]string{}
	add := func(to map[string][]string, runs []*rundir.Run) {
		for _, r := range runs {
			for k, v := range traits(r) {
				if !slices.Contains(to[k], v) {
					to[k] = append(to[k], v)
				}
			}
		}
	}
	add(a, base)
	add(b, next)
	keys := maps.Clone(a)
	maps.Copy(keys, b)
	out := []string{}
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		if slices.Equal(a[k], b[k]) && len(a[k]) == 1 {
			continue
		}
		if k == generatorTrait && (len(a[k]) == 0 || len(b[k]) == 0) {
			continue // a run that is compared as it ends has no summary yet
		}
		out = append(out, fmt.Sprintf("%s: %s → %s", k, list(a[k]), list(b[k])))
	}
	return out
}

func list(v []string) string {
	if len(v) == 0 {
		return "–"
	}
	return strings.Join(v, " and ")
}

// addresses are settings that say where a target is; throwaway servers have
// others each time, and are no difference.
func isAddress(name string) bool {
	return strings.HasSuffix(name, "_PORT") || strings.HasSuffix(name, "_URL") || strings.HasSuffix(name, "_PASSWORD")
}

// generatorTrait is what the generator's check came to.
const generatorTrait = "generator"

func traits(r *rundir.Run) map[string]string {
	i := &r.Info
	out := map[string]string{
		"perfctl": i.Version, "seed": fmt.Sprint(i.Seed), "arrivals": i.Process, "in flight, at most": fmt.Sprint(i.MaxInFlight),
		"tolerance": fmt.Sprintf("%gs", i.Tolerance), "shards": fmt.Sprint(i.Shards),
		"machine": fmt.Sprintf("%d CPUs, %s/%s, kernel %s", i.Machine.CPUs, i.Machine.OS, i.Machine.Arch, i.Machine.Kernel),
	}
	if r.Outcome != nil {
		out[generatorTrait] = r.Outcome.Generator
	}
	if v := i.Tags["env"]; v != "" {
		out["environment"] = v // other tags, as branch, are what a user compares
	}
	for name, v := range i.Drivers {
		out["driver "+name] = v
	}
	for name, v := range i.Servers {
		out["server "+name] = v
	}
	for _, s := range i.Settings {
		if !isAddress(s.Name) && s.Origin != "lab" && s.Name != "--run-dir" && s.Name != "--baseline" && s.Name != "--json" && s.Name != "--quiet" && s.Name != "--out" && s.Name != "--repeat" {
			out["setting "+s.Name] = s.Value
		}
	}
	return out
}
