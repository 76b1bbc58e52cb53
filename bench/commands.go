package main

import (
	"fmt"
	"strings"
	"time"
)

// turn is one tool's command for one piece of work.
type turn struct {
	tool string
	args []string
	// ops returns how many operations were done so far; nil where the tool holds
	// the rate that was asked for, which is then counted.
	flatOut bool
	// once is for tools that print their own CPU per operation.
	prints bool
}

// perfctl returns the command that offers a rate line to a scenario.
func (b *bench) perfctl(name string, s shape, scenario string, settings map[string]string, flags ...string) (turn, error) {
	var set strings.Builder
	for k, v := range settings {
		fmt.Fprintf(&set, "%s: %q, ", k, v)
	}
	rate := fmt.Sprintf("rate: %g", s.from)
	if s.from != s.to {
		rate = fmt.Sprintf("from: %g, to: %g", s.from, s.to)
	}
	profile, err := b.file("profile.yaml", fmt.Sprintf("name: bench\nscenarios: {%s: 1}\nsettings:\n  %s: {%s}\nstages:\n  - {name: all, duration: %s, %s}\n",
		scenario, scenario, strings.TrimSuffix(set.String(), ", "), seconds(s.length), rate))
	if err != nil {
		return turn{}, err
	}
	b.seq++
	args := []string{b.tool["perfctl"], "run", profile, "--quiet", "--json", "-u", "200", "--run-dir", fmt.Sprintf("%s/run-%d", b.temp, b.seq)}
	return turn{tool: name, args: append(args, flags...)}, nil
}

func seconds(s float64) string {
	return time.Duration(s * float64(time.Second)).String()
}

// k6Redis reads one key, k6HTTP one page.
const (
	k6HTTP = `import http from 'k6/http';
const url = __ENV.API_BASE_URL + '/';
export default function () { http.get(url); }
`
	k6Redis = `import redis from 'k6/experimental/redis';
const client = new redis.Client(__ENV.REDIS_URL);
export default async function () { await client.get('perfctl:bench:key'); }
`
)

// k6 returns the command that runs a script at a rate line. It is given what
// makes it cheap: no bodies kept, no summary, no usage report, its VUs ready.
func (b *bench) k6(s shape, script string, flags ...string) (turn, error) {
	scenario := fmt.Sprintf("executor: 'constant-arrival-rate', rate: %g, timeUnit: '1s', duration: '%s'", s.from, seconds(s.length))
	if s.from != s.to {
		scenario = fmt.Sprintf("executor: 'ramping-arrival-rate', startRate: %g, timeUnit: '1s', stages: [{duration: '%s', target: %g}]",
			s.from, seconds(s.length), s.to)
	}
	path, err := b.file("k6.js", fmt.Sprintf("export const options = { discardResponseBodies: true, scenarios: { bench: { %s, preAllocatedVUs: 200, maxVUs: 200, gracefulStop: '3s' } } };\n%s",
		scenario, script))
	if err != nil {
		return turn{}, err
	}
	args := []string{b.tool["k6"], "run", "--quiet", "--no-usage-report", "--address", ""}
	return turn{tool: "k6", args: append(append(args, flags...), path)}, nil
}

// vegeta returns the command that requests the witness's page at a rate.
func (b *bench) vegeta(s shape, out string) (turn, error) {
	path, err := b.file("targets", "GET "+b.witness.url()+"/\n")
	return turn{tool: "vegeta", args: []string{b.tool["vegeta"], "attack", "-targets", path, "-rate", fmt.Sprintf("%g/1s", s.from),
		"-duration", seconds(s.length), "-output", out}}, err
}
