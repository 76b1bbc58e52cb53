// Command perfctl load-tests systems made of RabbitMQ, PostgreSQL, Redis and an
// HTTP API. This package holds the command line: it reads flags and settings,
// wires the rooms together, talks to the terminal and chooses the exit code.
// What a run does and what its figures mean is decided below internal/.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"
)

func main() { os.Exit(realMain()) }

// realMain connects the program to the process: arguments, environment,
// streams and signals are touched nowhere else.
func realMain() int {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	w := &world{
		args:      os.Args[1:],
		lookupEnv: os.LookupEnv,
		stdout:    os.Stdout,
		stderr:    os.Stderr,
		outTTY:    isTerminal(os.Stdout),
		errTTY:    isTerminal(os.Stderr),
		signals:   signals,
		errWidth:  func() int { n, _ := size(os.Stderr); return n },
		outWidth:  func() int { n, _ := size(os.Stdout); return n },
		errHeight: func() int { _, n := size(os.Stderr); return n },
	}
	if w.errTTY {
		w.terminal = &terminal{
			screen: os.Stderr, environ: os.Environ(), owned: func() bool { return inForeground(os.Stderr) },
			interrupt: func() {
				select {
				case signals <- os.Interrupt:
				default: // two are waiting already, and more mean nothing
				}
			},
		}
		if isTerminal(os.Stdin) {
			w.terminal.keys = os.Stdin
		}
	}
	return w.main(context.Background())
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// size returns the terminal's columns and rows, 0 where there is none.
func size(f *os.File) (columns, rows int) {
	columns, rows, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0, 0
	}
	return columns, rows
}
