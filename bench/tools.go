package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// vegetaModule is the peer that is built here. k6 is under the AGPL: it is measured
// where it is on the path, and never built.
const vegetaModule = "github.com/tsenart/vegeta/v12@v12.13.0"

// build builds or finds every tool. Those of the benchmark itself must be
// there; a peer that is not there is named in the tables.
func (b *bench) build(ctx context.Context) error {
	dir, err := filepath.Abs(b.tools)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	b.tool, b.missing = map[string]string{}, map[string]string{}
	if b.tool["perfctl"], err = filepath.Abs("bin/perfctl"); err != nil {
		return err
	}
	if _, err := os.Stat(b.tool["perfctl"]); err != nil {
		return fmt.Errorf("%w; next: make build", err)
	}
	for _, name := range []string{"witness", "floor"} {
		b.tool[name] = filepath.Join(dir, name)
		out, err := exec.CommandContext(ctx, "cc", "-O2", "-o", b.tool[name], "bench/native/"+name+".c").CombinedOutput()
		if err != nil {
			return fmt.Errorf("build bench/native/%s.c: %w: %s", name, err, out)
		}
	}
	b.tool["driver"] = filepath.Join(dir, "driver")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", b.tool["driver"], "./bench/driver").CombinedOutput(); err != nil {
		return fmt.Errorf("build ./bench/driver: %w: %s", err, out)
	}
	b.install(ctx, dir, "vegeta", vegetaModule)
	for _, name := range []string{"k6", "wrk", "redis-benchmark", "memtier_benchmark", "redis-cli"} {
		b.find(name)
	}
	b.find("pgbench", "/usr/lib/postgresql/*/bin/pgbench")
	b.find("psql")
	return nil
}

// install builds a Go command once; the folder keeps it.
func (b *bench) install(ctx context.Context, dir, name, module string) {
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err == nil {
		b.tool[name] = path
		return
	}
	b.say("building %s", module)
	c := exec.CommandContext(ctx, "go", "install", module)
	c.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=-mod=mod")
	if out, err := c.CombinedOutput(); err != nil {
		b.missing[name] = fmt.Sprintf("go install %s: %v: %.200s", module, err, out)
		return
	}
	b.tool[name] = path
}

// find looks for a command on the path and at the places given.
func (b *bench) find(name string, places ...string) {
	if path, err := exec.LookPath(name); err == nil {
		b.tool[name] = path
		return
	}
	for _, pattern := range places {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			b.tool[name] = found[len(found)-1]
			return
		}
	}
	b.missing[name] = "not installed"
}
