package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/perfctl/perfctl/configs"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/schema"
	"github.com/perfctl/perfctl/internal/scripts"
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
		RunE: func(_ *cobra.Command, args []string) error {
			dir := "."
			if len(args) == 1 {
				dir = args[0]
			}
			if from != "" {
				return a.initFrom(from, dir)
			}
			return a.init(dir)
		},
	}
	c.Flags().StringVar(&from, "from", "", "write the profile, and where it can the flow, of a k6 script `FILE`")
	return c
}

// initFrom writes what a k6 script becomes, and says what it does not.
func (a *app) initFrom(path, dir string) error {
	if !scripts.Is(path) {
		return exitcode.UsageError("--from %s: want a k6 script, which ends in .js or .ts", path)
	}
	o, err := scripts.Load(path, a.LookupEnv, scripts.Flags{})
	if err != nil {
		return err
	}
	c, err := scripts.Carry(path, dir, o)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the folder: %w", err)
	}
	if err := a.writeNew(filepath.Join(dir, c.Name+".yaml"), []byte(c.Profile)); err != nil {
		return err
	}
	if c.Flow != "" {
		if err := a.writeNew(filepath.Join(dir, c.Name+"-flow.yaml"), []byte(c.Flow)); err != nil {
			return err
		}
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
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the folder: %w", err)
	}
	text, err := a.schema()
	if err != nil {
		return err
	}
	if err := a.writeNew(filepath.Join(dir, schema.File), text); err != nil {
		return err
	}
	for _, name := range configs.Starters() {
		text, err := configs.Starter(name)
		if err != nil {
			return err
		}
		head := "# yaml-language-server: $schema=" + schema.File + "\n"
		if err := a.writeNew(filepath.Join(dir, name), append([]byte(head), text...)); err != nil {
			return err
		}
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	fmt.Fprintf(a.Stdout, "next: perfctl inspect %s --config %s --sla %s\n", at("profile.yaml"), at("perfctl.yaml"), at("sla.yaml"))
	return nil
}

// writeNew writes a file that is not there yet, and says what it did.
func (a *app) writeNew(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		fmt.Fprintf(a.Stdout, "kept   %s\n", path)
		return nil
	}
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	fmt.Fprintf(a.Stdout, "wrote  %s\n", path)
	return nil
}
