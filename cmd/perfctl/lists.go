package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/perfctl/perfctl/configs"
	"github.com/perfctl/perfctl/internal/profiles"
	"github.com/perfctl/perfctl/internal/scenarios/all"
)

// version is set by the linker.
var version = "unknown"

func (w *world) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version of perfctl and of its drivers", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			tw := tabwriter.NewWriter(w.stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintf(tw, "perfctl\t%s\t%s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			for _, d := range driverVersions() {
				fmt.Fprintf(tw, "%s\t%s\t\n", d.name, d.version)
			}
			return tw.Flush()
		},
	}
}

type driverVersion struct{ name, version string }

// driverVersions returns the versions of the drivers that this binary was built
// with: results of different ones are not the same.
func driverVersions() []driverVersion {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	var out []driverVersion
	for _, m := range info.Deps {
		switch m.Path {
		case "github.com/rabbitmq/amqp091-go", "github.com/jackc/pgx/v5", "github.com/redis/go-redis/v9":
			out = append(out, driverVersion{m.Path, m.Version})
		}
	}
	return out
}

func (w *world) profilesCommand() *cobra.Command {
	return &cobra.Command{
		Use: "profiles", Short: "List the built-in profiles", Args: noArgs,
		Example: "  perfctl profiles\n  perfctl inspect spike",
		RunE: func(*cobra.Command, []string) error {
			tw := tabwriter.NewWriter(w.stdout, 0, 0, 2, ' ', 0)
			for _, name := range configs.Profiles() {
				p, err := loadProfile(name)
				if err != nil {
					return err
				}
				s, err := profiles.Compile(p.Stages, profiles.Options{Process: profiles.Uniform})
				if err != nil {
					return err
				}
				var rates []string
				for _, r := range p.Rates {
					rates = append(rates, fmt.Sprintf("%s %s/s", r.Name, compact(r.Value)))
				}
				fmt.Fprintf(tw, "%s\t%s\t%d arrivals\t%s\n", name, p.Description, s.Total(), strings.Join(rates, ", "))
			}
			return tw.Flush()
		},
	}
}

func (w *world) scenariosCommand() *cobra.Command {
	return &cobra.Command{
		Use: "scenarios [name]", Short: "List the scenarios with their settings; with -v their metrics",
		Example: "  perfctl scenarios\n  perfctl scenarios tasks -v",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			reg := all.Registry()
			if len(args) > 0 {
				if _, err := reg.Find(args[0]); err != nil {
					return usageError("%w", err)
				}
			}
			tw := tabwriter.NewWriter(w.stdout, 0, 0, 2, ' ', 0)
			for _, d := range reg.Definitions() {
				if len(args) > 0 && d.Name != args[0] {
					continue
				}
				fmt.Fprintf(tw, "%s: %s\n", d.Name, d.Summary)
				for _, o := range d.Settings {
					stage := ""
					if o.PerStage {
						stage = " (may change in a stage)"
					}
					fmt.Fprintf(tw, "  %s.%s\t%s\t%s%s\n", d.Name, o.Key, orDash(o.Default), o.Help, stage)
				}
				for _, f := range d.Fields {
					fmt.Fprintf(tw, "  {{%s}}\t\t%s\n", f[0], f[1])
				}
				if w.verbose {
					for _, m := range d.Metrics {
						fmt.Fprintf(tw, "  metric %s\t%s, %s\t%s\n", m.Name, m.Kind, m.Unit, m.Help)
					}
				}
				fmt.Fprintln(tw)
			}
			return tw.Flush()
		},
	}
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// completeProfiles completes the names of built-in profiles, and files.
func completeProfiles(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return configs.Profiles(), cobra.ShellCompDirectiveDefault
}
