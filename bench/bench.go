package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// bench holds what the sections share: tools, servers, a folder for scratch.
type bench struct {
	options
	log io.Writer
	// temp is removed at the end; it holds scripts, profiles and runs.
	temp string
	// tool maps a tool's name to its command; one that could not be had is
	// missing, and missing says why.
	tool    map[string]string
	missing map[string]string
	witness *witness
	// env holds the throwaway servers' settings.
	env map[string]string
	lab string
	// kept are the figures of every round.
	kept kept
	seq  int
}

func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.log, "%s  %s\n", time.Now().Format("15:04:05"), fmt.Sprintf(format, args...))
}

// prepare builds the tools and starts the servers.
func (b *bench) prepare(ctx context.Context) error {
	var err error
	if b.temp, err = os.MkdirTemp("", "perfctl-bench-"); err != nil {
		return err
	}
	if err := b.build(ctx); err != nil {
		return err
	}
	if b.witness, err = startWitness(ctx, b.tool["witness"]); err != nil {
		return err
	}
	return b.labUp(ctx)
}

// close stops what prepare started.
func (b *bench) close() {
	if b.witness != nil {
		b.witness.close()
	}
	if b.lab != "" {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_ = exec.CommandContext(ctx, b.tool["perfctl"], "lab", "down", "--state", b.lab).Run()
	}
	if b.temp != "" {
		_ = os.RemoveAll(b.temp)
	}
}

// labUp starts throwaway servers through perfctl and reads their settings.
func (b *bench) labUp(ctx context.Context) error {
	b.say("starting throwaway servers")
	b.lab = filepath.Join(b.temp, "lab")
	if out, err := exec.CommandContext(ctx, b.tool["perfctl"], "lab", "up", "--state", b.lab).CombinedOutput(); err != nil {
		return fmt.Errorf("start the servers: %w: %s", err, out)
	}
	out, err := exec.CommandContext(ctx, b.tool["perfctl"], "lab", "env", "--state", b.lab).Output()
	if err != nil {
		return fmt.Errorf("read the servers' settings: %w", err)
	}
	b.env = map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, value, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
		if ok {
			b.env[name] = strings.Trim(value, "'")
		}
	}
	return nil
}

// environ is the process's own environment with the servers' settings.
func (b *bench) environ() []string {
	env := os.Environ()
	for name, value := range b.env {
		env = append(env, name+"="+value)
	}
	return append(env, "API_BASE_URL="+b.witness.url())
}

// file writes a scratch file and returns its path.
func (b *bench) file(suffix, text string) (string, error) {
	b.seq++
	path := filepath.Join(b.temp, fmt.Sprintf("%03d-%s", b.seq, suffix))
	return path, os.WriteFile(path, []byte(text), 0o600)
}
