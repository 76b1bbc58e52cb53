package probe

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/targets"
)

// Replicas says how the number of instances of a program is read.
type Replicas struct {
	// Name is what it is called in figures.
	Name string
	// Command is a shell command that prints it; empty where a series tells.
	Command string
	// URL is the endpoint for Prometheus, Metric the series of it with Labels.
	URL    *url.URL
	Metric string
	Labels map[string]string
	// By is the label that each instance has another value of, "" where the series'
	// value is the number of instances itself.
	By string
	// Reach returns an error for an address that no connection may be opened to.
	Reach func(host string, ip netip.Addr) error
}

var (
	seriesForm = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]{0,127})\s*(?:\{([^{}]*)\})?(?:\s+by\s+([a-zA-Z_][a-zA-Z0-9_]{0,63}))?$`)
	labelForm  = regexp.MustCompile(`^\s*([a-zA-Z_][a-zA-Z0-9_]{0,63})\s*=\s*"([^"]*)"\s*$`)
)

// ParseReplicas reads NAME=COMMAND or NAME=URL SERIES [by LABEL].
func ParseReplicas(s string) (Replicas, error) {
	name, what, ok := strings.Cut(s, "=")
	if what = strings.TrimSpace(what); !ok || !scrapeName.MatchString(name) || what == "" {
		return Replicas{}, errors.New("want NAME= and a command or URL SERIES, as in app='kubectl get deploy app -o jsonpath={.status.readyReplicas}'")
	}
	r := Replicas{Name: name}
	if !strings.HasPrefix(what, "http://") && !strings.HasPrefix(what, "https://") {
		r.Command = what
		return r, nil
	}
	raw, series, _ := strings.Cut(what, " ")
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return Replicas{}, fmt.Errorf("%s: the part behind = begins with no URL of the form http://host:port/metrics", name)
	}
	r.URL = u
	m := seriesForm.FindStringSubmatch(strings.TrimSpace(series))
	if m == nil {
		return Replicas{}, fmt.Errorf(`%s: want a series behind the URL, as in kube_deployment_status_replicas_ready{deployment="app"}, or http_requests_total by pod`, name)
	}
	r.Metric, r.By, r.Labels = m[1], m[3], map[string]string{}
	for part := range strings.SplitSeq(m[2], ",") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		l := labelForm.FindStringSubmatch(part)
		if l == nil {
			return Replicas{}, fmt.Errorf(`%s: %q is no label of the form name="value"`, name, part)
		}
		r.Labels[l[1]] = l[2]
	}
	return r, nil
}

// instance is one that serves; count is how much it has served, where that is known.
type instance struct {
	count float64
	known bool
}

// window is over how many readings the load of instances is compared.
const window = 5

// replicaReader reads the number of a program's instances.
type replicaReader struct {
	Replicas
	endpoint    *endpoint
	count, load *metrics.Gauge
	// past are the readings of the window, the oldest first.
	past []map[string]instance
	// skip alternates: every other reading by a command is left out.
	skip bool
}

// NewReplicas returns the reader of a program's instances.
func NewReplicas(x Replicas, reg *metrics.Registry) Reader {
	tags := metrics.Tags{Operation: x.Name}
	r := &replicaReader{Replicas: x, count: reg.Gauge(metrics.Replicas, tags), load: reg.Gauge(metrics.ReplicaLoad, tags)}
	if x.URL != nil {
		r.endpoint = newEndpoint(x.URL, x.Reach)
	}
	return r
}

func (r *replicaReader) String() string {
	if r.URL != nil {
		return "the instances of " + r.Name + " at " + targets.Address{URL: r.URL}.String()
	}
	return "the instances of " + r.Name + " by its command"
}

// Read reads a series every second, and has a command run every other: it takes the
// generator's processors.
func (r *replicaReader) Read(ctx context.Context, _ int) error {
	if r.Command != "" {
		if r.skip = !r.skip; !r.skip {
			return nil
		}
	}
	number, each, err := r.ask(ctx)
	if err != nil {
		r.count.Unset()
		r.load.Unset()
		r.past = nil
		return err
	}
	r.count.Set(number)
	r.past = append(r.past, each)
	if len(r.past) > window {
		r.past = r.past[1:]
	}
	if ratio, ok := busiest(r.past[0], each); ok {
		r.load.Set(ratio)
	} else {
		r.load.Unset()
	}
	return nil
}

