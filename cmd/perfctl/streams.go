package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/metrics"
	outputs "github.com/perfctl/perfctl/internal/output"
)

// stream is one way to send a run's seconds somewhere while it goes on.
type stream struct {
	// name is the word of run --out.
	name string
	// about says in a few words what it is for, with what WHERE is.
	about string
	open  func(ctx context.Context, w *world, where string, run outputs.Run) (outputs.Stream, error)
}

// streamKinds returns every stream, in the order in which help lists them.
func streamKinds() []stream {
	return []stream{
		{"json", "a JSON line for each series and second, to a FILE", lineStream(outputs.NewJSON)},
		{"csv", "the same as comma-separated values", lineStream(outputs.NewCSV)},
		{"prometheus", "a listener with /metrics on [HOST:]PORT, the loopback interface where there is no HOST", openPrometheus},
		{"otlp", "OpenTelemetry over HTTP to a URL, or to that of OTEL_EXPORTER_OTLP_ENDPOINT for " + outputs.OTLPEnv, openOTLP},
	}
}

// lineStream opens a stream of lines to a file.
func lineStream(start func(io.WriteCloser) *outputs.Lines) func(context.Context, *world, string, outputs.Run) (outputs.Stream, error) {
	return func(_ context.Context, w *world, where string, _ outputs.Run) (outputs.Stream, error) {
		if where == "-" {
			return start(keepOpen{w.stdout}), nil
		}
		// Non-blocking, so that a pipe that nobody reads is an error now and not
		// a run that never starts.
		f, err := os.OpenFile(where, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|syscall.O_NONBLOCK, 0o644)
		if errors.Is(err, syscall.ENXIO) {
			err = fmt.Errorf("%w: nobody reads this pipe", err)
		}
		if err != nil {
			return nil, invalidConfig(err)
		}
		return start(f), nil
	}
}

func openPrometheus(ctx context.Context, _ *world, where string, run outputs.Run) (outputs.Stream, error) {
	s, err := outputs.NewPrometheus(ctx, where, run)
	if err != nil {
		return nil, invalidConfig(err)
	}
	return s, nil
}

// intervalVariable is how often OpenTelemetry's exporters export, in milliseconds.
const intervalVariable = "OTEL_METRIC_EXPORT_INTERVAL"

func openOTLP(ctx context.Context, w *world, where string, run outputs.Run) (outputs.Stream, error) {
	interval := outputs.DefaultOTLPInterval
	if v, ok := w.lookupEnv(intervalVariable); ok && v != "" {
		ms, err := strconv.ParseUint(v, 10, 31)
		if err != nil || ms == 0 {
			return nil, invalidConfig(fmt.Errorf("%s=%q: want milliseconds, as in 10000", intervalVariable, v))
		}
		interval = time.Duration(ms) * time.Millisecond
	}
	s, err := outputs.NewOTLP(ctx, where, run, interval, w.logger())
	switch {
	case errors.Is(err, outputs.ErrReceiver):
		return nil, withCode(exitcode.Unreachable, err)
	case err != nil:
		return nil, invalidConfig(err)
	}
	return s, nil
}

// keepOpen is a stream's end that others write to as well.
type keepOpen struct{ io.Writer }

func (keepOpen) Close() error { return nil }

func findStream(name string) (stream, bool) {
	for _, s := range streamKinds() {
		if s.name == name {
			return s, true
		}
	}
	return stream{}, false
}

// splitOutputs tells the streams among the --out flags from the views of the
// finished run. A word that is both, as json is, means the stream here.
func (w *world) splitOutputs(f *runFlags) (streams, views []output, err error) {
	var errs []error
	var stdout []string
	if f.json {
		stdout = append(stdout, "--json")
	}
	for _, text := range f.out {
		o, err := parseOutput(text)
		switch {
		case err != nil:
			errs = append(errs, err)
		case isStream(o.format):
			streams = append(streams, o)
		case w.isView(o.format):
			views = append(views, o)
		default:
			errs = append(errs, fmt.Errorf("--out %q: %w", text, w.unknownOutput(o.format)))
		}
		if o.where == "-" {
			stdout = append(stdout, "--out "+text)
		}
	}
	if len(stdout) > 1 {
		errs = append(errs, fmt.Errorf("%s: only one of them can have stdout", strings.Join(stdout, ", ")))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, nil, usageError("%w", err)
	}
	return streams, views, nil
}

