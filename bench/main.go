// Command bench measures perfctl beside its peers; it offers load through their
// own commands only, knows no room of perfctl, and decides no release.
//
// Everything that is compared runs in one go on one machine, in turns: round
// after round, each tool does the same work for the same time against the same
// server. What is printed are medians over the rounds, and ratios to perfctl.
// See docs/benchmarks.md for the last table and the machine it is of.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"
)

// options are what the command line sets.
type options struct {
	rounds  int
	window  time.Duration
	warm    time.Duration
	million int64
	only    *regexp.Regexp
	out     string
	keep    string
	against string
	tools   string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, log io.Writer) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	b := &bench{options: o, log: log}
	defer b.close()
	if err := b.prepare(ctx); err != nil {
		return err
	}
	var doc document
	doc.machine = thisMachine(ctx, b)
	before := readProcessorTimes()
	for _, s := range b.sections() {
		if !o.only.MatchString(s.name) {
			continue
		}
		b.say("%s", s.title)
		t, err := s.measure(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		doc.add(s, t)
	}
	if steal := stealSince(before); steal != "" {
		doc.machine = append(doc.machine, steal)
	}
	if o.keep != "" {
		if err := b.kept.write(o.keep, doc.machine); err != nil {
			return err
		}
	}
	if o.against != "" {
		if err := b.check(os.Stdout, o.against); err != nil {
			return err
		}
		if o.out == "" {
			return nil
		}
	}
	text := doc.markdown(o)
	if o.out == "-" {
		_, err = os.Stdout.WriteString(text)
		return err
	}
	return os.WriteFile(o.out, []byte(text), 0o644)
}

func parse(args []string) (options, error) {
	var o options
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.IntVar(&o.rounds, "rounds", 5, "how often each tool has its turn")
	fs.DurationVar(&o.window, "window", 6*time.Second, "how long each turn is measured")
	fs.DurationVar(&o.warm, "warm", 4*time.Second, "how long each turn runs before it is measured")
	fs.Int64Var(&o.million, "arrivals", 10_000_000, "arrivals of the memory section; resident memory is read at a tenth and at the end")
	only := fs.String("only", ".", "measure the sections whose name matches this `REGEXP`: late, http, redis, postgres, rabbitmq, memory, stall")
	fs.StringVar(&o.out, "o", "-", "write the tables to this `FILE`")
	fs.StringVar(&o.keep, "keep", "", "write the figures of every round to this `FILE`, for -against; rows that it holds and that are not measured now stay")
	fs.StringVar(&o.against, "against", "", "compare with the figures that -keep wrote to this `FILE`, and fail where perfctl became dearer or later")
	fs.StringVar(&o.tools, "tools", "bin/bench", "`DIR` for the tools that are built")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	var err error
	if o.only, err = regexp.Compile(*only); err != nil {
		return o, fmt.Errorf("-only: %w", err)
	}
	if o.rounds < 1 || o.window < time.Second || o.warm < time.Second || o.million < 1000 {
		return o, fmt.Errorf("want at least 1 round, 1s of window and warm, and 1000 arrivals")
	}
	return o, nil
}