func (r *replicaReader) ask(ctx context.Context) (float64, map[string]instance, error) {
	if r.Command == "" {
		there, err := r.endpoint.scrape(ctx, map[string]bool{r.Metric: true})
		if err != nil {
			return 0, nil, err
		}
		return r.ofSeries(there)
	}
	c := exec.CommandContext(ctx, "/bin/sh", "-c", r.Command)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	c.WaitDelay = time.Second
	var errs strings.Builder
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		return 0, nil, fmt.Errorf("%w: %.200s", err, strings.TrimSpace(errs.String()))
	}
	return parseInstances(string(out))
}

// ofSeries counts the instances that a series is about.
func (r *replicaReader) ofSeries(there families) (number float64, each map[string]instance, err error) {
	each = map[string]instance{}
	seen := false
	for _, m := range there[r.Metric].GetMetric() {
		labels := map[string]string{}
		for _, l := range m.GetLabel() {
			labels[l.GetName()] = l.GetValue()
		}
		if !includes(labels, r.Labels) {
			continue
		}
		seen = true
		v, _ := families{"": {Metric: []*dto.Metric{m}}}.sum("", nil)
		if r.By == "" {
			number += v
		} else if name := labels[r.By]; name != "" {
			each[name] = instance{each[name].count + v, true}
		}
	}
	if r.By != "" {
		number = float64(len(each))
	}
	if !seen && r.By == "" {
		err = errors.New("it does not tell " + r.Metric)
	}
	return number, each, err
}

func includes(all, some map[string]string) bool {
	for k, v := range some {
		if all[k] != v {
			return false
		}
	}
	return true
}

// parseInstances reads what a command prints: the number of instances, or a line for
// each, with its name and, where it is known, how much it has served since it began.
func parseInstances(text string) (number float64, each map[string]instance, err error) {
	text = strings.TrimSpace(text)
	if text == "" { // of kubectl: there is none
		return 0, map[string]instance{}, nil
	}
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		if !(n >= 0 && n <= mostInstances) {
			return 0, nil, fmt.Errorf("it prints %.40q, which is no number of instances", text)
		}
		return n, map[string]instance{}, nil
	}
	each = map[string]instance{}
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		switch {
		case len(f) == 0:
			continue
		case len(f) > 2:
			return 0, nil, fmt.Errorf("it prints %.80q: want a number of instances, or a line for each with its name and what it has served", strings.TrimSpace(line))
		}
		x := each[f[0]]
		if len(f) == 2 {
			v, err := strconv.ParseFloat(f[1], 64)
			if err != nil || !(v >= 0 && v <= 1e18) {
				return 0, nil, fmt.Errorf("it prints %.80q: %.40q is no number", strings.TrimSpace(line), f[1])
			}
			x = instance{x.count + v, true}
		}
		if each[f[0]] = x; len(each) > mostInstances {
			return 0, nil, fmt.Errorf("it prints more than %d instances", mostInstances)
		}
	}
	return float64(len(each)), each, nil
}

// mostInstances bounds how many instances are told apart.
const mostInstances = 10_000

// busiest returns the load of the busiest instance as a multiple of the mean. An
// instance that was not there at the first reading began at nothing.
func busiest(first, last map[string]instance) (float64, bool) {
	most, sum, n := 0.0, 0.0, 0
	for name, x := range last {
		if !x.known {
			return 0, false
		}
		did := x.count - first[name].count
		if did < 0 { // it began anew
			did = x.count
		}
		most, sum, n = max(most, did), sum+did, n+1
	}
	if sum <= 0 {
		return 0, false
	}
	return most * float64(n) / sum, true
}

func (r *replicaReader) Close(context.Context) {
	if r.endpoint != nil {
		r.endpoint.close()
	}
}
