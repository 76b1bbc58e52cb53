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
		errWidth:  func() int { return width(os.Stderr) },
		outWidth:  func() int { return width(os.Stdout) },
	}
	return w.main(context.Background())
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// width returns the terminal's width in columns, 0 where there is none.
func width(f *os.File) int {
	n, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return n
}
