package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"strings"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/secrets"
)

// world is everything outside the program that a command may touch. Tests give
// it buffers and an environment of their own.
type world struct {
	args      []string
	lookupEnv func(string) (string, bool)
	stdout    io.Writer
	stderr    io.Writer
	// outTTY and errTTY say which stream is a terminal.
	outTTY, errTTY bool
	// outWidth and errWidth return a terminal's columns, 0 where unknown.
	outWidth, errWidth func() int
	// errHeight returns the rows of the terminal on stderr, 0 where unknown.
	errHeight func() int
	signals   <-chan os.Signal
	// terminal is what the live view needs; nil without a terminal on stderr.
	terminal *terminal
	// logTo is where the log goes in place of stderr.
	logTo io.Writer

	// secrets are those that became known; stdout and stderr never show them.
	secrets secrets.Redactor

	noColor   bool
	logFormat string
	verbose   bool
}

// exitError is an error that decides the exit code.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// withCode gives an error an exit code, unless it has one.
func withCode(code int, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*exitError](err); ok {
		return err
	}
	return &exitError{code, err}
}

func usageError(format string, args ...any) error {
	return &exitError{exitcode.Usage, fmt.Errorf(format, args...)}
}

func invalidConfig(err error) error { return withCode(exitcode.InvalidConfig, err) }

// verdictCode is the exit code of a command that did its work and whose answer
// is not "pass": there is nothing to print as an error.
type verdictCode int

func (v verdictCode) Error() string { return fmt.Sprintf("exit code %d", int(v)) }

// main runs the command line and returns the exit code. Errors are printed
// here, once.
func (w *world) main(ctx context.Context) (code int) {
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(w.stderr, "perfctl: panic: %v\n%s", p, debug.Stack())
			code = exitcode.Panic
		}
	}()
	w.stdout, w.stderr = w.secrets.Writer(w.stdout, false), w.secrets.Writer(w.stderr, true)
	root := w.rootCommand()
	root.SetArgs(w.args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitcode.Pass
	}
	if v, ok := errors.AsType[verdictCode](err); ok {
		return int(v)
	}
	w.printError(err)
	if e, ok := errors.AsType[*exitError](err); ok {
		return e.code
	}
	return exitcode.Unexpected
}

func (w *world) printError(err error) {
	text := figure.Lines(strings.TrimRight(err.Error(), "\n"))
	fmt.Fprintf(w.stderr, "%s %s\n", w.paint(w.errTTY, "31;1", "error:"), text)
}

// paint wraps text in an ANSI colour where the stream is a terminal that wants
// colours.
func (w *world) paint(tty bool, code, text string) string {
	if !w.colour(tty) {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// colour says whether a stream gets colours: a terminal does, unless NO_COLOR,
// TERM=dumb or --no-color ask otherwise; FORCE_COLOR gives them to any stream.
func (w *world) colour(tty bool) bool {
	if v, ok := w.lookupEnv("NO_COLOR"); w.noColor || ok && v != "" {
		return false
	}
	if v, ok := w.lookupEnv("FORCE_COLOR"); ok && v != "" && v != "0" {
		return true
	}
	v, _ := w.lookupEnv("TERM")
	return tty && v != "dumb"
}

// logger returns the program's log: warnings and errors, with -v everything.
func (w *world) logger() *slog.Logger {
	opts := &slog.HandlerOptions{Level: slog.LevelWarn}
	if w.verbose {
		opts.Level = slog.LevelDebug
	}
	to := w.stderr
	if w.logTo != nil {
		to = w.logTo
	}
	if w.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(to, opts))
	}
	return slog.New(slog.NewTextHandler(to, opts))
}
