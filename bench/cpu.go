package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
)

const (
	cpuAbout = `User and system time of the tool for one operation, µs: the median over the
rounds, the lowest and the highest, and × perfctl's median. The floor is one C thread with one connection that waits for each due instant
(bench/native/floor.c): nothing exact can cost less here. Its clumped form waits
for the next millisecond only, as event loops do. The driver alone is the
simplest Go loop, one request after the other, as fast as it goes. wrk has no
rate; pauses give it about the same.`
	redisAbout = `As above. redis-benchmark has no rate and ran flat out over 20 connections;
memtier_benchmark is measured where it is installed.`
	postgresAbout = `As above: INSERT of one row as a prepared statement, each its own transaction;
pgbench with -M prepared and -R.`
	rabbitAbout = `As above: a persistent message of 256 bytes, done with its confirm; perfctl also
consumes and acknowledges each one in the same process. No peer with confirms is
to be had from the module proxy or from Debian.`
)

// cpuTable measures contenders at each rate.
func (b *bench) cpuTable(ctx context.Context, section string, rates []float64, names []string, ops count, make func(name string, s shape) (turn, error)) (*table, error) {
	t := &table{head: []string{"tool"}}
	cells := map[string][]string{}
	for _, rate := range rates {
		t.head = append(t.head, fmt.Sprintf("%g/s", rate), "×")
		s := shape{rate, rate, (b.warm + b.window).Seconds() + 2}
		got, err := b.inTurns(ctx, fmt.Sprintf("%s %g/s", section, rate), names, func(ctx context.Context, name string) ([]float64, error) {
			turn, err := make(name, s)
			if err != nil {
				return nil, err
			}
			c, err := b.cost(ctx, turn, rate, ops)
			return []float64{c}, err
		})
		if err != nil {
			return nil, err
		}
		own := median(got["perfctl"], 0)
		for _, name := range names {
			m := median(got[name], 0)
			low, high := span(got[name], 0)
			cells[name] = append(cells[name], fmt.Sprintf("%.1f (%.1f–%.1f)", m, low, high), fmt.Sprintf("%.2f", m/own))
		}
	}
	for _, name := range names {
		t.rows = append(t.rows, append([]string{name}, cells[name]...))
	}
	return t, nil
}

// there returns those of the names whose tool could be had.
func (b *bench) there(names ...string) (out []string) {
	for _, name := range names {
		first, _, _ := strings.Cut(name, " ")
		if _, missing := b.missing[first]; !missing {
			out = append(out, name)
		}
	}
	return out
}

func (b *bench) httpSection(ctx context.Context) (*table, error) {
	names := append([]string{"perfctl", "perfctl, tolerance 1 ms", "floor", "floor, clumps of 1 ms", "driver alone"},
		b.there("vegeta", "k6", "wrk with a delay")...)
	if err := b.witness.reset(ctx); err != nil {
		return nil, err
	}
	t, err := b.cpuTable(ctx, "http", []float64{500, 2000}, names, b.witness.count, func(name string, s shape) (turn, error) {
		if name == "driver alone" {
			return b.driver("http"), nil
		}
		return b.httpTurn(name, s)
	})
	if err != nil {
		return nil, err
	}
	b.note(t, "vegeta", "k6", "wrk")
	return t, nil
}

func (b *bench) driver(kind string) turn {
	return turn{tool: "driver alone", prints: true, args: []string{b.tool["driver"], kind, "20000"}}
}

func (b *bench) redisSection(ctx context.Context) (*table, error) {
	const key = "perfctl:bench:key"
	if _, err := b.redis(ctx, "SET", key, strings.Repeat("x", 512), "EX", "3600"); err != nil {
		return nil, err
	}
	names := append([]string{"perfctl", "perfctl, tolerance 1 ms", "floor", "floor, clumps of 1 ms", "driver alone"},
		b.there("k6", "redis-benchmark flat out", "memtier_benchmark")...)
	settings := map[string]string{"hit_ratio": "1", "value_size": "512", "pool_size": "20", "keys": "1000"}
	t, err := b.cpuTable(ctx, "redis", []float64{500, 2000, 10000}, names, b.redisCommands, func(name string, s shape) (turn, error) {
		switch name {
		case "perfctl":
			return b.perfctl(name, s, "cache", settings)
		case "perfctl, tolerance 1 ms":
			return b.perfctl(name, s, "cache", settings, "--tolerance", "1ms")
		case "k6":
			return b.k6(s, k6Redis, "--summary-mode", "disabled")
		case "floor":
			return turn{tool: name, prints: true, args: b.floor(s, b.window.Seconds(), b.env["REDIS_PORT"], "redis", key)}, nil
		case "floor, clumps of 1 ms":
			return turn{tool: name, prints: true, args: append(b.floor(s, b.window.Seconds(), b.env["REDIS_PORT"], "redis", key), "1000")}, nil
		case "driver alone":
			return b.driver("redis"), nil
		case "memtier_benchmark":
			return turn{tool: name, args: []string{b.tool["memtier_benchmark"], "-p", b.env["REDIS_PORT"], "-a", b.env["REDIS_PASSWORD"],
				"-t", "1", "-c", "20", "--ratio", "0:1", "--rate-limiting", fmt.Sprint(s.from / 20), "--test-time", fmt.Sprint(int(s.length)), "--hide-histogram"}}, nil
		}
		return turn{tool: name, flatOut: true, args: []string{b.tool["redis-benchmark"], "-p", b.env["REDIS_PORT"], "-a", b.env["REDIS_PASSWORD"],
			"-c", "20", "-n", "100000000", "-q", "GET", key}}, nil
	})
	if err != nil {
		return nil, err
	}
	b.note(t, "k6", "redis-benchmark", "memtier_benchmark")
	return t, nil
}

