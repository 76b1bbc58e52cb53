package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/stream"
	"github.com/perfctl/perfctl/internal/suggest"
)

// output is one --out FORMAT=WHERE; WHERE "-" is stdout.
type output = stream.Destination

func parseOutput(s string) (output, error) {
	format, where, ok := strings.Cut(s, "=")
	if !ok || format == "" || where == "" {
		return output{}, fmt.Errorf("--out %q: want FORMAT=WHERE, as in html=report.html", s)
	}
	return output{Format: format, Where: where}, nil
}

// splitOutputs tells the streams among the --out flags from the views of the finished
// run. A word that is both, as json is, means the stream here. jsonToStdout says that
// --json has stdout.
func (a *app) splitOutputs(list []string, jsonToStdout bool) (streams, views []output, err error) {
	var errs []error
	var stdout []string
	files := map[string]string{}
	if jsonToStdout {
		stdout = append(stdout, "--json")
	}
	for _, text := range list {
		o, err := parseOutput(text)
		switch {
		case err != nil:
			errs = append(errs, err)
		case isStream(o.Format):
			streams = append(streams, o)
		case a.isView(o.Format):
			views = append(views, o)
		default:
			errs = append(errs, fmt.Errorf("--out %q: %w", text, unknownFormat(o.Format, a.outputNames())))
		}
		if o.Where == "-" {
			stdout = append(stdout, "--out "+text)
			continue
		}
		if other := files[fileOf(o)]; other != "" {
			errs = append(errs, fmt.Errorf("--out %s and --out %s write to one file: the later one would replace the other", other, text))
		} else if fileOf(o) != "" {
			files[fileOf(o)] = text
		}
	}
	if len(stdout) > 1 {
		errs = append(errs, fmt.Errorf("%s: only one of them can have stdout", strings.Join(stdout, ", ")))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, nil, exitcode.UsageError("%w", err)
	}
	return streams, views, nil
}

// fileOf returns the file that an output writes, empty for one that writes none, or
// to a device, which others may write to as well.
func fileOf(o output) string {
	if o.Format == "otlp" || o.Format == "prometheus" || o.Where == "" {
		return ""
	}
	path, err := filepath.Abs(o.Where)
	if err != nil || strings.HasPrefix(path, "/dev/") {
		return ""
	}
	return path
}

func isStream(name string) bool {
	_, ok := stream.Find(name)
	return ok
}

// outputNames lists what --out takes.
func (a *app) outputNames() (names []string) {
	for _, s := range stream.Kinds() {
		names = append(names, s.Name)
	}
	for _, v := range a.views() {
		if !isStream(v.name) {
			names = append(names, v.name)
		}
	}
	return names
}

// unknownFormat names the nearest format.
func unknownFormat(name string, all []string) error {
	return fmt.Errorf("unknown format %q%s; want one of %s", name, suggest.DidYouMean(name, all), strings.Join(all, ", "))
}

// toStdout says whether one of the outputs has stdout.
func toStdout(all []output) bool {
	return slices.ContainsFunc(all, func(o output) bool { return o.Where == "-" })
}

// openStreams opens the streams of a run. One that goes to a terminal keeps the live
// view away: see run.
func (a *app) openStreams(ctx context.Context, p *run.Plan, id string, all []output) (*stream.Set, error) {
	ctx, stop := run.Interruptible(ctx, a.Interrupts)
	defer stop()
	o := stream.Opener{
		Dial:   p.Dial,
		Run:    stream.Run{ID: id, Profile: p.Profile().Name, Version: a.version, Started: time.Now()},
		Stdout: a.Stdout, LookupEnv: a.LookupEnv, Log: a.logger(),
	}
	if err := a.guardOutputs(ctx, p, all); err != nil {
		return nil, err
	}
	s, err := o.Open(ctx, all)
	if err != nil {
		return nil, run.InterruptedOr(ctx, err)
	}
	if toStdout(all) {
		a.YieldStdout()
	}
	return s, nil
}

// The variables by which OpenTelemetry's exporters are told where to send figures, the
// stronger one first.
const (
	metricsEndpoint = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"
	otlpEndpoint    = "OTEL_EXPORTER_OTLP_ENDPOINT"
)

// guardOutputs refuses to send figures to a machine that was not allowed.
func (a *app) guardOutputs(ctx context.Context, p *run.Plan, all []output) error {
	var errs []error
	for _, o := range all {
		if o.Format != "otlp" {
			continue
		}
		where := o.Where
		if where == stream.OTLPEnv {
			general, _ := a.LookupEnv(otlpEndpoint)
			special, _ := a.LookupEnv(metricsEndpoint)
			where = cmp.Or(special, general, "http://localhost:4318")
		}
		u, err := url.Parse(where)
		if err != nil || u.Host == "" {
			continue // opening it says what is wrong
		}
		errs = append(errs, p.CheckReceiver(ctx, u))
	}
	return exitcode.ConfigError(errors.Join(errs...))
}

// completeOutputs completes the word before the equals sign of --out.
func (a *app) completeOutputs(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, s := range stream.Kinds() {
		names = append(names, s.Name+"=\t"+s.About)
	}
	for _, v := range a.views() {
		if !isStream(v.name) {
			names = append(names, v.name+"=\t"+v.about)
		}
	}
	return names, cobra.ShellCompDirectiveNoSpace
}

// outputList describes what --out takes, for help.
func (a *app) outputList() string {
	var b strings.Builder
	b.WriteString("While the run goes on (--out):\n")
	for _, s := range stream.Kinds() {
		fmt.Fprintf(&b, "  %-10s %s\n", s.Name, s.About)
	}
	b.WriteString("\nWhen it is over (--out, perfctl report --format):\n")
	for _, v := range a.views() {
		if !isStream(v.name) {
			fmt.Fprintf(&b, "  %-10s %s\n", v.name, v.about)
		}
	}
	return strings.TrimRight(b.String(), "\n")
}
