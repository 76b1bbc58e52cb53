package scripts

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/perfctl/perfctl/internal/profiles"
	"github.com/perfctl/perfctl/internal/scenarios/script"
	"github.com/perfctl/perfctl/internal/scenarios/script/options"
)

// Carried is what a script becomes: files of perfctl's own, and what did not fit.
type Carried struct {
	// Name names the files: NAME.yaml and NAME-flow.yaml.
	Name string
	// Profile is the load, Flow the steps of its default function; empty where the
	// script is not plain enough, and then the profile runs the script itself.
	Profile, Flow string
	// Run is the command that runs them.
	Run string
	// Left says what could not be carried over, and why.
	Left []string
}

// Carry makes a profile, and where it can a flow, of a script. dir is the folder that
// they are for.
func Carry(path, dir string, o *options.Options) (*Carried, error) {
	p := Profile(path, o)
	c := &Carried{Name: p.Name}
	flow, err := readPlain(path, o)
	if err != nil {
		return nil, err
	}
	c.Left = flow.left
	c.Run = "perfctl run " + filepath.Join(dir, c.Name+".yaml")
	if flow.plain() {
		c.Flow = flow.text(path)
		c.Run += " -e API_BASE_URL=" + flow.base()
		for _, name := range flow.variables(c.Flow) {
			c.Run += " -e " + name + "=VALUE"
		}
	}
	for i := range o.Thresholds {
		t := &o.Thresholds[i]
		switch {
		case t.Tags != nil && c.Flow != "":
			c.Left = append(c.Left, fmt.Sprintf("threshold %s %s: its tags are the script's; judge a step with flow_step_duration{operation:NAME}", t.Name(), t.Condition))
		case c.Flow != "" && !shared[t.Metric]:
			c.Left = append(c.Left, fmt.Sprintf("threshold %s %s: a flow has no such metric", t.Name(), t.Condition))
		default:
			c.Run += " --threshold " + quoteShell(t.Text())
			if t.Abort {
				c.Left = append(c.Left, fmt.Sprintf("abortOnFail of %s: --abort-on-fail ends the run for any rule", t.Name()))
			}
		}
	}
	c.Profile = profileText(p, c, dir)
	return c, nil
}

// shared are the metrics of k6 that a flow of HTTP requests has too.
var shared = map[string]bool{"http_req_duration": true, "http_req_waiting": true, "http_req_connecting": true, "http_req_tls_handshaking": true,
	"http_req_sending": true, "http_req_receiving": true, "http_req_blocked": true, "http_reqs": true, "checks": true, "dropped_iterations": true,
	"data_sent": true, "data_received": true}

func quoteShell(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// quoted is a text as YAML, and JSON, write it.
func quoted(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a text has no error
	return strings.TrimSpace(b.String())
}

// profileText writes the profile. Where there is a flow it walks through it, else it
// runs the script.
func profileText(p *profiles.Profile, c *Carried, dir string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Made of %s by perfctl init --from.\n#\n#     %s\n", comment(filepath.Base(p.Settings[0].Value)), comment(c.Run))
	if len(c.Left) > 0 && c.Flow == "" {
		b.WriteString("#\n# It runs the script as it is. What no flow has:\n")
	} else if len(c.Left) > 0 {
		b.WriteString("#\n# Not carried over:\n")
	}
	for _, text := range c.Left {
		fmt.Fprintf(&b, "# - %s\n", comment(text))
	}
	fmt.Fprintf(&b, "\nname: %s\n", p.Name)
	if c.Flow != "" {
		fmt.Fprintf(&b, "scenarios: {flow: 1}\nsettings:\n  flow: {file: %s}\n", quoted(filepath.Join(dir, c.Name+"-flow.yaml")))
	} else {
		fmt.Fprintf(&b, "scenarios: {%s: 1}\nsettings:\n  %s: {file: %s}\n", script.Name, script.Name, quoted(p.Settings[0].Value))
	}
	b.WriteString("stages:\n")
	for i := range p.Stages {
		b.WriteString("  - " + stageText(&p.Stages[i], c.Flow == "") + "\n")
	}
	return b.String()
}

// comment is a text that stays within its line.
func comment(s string) string { return strings.Join(strings.Fields(s), " ") }

func stageText(s *profiles.Stage, own bool) string {
	parts := []string{"name: " + s.Name, "duration: " + short(s.Duration)}
	span := func(from, to float64) string {
		if from == to {
			return figures(from)
		}
		return ""
	}
	switch u := s.Users; {
	case u == nil && s.From == s.To:
		parts = append(parts, "rate: "+span(s.From, s.To))
	case u == nil:
		parts = append(parts, "from: "+figures(s.From), "to: "+figures(s.To))
	default:
		if n := span(float64(u.From), float64(u.To)); n != "" {
			parts = append(parts, "users: "+n)
		} else {
			parts = append(parts, fmt.Sprintf("users: {from: %d, to: %d}", u.From, u.To))
		}
		if u.Iterations > 0 {
			parts = append(parts, fmt.Sprintf("iterations: %d", u.Iterations))
		}
		if u.PerUser > 0 {
			parts = append(parts, fmt.Sprintf("iterations: {per_user: %d}", u.PerUser))
		}
	}
	if own && len(s.Settings) > 0 {
		parts = append(parts, fmt.Sprintf("settings: {%s: {%s: %s}}", script.Name, script.KeyRun, quoted(s.Settings[0].Value)))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
