package flags

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/suggest"
)

// k6Flags are flags of k6 that perfctl has not, with what does the same: the option of a
// script, or a flag of perfctl's own.
var k6Flags = map[string]string{
	"no-thresholds": "write noThresholds: true into the script's options", "no-setup": "write noSetup: true into the script's options",
	"no-teardown": "write noTeardown: true into the script's options", "rps": "write rps into the script's options",
	"insecure-skip-tls-verify": "write insecureSkipTLSVerify: true into the script's options", "user-agent": "write userAgent into the script's options",
	"max-redirects": "write maxRedirects into the script's options", "batch": "write batch into the script's options",
	"batch-per-host": "write batchPerHost into the script's options", "discard-response-bodies": "write discardResponseBodies: true into the script's options",
	"no-connection-reuse": "write noConnectionReuse: true into the script's options, or give --set script.reuse=false",
	"throw":               "write throw: true into the script's options", "min-iteration-duration": "write minIterationDuration into the script's options",
	"summary-trend-stats": "write summaryTrendStats into the script's options", "summary-time-unit": "write summaryTimeUnit into the script's options",
	"block-hostnames": "write blockHostnames into the script's options", "execution-segment": "give --shard I/N, and merge the runs",
	"no-summary": "give -q, or --json > FILE", "summary-mode": "the summary is short, and -v prints all of it", "http-debug": "give -v, and --log-failures FILE",
	"include-system-env-vars": "__ENV has the environment always", "no-usage-report": "perfctl reports nothing to anybody", "linger": "perfctl ends when the run does",
	"paused": "perfctl starts at once; --start-at TIME starts later", "log-output": "log lines go to stderr", "console-output": "the console of a script goes to stderr",
	"address": "give --out prometheus=HOST:PORT to be asked for figures",
}

// k6Flag is the next step for a flag of k6's; empty for another one.
func k6Flag(name string) string {
	if does := k6Flags[name]; does != "" {
		return "\n  next: that is a flag of k6: " + does
	}
	return ""
}

// Unknown turns the flag parser's errors into usage errors that name the
// nearest flag.
func Unknown(c *cobra.Command, err error) error {
	if missing, ok := errors.AsType[*pflag.NotExistError](err); ok {
		var names []string
		c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		return exitcode.UsageError("unknown flag --%s%s", missing.GetSpecifiedName(), didYouMeanFlag(missing.GetSpecifiedName(), names))
	}
	if bad, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		if want := wanted[bad.GetFlag().Value.Type()]; want != "" {
			return exitcode.UsageError("--%s %s: want %s\n  next: perfctl %s --help", bad.GetFlag().Name, quoted(bad.GetValue()), want,
				strings.TrimPrefix(c.CommandPath(), "perfctl "))
		}
	}
	return exitcode.UsageError("%w\n  next: perfctl %s --help", err, strings.TrimPrefix(c.CommandPath(), "perfctl "))
}

// wanted is what a flag of a type takes.
var wanted = map[string]string{
	"duration": "a length of time, as in 500ms, 30s, 5m or 1h30m", "float64": "a number, as in 100 or 0.5",
	"int": "a whole number", "int64": "a whole number", "uint": "a whole number from 0 on", "uint64": "a whole number from 0 on", "bool": "true or false",
}

// quoted shows a value that may be empty or hold spaces.
func quoted(s string) string {
	if s == "" || strings.ContainsAny(s, " \t") {
		return strconv.Quote(s)
	}
	return s
}

func didYouMeanFlag(word string, names []string) string {
	if next := k6Flag(word); next != "" {
		return next
	}
	if near, ok := suggest.Nearest(word, names); ok {
		return fmt.Sprintf("; did you mean %q?", "--"+near)
	}
	return "; see --help"
}
