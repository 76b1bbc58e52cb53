// Package outputs is everything that --out can name: it reads FORMAT=WHERE, checks that
// each can be written before a run begins, opens the streams, and writes the views when
// the run is over. What a stream sends and how a view looks is decided in stream and
// report; this room knows no flag and no terminal.
package outputs

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/stream"
	"github.com/perfctl/perfctl/internal/suggest"
)

// Output is one --out FORMAT=WHERE; WHERE "-" is stdout.
type Output = stream.Destination

// Stdout is the WHERE of what has stdout.
const Stdout = "-"

// Formats of what is about more than one run, and of what has a verdict besides: a suite,
// repeated runs.
var (
	DocumentFormats = []string{"text", "json", "markdown", "html"}
	SuiteFormats    = []string{"text", "json", "html", "markdown", "junit", "github"}
)

func parse(s string) (Output, error) {
	format, where, ok := strings.Cut(s, "=")
	if !ok || format == "" || where == "" {
		return Output{}, fmt.Errorf("--out %q: want FORMAT=WHERE, as in html=report.html", s)
	}
	return Output{Format: format, Where: where}, nil
}

// Split tells the streams among the --out flags of a run from the views of the finished
// run. A word that is both, as json is, means the stream here. jsonToStdout says that
// --json has stdout. Errors are of usage, all of them at once.
func Split(list []string, jsonToStdout bool) (streams, views []Output, err error) {
	var errs []error
	var stdout []string
	files := map[string]string{}
	if jsonToStdout {
		stdout = append(stdout, "--json")
	}
	for _, text := range list {
		o, err := parse(text)
		switch {
		case err != nil:
			errs = append(errs, err)
		case isStream(o.Format):
			streams = append(streams, o)
		case isView(o.Format):
			views = append(views, o)
		default:
			errs = append(errs, fmt.Errorf("--out %q: %w", text, unknown(o.Format, names())))
		}
		if o.Where == Stdout {
			stdout = append(stdout, "--out "+text)
			continue
		}
		if err := taken(files, o, text); err != nil {
			errs = append(errs, err)
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

// taken refuses a second output into a file that one before it writes; files has those.
func taken(files map[string]string, o Output, text string) error {
	file := fileOf(o)
	if file == "" || o.Where == Stdout {
		return nil
	}
	if other := files[file]; other != "" {
		return fmt.Errorf("--out %s and --out %s write to one file: the later one would replace the other", other, text)
	}
	files[file] = text
	return nil
}

// Repeated reads the --out flags of repeated runs, whose views are of all of them
// together.
func Repeated(list []string, jsonToStdout bool) ([]Output, error) {
	var errs []error
	var rest []string
	for _, text := range list {
		o, err := parse(text)
		if err == nil && (isStream(o.Format) || isView(o.Format)) && !slices.Contains(SuiteFormats, o.Format) {
			errs = append(errs, fmt.Errorf("--out %s belongs to one run: with --repeat, views are of all runs together, one of %s\n  next: leave --repeat out, or see perfctl report --help for the views of each run once it is over", text, strings.Join(SuiteFormats, ", ")))
			continue
		}
		rest = append(rest, text)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, exitcode.UsageError("%w", err)
	}
	return Of(rest, jsonToStdout, SuiteFormats)
}

// Views reads the --out flags of a command that makes no run: nothing of it can be
// streamed, for the reason given.
func Views(list []string, jsonToStdout bool, noStreams string) ([]Output, error) {
	streams, views, err := Split(list, jsonToStdout)
	if err == nil && len(streams) > 0 {
		err = exitcode.UsageError("--out %s: %s", streams[0], noStreams)
	}
	return views, err
}

// Of reads the --out flags of a command that has those formats. jsonToStdout says that
// --json has stdout.
func Of(list []string, jsonToStdout bool, formats []string) (out []Output, err error) {
	var errs []error
	files := map[string]string{}
	stdout := 0
	if jsonToStdout {
		stdout++
	}
	for _, text := range list {
		o, err := parse(text)
		if err == nil && !slices.Contains(formats, o.Format) {
			err = fmt.Errorf("--out %q: %w", text, unknown(o.Format, formats))
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if o.Where == Stdout {
			stdout++
		}
		if err := taken(files, o, text); err != nil {
			errs = append(errs, err)
		}
		out = append(out, o)
	}
	if stdout > 1 {
		errs = append(errs, fmt.Errorf("only one of --json and the outputs %s can have stdout", strings.Join(list, ", ")))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, exitcode.UsageError("%w", err)
	}
	return out, nil
}

// fileOf returns the file that an output writes, empty for one that writes none, or
// to a device, which others may write to as well.
func fileOf(o Output) string {
	if o.Format == "otlp" || o.Format == "prometheus" || o.Where == "" {
		return ""
	}
	path, err := filepath.Abs(o.Where)
	if err != nil || strings.HasPrefix(path, "/dev/") {
		return ""
	}
	return path
}

// HaveStdout says whether one of the outputs has stdout.
func HaveStdout(all []Output) bool {
	return slices.ContainsFunc(all, func(o Output) bool { return o.Where == Stdout })
}

func isStream(name string) bool {
	_, ok := stream.Find(name)
	return ok
}

// names lists what --out takes.
func names() (out []string) {
	for _, c := range Choices() {
		out = append(out, c.Name)
	}
	return out
}

// unknown names the nearest format, or all of them.
func unknown(name string, all []string) error {
	return fmt.Errorf("unknown format %q%s", name, suggest.DidYouMean(name, all))
}

// Choice is a word that --out takes, and what it is for.
type Choice struct{ Name, About string }

// Choices are all that --out of run takes.
func Choices() (out []Choice) {
	for _, s := range stream.Kinds() {
		out = append(out, Choice{s.Name, s.About})
	}
	for _, v := range views() {
		if !isStream(v.name) {
			out = append(out, Choice{v.name, v.about})
		}
	}
	return out
}

// ViewChoices are the views of a run that is over.
func ViewChoices() (out []Choice) {
	for _, v := range views() {
		out = append(out, Choice{v.name, v.about})
	}
	return out
}

// Describe describes what --out of run takes, for help.
func Describe() string {
	var b strings.Builder
	b.WriteString("While the run goes on (--out):\n")
	over := false
	for _, c := range Choices() {
		if !over && !isStream(c.Name) {
			b.WriteString("\nWhen it is over (--out, perfctl report --format):\n")
			over = true
		}
		fmt.Fprintf(&b, "  %-10s %s\n", c.Name, c.About)
	}
	return strings.TrimRight(b.String(), "\n")
}

// DescribeViews describes the views of a run that is over, for help.
func DescribeViews() string {
	var b strings.Builder
	for _, v := range ViewChoices() {
		fmt.Fprintf(&b, "  %-9s %s\n", v.Name, v.About)
	}
	return strings.TrimRight(b.String(), "\n")
}