// redis asks the server through redis-cli.
func (b *bench) redis(ctx context.Context, args ...string) (string, error) {
	c := exec.CommandContext(ctx, b.tool["redis-cli"], append([]string{"-p", b.env["REDIS_PORT"], "--no-auth-warning", "-a", b.env["REDIS_PASSWORD"]}, args...)...)
	out, err := c.CombinedOutput()
	if err != nil || strings.HasPrefix(string(out), "ERR") {
		return "", fmt.Errorf("redis-cli %s: %w: %s", args[0], err, out)
	}
	return string(out), nil
}

// redisCommands returns how many GETs the server has executed.
func (b *bench) redisCommands(ctx context.Context) (int64, error) {
	out, err := b.redis(ctx, "INFO", "commandstats")
	if err != nil {
		return 0, err
	}
	var n int64
	_, rest, ok := strings.Cut(out, "cmdstat_get:calls=")
	if !ok {
		return 0, nil
	}
	_, err = fmt.Sscanf(rest, "%d", &n)
	return n, err
}

func (b *bench) postgresSection(ctx context.Context) (*table, error) {
	if b.tool["psql"] == "" {
		return &table{head: []string{"tool"}, notes: []string{"psql: not measured: not installed"}}, nil
	}
	table := "create table if not exists perfctl_bench (id bigint generated always as identity primary key, payload text)"
	if out, err := exec.CommandContext(ctx, b.tool["psql"], b.env["DATABASE_URL"], "-qc", table).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("make a table: %w: %s", err, out)
	}
	script, err := b.file("insert.sql", "insert into perfctl_bench (payload) values ('"+strings.Repeat("x", 200)+"');\n")
	if err != nil {
		return nil, err
	}
	settings := map[string]string{"mix": "insert=1", "payload_size": "200", "pool_size": "20", "table_size": "1000"}
	names := append([]string{"perfctl", "perfctl, tolerance 1 ms", "driver alone"}, b.there("pgbench")...)
	t, err := b.cpuTable(ctx, "postgres", []float64{500, 2000}, names, nil, func(name string, s shape) (turn, error) {
		switch name {
		case "perfctl":
			return b.perfctl(name, s, "crud", settings)
		case "perfctl, tolerance 1 ms":
			return b.perfctl(name, s, "crud", settings, "--tolerance", "1ms")
		case "driver alone":
			return b.driver("postgres"), nil
		}
		return turn{tool: name, args: []string{b.tool["pgbench"], "-n", "-M", "prepared", "-f", script, "-R", fmt.Sprint(s.from),
			"-c", "20", "-j", "1", "-T", fmt.Sprint(int(s.length)), b.env["DATABASE_URL"]}}, nil
	})
	if err != nil {
		return nil, err
	}
	b.note(t, "pgbench")
	return t, nil
}

func (b *bench) rabbitSection(ctx context.Context) (*table, error) {
	settings := map[string]string{"body_size": "256", "work_time": "0s"}
	return b.cpuTable(ctx, "rabbitmq", []float64{500, 2000}, []string{"perfctl", "perfctl, tolerance 1 ms", "driver alone"}, nil,
		func(name string, s shape) (turn, error) {
			switch name {
			case "perfctl":
				return b.perfctl(name, s, "tasks", settings)
			case "driver alone":
				return b.driver("rabbitmq"), nil
			}
			return b.perfctl(name, s, "tasks", settings, "--tolerance", "1ms")
		})
}
