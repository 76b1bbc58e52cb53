package run

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/secrets"
	"github.com/perfctl/perfctl/internal/targets"
)

// listSettings lists everything that was set with its origin: options, targets,
// scenarios. Secrets are redacted.
func (p *Plan) listSettings(s *targets.Settings) []rundir.Setting {
	out := slices.Clone(p.request.Options)
	kinds := p.targetKinds()
	for _, x := range s.List {
		if slices.ContainsFunc(kinds, func(k targets.Kind) bool { return targets.Owns(k, x.Name) }) {
			out = append(out, rundir.Setting{Name: x.Name, Value: x.Value, Origin: x.Origin})
		}
	}
	for i, d := range p.defs {
		for _, o := range d.Settings {
			value, origin := p.stageValues(i, o.Key), "default"
			if value != o.Default {
				origin = "profile, file or --set"
			}
			out = append(out, rundir.Setting{Name: d.Name + "." + o.Key, Value: p.shownValues(i, o.Key), Origin: origin})
			if _, file := o.Type.(scenarios.File); file && value != "" {
				out = append(out, rundir.Setting{Name: d.Name + "." + o.Key + " sha256", Value: fingerprint(value), Origin: origin})
			}
		}
	}
	return out
}

// stageValues shows a scenario's setting: one value, or one for each stage where
// they differ.
func (p *Plan) stageValues(i int, key string) string {
	var all []string
	for s := range p.request.Profile.Stages {
		all = append(all, p.values[i].Text(s, key))
	}
	if len(slices.Compact(slices.Clone(all))) == 1 {
		return all[0]
	}
	return strings.Join(all, " | ")
}

// shownValues is stageValues without secrets.
func (p *Plan) shownValues(i int, key string) string {
	var all []string
	for s := range p.request.Profile.Stages {
		all = append(all, secrets.Shown(key, p.values[i].Text(s, key)))
	}
	if len(slices.Compact(slices.Clone(all))) == 1 {
		return all[0]
	}
	return strings.Join(all, " | ")
}

// fingerprint tells the contents of a file from others: two runs with files of one
// name need not be of one load.
func fingerprint(path string) string {
	data, err := scenarios.ReadFile(path)
	if err != nil {
		return "unreadable"
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:6])
}
