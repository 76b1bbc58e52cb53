package cli

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/scripts"
	"github.com/perfctl/perfctl/internal/starter"
)

func (a *app) initCommand() *cobra.Command {
	from := ""
	c := &cobra.Command{
		Use:   "init [directory]",
		Short: "Write commented files to start from: configuration, profile, SLA tables, flows",
		Long: `Init writes a configuration file, a profile, SLA tables, flows for each kind of step
and a file of requests, with every key explained, and the JSON schema by which editors complete them. A file that is
there is left as it is.

With --from it writes the profile of a k6 script, and where the script is plain,
requests, checks, pauses and groups one after the other, the flow that does the
same; it lists what it could not carry over.`,
		Example: "  perfctl init perf\n  perfctl inspect perf/profile.yaml --config perf/perfctl.yaml\n\n  # The profile and the flow of a k6 script\n  perfctl init --from script.js perf",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return exitcode.UsageError("%s takes at most one directory, got %d arguments\n  usage: %s", c.CommandPath(), len(args), c.UseLine())
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			dir := "."
			if len(args) == 1 {
				dir = args[0]
			}
			if from != "" {
				return a.initFrom(c.Context(), from, dir)
			}
			return a.init(dir)
		},
	}
	c.Flags().StringVar(&from, "from", "", "write the profile, and where it can the flow, of a k6 script `FILE`")
	return c
}

// startIn says where the files of init go, and prints each.
func (a *app) startIn(dir string) *starter.Folder {
	return &starter.Folder{Dir: dir, Wrote: func(path string, kept bool) {
		word := "wrote "
		if kept {
			word = "kept  "
		}
		fmt.Fprintf(a.Stdout, "%s %s\n", word, path)
	}}
}

// initFrom writes what a k6 script becomes, and says what it does not.
func (a *app) initFrom(ctx context.Context, path, dir string) error {
	if !scripts.Is(path) {
		return exitcode.UsageError("--from %s: want a k6 script, which ends in .js or .ts", path)
	}
	ctx, stop := run.Interruptible(ctx, a.Interrupts)
	defer stop()
	c, err := a.startIn(dir).Script(ctx, path, a.LookupEnv)
	if err != nil {
		return err
	}
	for i, text := range c.Left {
		switch {
		case i == 0 && c.Flow == "":
			fmt.Fprintln(a.Stdout, "no flow was made of it, and the profile runs the script as it is, because of:")
		case i == 0:
			fmt.Fprintln(a.Stdout, "not carried over:")
		}
		fmt.Fprintf(a.Stdout, "  %s\n", figure.Line(text))
	}
	fmt.Fprintf(a.Stdout, "next: %s\n", figure.Line(c.Run))
	return nil
}

func (a *app) init(dir string) error {
	text, err := a.schema()
	if err != nil {
		return err
	}
	if err := a.startIn(dir).Examples(text); err != nil {
		return err
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	fmt.Fprintf(a.Stdout, "next: perfctl inspect %s --config %s --sla %s\n", at("profile.yaml"), at("perfctl.yaml"), at("sla.yaml"))
	return nil
}
