package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/perfctl/perfctl/internal/cli/flags"
	"github.com/perfctl/perfctl/internal/cli/help"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/suggest"
)

const rootExamples = `  # Throwaway servers, the load profile in a tenth of its time, a verdict
  perfctl run load --lab --time-scale 0.1

  # Your own servers: addresses from the environment or a file
  perfctl run load --env-file .env.test
  perfctl run spike --peak 500 -e DB_HOST=127.0.0.1

  # What would be run, without running it
  perfctl inspect load --peak 2000

  # Print a finished run again
  perfctl report runs/load-20260102-150405`

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "perfctl",
		Short: "Load-test RabbitMQ, PostgreSQL, Redis and an HTTP API, and get a verdict",
		Long: `perfctl offers load on a schedule that the system under test cannot slow down,
measures latency from when each arrival was due, checks that nothing was lost,
and ends with a verdict and an exit code (perfctl help exit-codes).`,
		Example:       rootExamples,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(c, args[0])
			}
			return c.Help()
		},
	}
	root.SetOut(a.Stdout)
	root.SetErr(a.Stderr)
	root.SetFlagErrorFunc(flags.Unknown)
	columns := 0
	if a.OutWidth != nil { // a command of its own for its flags has no terminal
		columns = a.OutWidth()
	}
	help.Fit(root, columns)
	p := root.PersistentFlags()
	p.BoolVar(&a.NoColor, "no-color", false, "print without colours")
	p.StringVar(&a.logFormat, "log-format", "text", "format of everything on stderr: text or json, a record for each message")
	p.BoolVarP(&a.verbose, "verbose", "v", false, "say more on stderr")
	root.PersistentPreRunE = func(c *cobra.Command, _ []string) error {
		flags.Remember(c.Flags(), a.LookupEnv, &a.secrets)
		if a.logFormat != "text" && a.logFormat != "json" {
			return exitcode.UsageError("--log-format %q: want text or json", a.logFormat)
		}
		if v, ok := a.LookupEnv("VERBOSE"); ok && v == "true" {
			a.verbose = true
		}
		return nil
	}
	root.AddCommand(
		a.runCommand(), a.suiteCommand(), a.capacityCommand(), a.inspectCommand(), a.reportCommand(), a.slowCommand(), a.mergeCommand(), a.compareCommand(), a.historyCommand(), a.pruneCommand(), a.labCommand(), a.doctorCommand(), a.resetCommand(), a.kubernetesCommand(),
		a.profilesCommand(), a.scenariosCommand(), a.initCommand(), a.schemaCommand(), a.versionCommand(), exitCodesTopic(),
	)
	strictCompletion(root)
	return root
}

// unknownCommand names the nearest command.
func unknownCommand(c *cobra.Command, word string) error {
	var names []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	return exitcode.UsageError("unknown command %q%s\n  next: perfctl --help", word, suggest.DidYouMean(word, names))
}

// oneArg is cobra.ExactArgs(1) with an error that shows how the command is
// used.
func oneArg(what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == 1 {
			return nil
		}
		return exitcode.UsageError("%s takes %s, got %d arguments\n  usage: %s", c.CommandPath(), what, len(args), c.UseLine())
	}
}

func noArgs(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return exitcode.UsageError("%s takes no arguments, got %q", c.CommandPath(), args)
}

func exitCodesTopic() *cobra.Command {
	return &cobra.Command{
		Use:   "exit-codes",
		Short: "What each exit code means",
		Long:  exitcode.Help(),
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(c.OutOrStdout(), c.Long)
			return err
		},
	}
}
