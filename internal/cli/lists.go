package cli

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/perfctl/perfctl/configs"
	"github.com/perfctl/perfctl/internal/config"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/profiles"
	"github.com/perfctl/perfctl/internal/report/plan"
	"github.com/perfctl/perfctl/internal/run"
)

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version of perfctl and of its drivers", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			tw := tabwriter.NewWriter(a.Stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintf(tw, "perfctl\t%s\t%s %s/%s\n", a.version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			for _, d := range run.Drivers() {
				fmt.Fprintf(tw, "%s\t%s\t\n", d.Module, d.Version)
			}
			return tw.Flush()
		},
	}
}

func (a *app) profilesCommand() *cobra.Command {
	return &cobra.Command{
		Use: "profiles", Short: "List the built-in profiles", Args: noArgs,
		Example: "  perfctl profiles\n  perfctl inspect spike",
		RunE: func(*cobra.Command, []string) error {
			var b strings.Builder
			for _, name := range configs.Profiles() {
				p, err := config.Profile(name)
				if err != nil {
					return err
				}
				s, err := profiles.Compile(p.Stages, profiles.Options{Process: profiles.Uniform})
				if err != nil {
					return err
				}
				var rates []string
				for _, r := range p.Rates {
					rates = append(rates, r.Name+" "+figure.Value(r.Value, metrics.UnitPerSec))
				}
				fmt.Fprintf(&b, "%s\t%s arrivals\t%s\t%s\n", name, figure.Count(s.Total()), strings.Join(rates, ", "), p.Description)
			}
			if width := a.OutWidth(); width > 0 {
				_, err := io.WriteString(a.Stdout, figure.Hanging(b.String(), width))
				return err
			}
			tw := tabwriter.NewWriter(a.Stdout, 0, 0, 2, ' ', 0)
			if _, err := io.WriteString(tw, b.String()); err != nil {
				return err
			}
			return tw.Flush()
		},
	}
}

func (a *app) scenariosCommand() *cobra.Command {
	return &cobra.Command{
		Use: "scenarios [name]", Short: "List the scenarios with their settings; with -v their metrics",
		Example: "  perfctl scenarios\n  perfctl scenarios tasks -v",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			list, err := run.Describe(args...)
			if err != nil {
				return exitcode.UsageError("%w", err)
			}
			if width := a.OutWidth(); width > 0 {
				var b strings.Builder
				for _, d := range list {
					plan.Scenario(&b, d, a.verbose)
				}
				_, err := io.WriteString(a.Stdout, figure.Hanging(b.String(), width))
				return err
			}
			tw := tabwriter.NewWriter(a.Stdout, 0, 0, 2, ' ', 0)
			for _, d := range list {
				plan.Scenario(tw, d, a.verbose)
			}
			return tw.Flush()
		},
	}
}

// completeProfiles completes the names of built-in profiles, and files.
func completeProfiles(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return configs.Profiles(), cobra.ShellCompDirectiveDefault
}
