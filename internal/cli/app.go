// Package cli is perfctl's command line: a file for each command reads flags, makes a
// request of them, has it executed below and prints what came of it. What a run does
// and what its figures mean is decided elsewhere.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"strings"

	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/cli/flags"
	"github.com/perfctl/perfctl/internal/cli/terminal"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/outputs"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/secrets"
)

// app is one invocation of perfctl.
type app struct {
	*terminal.Terminal
	args []string
	// version is perfctl's, as the linker or the module says.
	version string
	// progress, where a command has one, takes the log, too.
	progress *terminal.Progress

	// secrets are those that became known; stdout and stderr never show them.
	secrets secrets.Redactor

	logFormat string
	verbose   bool

	// asked are the settings that were looked for in the environment, where that is to
	// be known: those of a run elsewhere have to be sent along.
	asked map[string]bool
	// plainStdout shows secrets: it is for who asks for them.
	plainStdout io.Writer

	// checkOnly has run end where nothing was opened yet, resetFirst has it remove
	// before what killed runs left in the targets: a suite asks for either.
	checkOnly, resetFirst bool
}

// lookupSetting reads a setting of the environment.
func (a *app) lookupSetting(name string) (string, bool) {
	v, ok := a.LookupEnv(name)
	if a.asked != nil && ok {
		a.asked[name] = true
	}
	return v, ok
}

// Main runs a command line in this process and returns its exit code. version is what
// the linker set, empty where it set nothing.
func Main(ctx context.Context, args []string, version string) int {
	run.LimitMemory()
	t, stop := terminal.Open()
	defer stop()
	return (&app{Terminal: t, args: args, version: versionOf(version)}).main(ctx)
}

// versionOf returns the version that the linker set, else that of the module.
func versionOf(linked string) string {
	if linked != "" {
		return linked
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}

// verdictCode is the exit code of a command that did its work and whose answer is not
// "pass": there is nothing to print as an error.
type verdictCode int

func (v verdictCode) Error() string { return fmt.Sprintf("exit code %d", int(v)) }

// verdict is what a command returns that shows what came of a run: nothing for a pass.
func verdict(code int) error {
	if code == exitcode.Pass {
		return nil
	}
	return verdictCode(code)
}

// main runs the command line and returns the exit code. Errors are printed here, once.
func (a *app) main(ctx context.Context) (code int) {
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(a.Stderr, "perfctl: panic: %v\n%s", p, debug.Stack())
			code = exitcode.Panic
		}
	}()
	a.plainStdout = a.Stdout
	a.Stdout, a.Stderr = a.secrets.Writer(a.Stdout, false), a.secrets.Writer(a.Stderr, true)
	if asksForRecords(a.args) {
		a.Stderr, a.ErrTTY = terminal.Records(a.Stderr), false
	}
	root := a.rootCommand()
	root.SetArgs(a.args)
	command, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitcode.Pass
	}
	if v, ok := errors.AsType[verdictCode](err); ok {
		return int(v)
	}
	code = exitcode.Of(err)
	asked := command.Flags().Lookup("json")
	a.printError(err, code, asked != nil && asked.Value.String() == "true")
	return code
}

// asksForRecords says whether the arguments ask for messages in JSON: those about the
// arguments themselves are to be so, too.
func asksForRecords(args []string) bool {
	for i, x := range args {
		if x == "--" {
			return false
		}
		if x == "--log-format=json" || x == "--log-format" && i+1 < len(args) && args[i+1] == "json" {
			return true
		}
	}
	return false
}

// printError prints an error for people, and with --json as JSON on stdout, too.
func (a *app) printError(err error, code int, asJSON bool) {
	text := figure.Lines(strings.TrimRight(err.Error(), "\n"))
	shown := a.fitted("error: " + text)
	fmt.Fprintf(a.Stderr, "%s%s\n", a.Paint(a.ErrTTY, "31;1", "error:"), strings.TrimPrefix(shown, "error:"))
	if !asJSON {
		return
	}
	what, next, _ := strings.Cut(text, "\n  next: ")
	_ = outputs.WriteJSON(a.Stdout, failure{what, code, next}) // there is nobody else to tell
}

// failure is an error as --json prints it.
type failure struct {
	Error    string `json:"error"`
	ExitCode int    `json:"exit_code"`
	Next     string `json:"next,omitempty"`
}

// warn prints a warning.
func (a *app) warn(text string) { fmt.Fprintln(a.Stderr, a.fitted("warning: "+figure.Lines(text))) }

// fitted breaks the lines of a message that are wider than a terminal on stderr.
func (a *app) fitted(text string) string {
	if a.ErrWidth == nil || a.ErrWidth() <= 0 {
		return text
	}
	return figure.Hang(text, a.ErrWidth())
}

// logger returns the program's log, which goes where progress does.
func (a *app) logger() *slog.Logger {
	to := a.Stderr
	if a.progress != nil {
		to = a.progress
	}
	return terminal.Log(to, a.logFormat == "json", a.verbose)
}

// source is what a request is made of besides flags.
func (a *app) source() flags.Source {
	return flags.Source{
		LookupEnv: a.lookupSetting, Environ: a.Environ, Secrets: &a.secrets, Interrupts: a.Interrupts, Version: a.version, Command: a.shownArgs(),
		Warn: a.warn, Verbose: func() { a.verbose = true },
	}
}

// plan makes the plan of a command that takes a profile; see flags.Plan.
func (a *app) plan(ctx context.Context, name string, f *flags.Plan, fs *pflag.FlagSet, change func(*run.Request) error) (*run.Plan, error) {
	return f.Make(ctx, a.source(), name, fs, change)
}

// environment is what a run is given of this process.
func (a *app) environment(show *terminal.Progress) run.Environment {
	a.progress = show
	return run.Environment{Observer: show, Log: a.logger(), LookupEnv: a.LookupEnv, Interrupts: a.Interrupts}
}