func isStream(name string) bool {
	_, ok := findStream(name)
	return ok
}

func (w *world) isView(name string) bool {
	_, err := findView(w.views(), name)
	return err == nil
}

// unknownOutput names the nearest stream or view.
func (w *world) unknownOutput(name string) error {
	var names []string
	for _, s := range streamKinds() {
		names = append(names, s.name)
	}
	for _, v := range w.views() {
		if !isStream(v.name) {
			names = append(names, v.name)
		}
	}
	return fmt.Errorf("unknown format %q%s; want one of %s", name, didYouMean(name, names), strings.Join(names, ", "))
}

// streams are a run's open streams.
type streams struct {
	open []openStream
	// onTerminal says that one of them writes to a terminal, which then is no
	// place for a live view.
	onTerminal bool
}

type openStream struct {
	output
	to outputs.Stream
}

// streamPatience is how long the streams may take, together, to deliver what they
// still hold when a run is over.
const streamPatience = 5 * time.Second

// openStreams opens what --out asked for. A stream that cannot be opened is an
// error now, before anything was started.
func (w *world) openStreams(ctx context.Context, p *plan, outs []output) (*streams, error) {
	s := &streams{}
	p.runID = cmp.Or(p.runID, newRunID())
	run := outputs.Run{ID: p.runID, Profile: p.profile.Name, Version: version, Started: time.Now()}
	var errs []error
	for _, o := range outs {
		kind, _ := findStream(o.format)
		to, err := kind.open(ctx, w, o.where, run)
		if err != nil {
			errs = append(errs, fmt.Errorf("--out %s=%s: %w", o.format, o.where, err))
			continue
		}
		s.open = append(s.open, openStream{o, to})
		if o.where == "-" {
			s.onTerminal = w.outTTY
			w.yieldStdout()
		}
	}
	if err := errors.Join(errs...); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// yieldStdout leaves stdout to an output: the summary goes to stderr, and a reader
// that goes away ends the stream and not the run.
func (w *world) yieldStdout() {
	signal.Ignore(syscall.SIGPIPE)
	w.stdout, w.outTTY, w.outWidth = w.stderr, w.errTTY, w.errWidth
}

// announce says where the streams that listen do so.
func (s *streams) announce(pr *progress) {
	for _, o := range s.open {
		if l, ok := o.to.(*outputs.Prometheus); ok {
			pr.say("metrics for Prometheus: http://%s/metrics", l.Address())
		}
	}
}

// subscribers returns what takes the run's snapshots.
func (s *streams) subscribers() []func(*metrics.Snapshot) {
	if s == nil {
		return nil
	}
	var out []func(*metrics.Snapshot)
	for _, o := range s.open {
		out = append(out, o.to.Snapshot)
	}
	return out
}

// close closes the streams, side by side, and says what each one lost.
func (s *streams) close() (notes []string) {
	if s == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), streamPatience)
	defer cancel()
	lost := make([]chan error, len(s.open))
	for i, o := range s.open {
		lost[i] = make(chan error, 1)
		go func() { lost[i] <- o.to.Close(ctx) }()
	}
	for i, o := range s.open {
		if err := <-lost[i]; err != nil {
			notes = append(notes, fmt.Sprintf("--out %s=%s: %v", o.format, o.where, err))
		}
	}
	s.open = nil
	return notes
}

// completeOutputs completes the word before the equals sign of --out.
func (w *world) completeOutputs(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, s := range streamKinds() {
		names = append(names, s.name+"=\t"+s.about)
	}
	for _, v := range w.views() {
		if !isStream(v.name) {
			names = append(names, v.name+"=\t"+v.about)
		}
	}
	return names, cobra.ShellCompDirectiveNoSpace
}

// outputList describes what --out takes, for help.
func (w *world) outputList() string {
	var b strings.Builder
	b.WriteString("While the run goes on (--out):\n")
	for _, s := range streamKinds() {
		fmt.Fprintf(&b, "  %-10s %s\n", s.name, s.about)
	}
	b.WriteString("\nWhen it is over (--out, perfctl report --format):\n")
	for _, v := range w.views() {
		if !isStream(v.name) {
			fmt.Fprintf(&b, "  %-10s %s\n", v.name, v.about)
		}
	}
	return strings.TrimRight(b.String(), "\n")
}
