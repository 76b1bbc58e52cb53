package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/perfctl/perfctl/internal/exitcode"
)

// inner is a command line inside this one, which prints no results: they are in its run
// directory.
func (a *app) inner(args []string) *app {
	t := *a.Terminal
	x := &app{Terminal: &t, args: args, version: a.version, logFormat: a.logFormat, verbose: a.verbose}
	x.Stdout, x.Stderr = io.Discard, x.secrets.Writer(a.Stderr, true)
	return x
}

// execute executes the command line.
func (a *app) execute(ctx context.Context) error {
	root := a.rootCommand()
	root.SetArgs(a.args)
	return root.ExecuteContext(ctx)
}

// maker is a series.Maker: it makes runs by command lines inside this one.
type maker struct{ app *app }

// Check decides a run and makes nothing.
func (m maker) Check(ctx context.Context, args []string) error {
	x := m.app.inner(args)
	x.checkOnly = true
	return x.hidden(x.execute(ctx))
}

// Make makes a run.
func (m maker) Make(ctx context.Context, args []string, reset bool) (int, error) {
	x := m.app.inner(args)
	x.resetFirst = reset
	err := x.execute(ctx)
	if code, is := errors.AsType[verdictCode](err); is {
		return int(code), nil
	}
	return exitcode.Of(err), x.hidden(err)
}

// hidden is an error without the secrets that this command line knows.
func (a *app) hidden(err error) error {
	if err == nil {
		return nil
	}
	return exitcode.With(exitcode.Of(err), errors.New(a.secrets.Text(err.Error())))
}

// Shown are arguments of run without their secrets.
func (m maker) Shown(args []string) []string {
	return m.app.inner(append([]string{"run"}, args...)).shownArgs()
}

// Say shows a line on stderr.
func (m maker) Say(text string) { fmt.Fprintln(m.app.Stderr, text) }

// Warn shows a warning.
func (m maker) Warn(text string) { m.app.warn(text) }

// Fail shows why there was no run.
func (m maker) Fail(err error) { m.app.printError(err, exitcode.Of(err), false) }
