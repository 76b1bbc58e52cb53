package main

import (
	"context"
	"fmt"
	"strings"
)

// section is one table.
type section struct {
	name, title, about string
	measure            func(context.Context) (*table, error)
}

// table is what a section found. The first column names the tool.
type table struct {
	head  []string
	rows  [][]string
	notes []string
}

func (b *bench) sections() []section {
	return []section{
		{"late", "Lateness", lateAbout, b.lateSection},
		{"http", "CPU of an HTTP GET", cpuAbout, b.httpSection},
		{"redis", "CPU of a Redis GET", redisAbout, b.redisSection},
		{"postgres", "CPU of a PostgreSQL INSERT", postgresAbout, b.postgresSection},
		{"rabbitmq", "CPU of a RabbitMQ publish with its confirm", rabbitAbout, b.rabbitSection},
		{"memory", "Memory", memoryAbout, b.memorySection},
		{"stall", "A server that stalls for two seconds", stallAbout, b.stallSection},
	}
}

// note says of a peer that it was not measured.
func (b *bench) note(t *table, tools ...string) {
	for _, name := range tools {
		if why, ok := b.missing[name]; ok {
			t.notes = append(t.notes, fmt.Sprintf("%s: not measured: %s", name, why))
		}
	}
}

// document is the page with all tables.
type document struct {
	machine []string
	parts   []string
}

func (d *document) add(s section, t *table) {
	var w strings.Builder
	fmt.Fprintf(&w, "## %s\n\n%s\n\n", s.title, s.about)
	line := func(cells []string) { fmt.Fprintf(&w, "| %s |\n", strings.Join(cells, " | ")) }
	line(t.head)
	rule := make([]string, len(t.head))
	for i := range rule {
		rule[i] = "--:"
	}
	rule[0] = "---"
	line(rule)
	for _, r := range t.rows {
		line(r)
	}
	for _, n := range t.notes {
		fmt.Fprintf(&w, "\n%s\n", n)
	}
	d.parts = append(d.parts, w.String())
}

func (d *document) markdown(o options) string {
	return fmt.Sprintf(`# perfctl beside its peers

Written by `+"`make bench`"+`, which measures all of this again on your machine. Each
tool did the same work against the same server, in turns, %d rounds of %v after
%v of warm-up; figures are medians over the rounds. It is one machine's table:
read the ratios; -keep of another name keeps another machine's figures.

%s

%s`, o.rounds, o.window, o.warm, strings.Join(d.machine, "\n"), strings.Join(d.parts, "\n"))
}
