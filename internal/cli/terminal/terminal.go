// Package terminal is the process as perfctl's commands see it: streams, colours,
// widths, signals, and the progress of a run on stderr. It decides nothing about a
// run; tests give it buffers and an environment of their own.
package terminal

import (
	"io"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"
)

// Terminal is everything of the process that a command may touch.
type Terminal struct {
	// Stdout takes results, Stderr everything else.
	Stdout, Stderr io.Writer
	// OutTTY and ErrTTY say which stream is a terminal.
	OutTTY, ErrTTY bool
	// OutWidth and ErrWidth return a terminal's columns, ErrHeight its rows; 0 where
	// unknown.
	OutWidth, ErrWidth, ErrHeight func() int
	// LookupEnv reads the environment.
	LookupEnv func(name string) (string, bool)
	// Environ is the environment as os.Environ lists it.
	Environ []string
	// Interrupts delivers a value for each signal to end.
	Interrupts <-chan struct{}
	// Screen is what the live view needs; nil without a terminal on stderr.
	Screen *Screen
	// NoColor leaves out colours.
	NoColor bool
}

// Open connects to the process. stop gives its signals back.
func Open() (t *Terminal, stop func()) {
	interrupts := make(chan struct{}, 2)
	// Two are waiting already: more mean nothing.
	interrupt := func() {
		select {
		case interrupts <- struct{}{}:
		default:
		}
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	// A terminal that goes away ends a run in order, unless nohup was to keep it.
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(signals, syscall.SIGHUP)
	}
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-signals:
				interrupt()
			case <-done:
				return
			}
		}
	}()
	outlive()
	t = &Terminal{
		Stdout: UntilGone(os.Stdout), Stderr: UntilGone(os.Stderr), OutTTY: isTerminal(os.Stdout), ErrTTY: isTerminal(os.Stderr),
		OutWidth:  func() int { n, _ := size(os.Stdout); return n },
		ErrWidth:  func() int { n, _ := size(os.Stderr); return n },
		ErrHeight: func() int { _, n := size(os.Stderr); return n },
		LookupEnv: os.LookupEnv, Environ: os.Environ(), Interrupts: interrupts,
	}
	if t.ErrTTY {
		t.Screen = &Screen{
			Out: os.Stderr, Environ: os.Environ(), Owned: func() bool { return inForeground(os.Stderr) }, Interrupt: interrupt,
		}
		if isTerminal(os.Stdin) {
			t.Screen.Keys = os.Stdin
		}
	}
	return t, func() { signal.Stop(signals); close(done) }
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

// Paint wraps text in an ANSI colour where the stream is a terminal that wants
// colours. code is the colour's, as in 31;1.
func (t *Terminal) Paint(tty bool, code, text string) string {
	if !t.Colour(tty) {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// Colour says whether a stream gets colours: a terminal does, unless NO_COLOR,
// TERM=dumb or --no-color ask otherwise; FORCE_COLOR gives them to any stream.
func (t *Terminal) Colour(tty bool) bool {
	if v, ok := t.LookupEnv("NO_COLOR"); t.NoColor || ok && v != "" {
		return false
	}
	if v, ok := t.LookupEnv("FORCE_COLOR"); ok && v != "" && v != "0" {
		return true
	}
	v, _ := t.LookupEnv("TERM")
	return tty && v != "dumb"
}

// YieldStdout leaves stdout to an output: what else would go there goes to stderr,
// and a reader that goes away ends the output and not the run.
func (t *Terminal) YieldStdout() {
	signal.Ignore(syscall.SIGPIPE)
	t.Stdout, t.OutTTY, t.OutWidth = t.Stderr, t.ErrTTY, t.ErrWidth
}
