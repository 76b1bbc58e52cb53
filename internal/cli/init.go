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
	"github.com/perfctl/perfctl/internal/schema"
)

func (a *app) initCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "init [directory]",
		Short: "Write commented files to start from: configuration, profile, SLA tables, flows",
		Long: `Init writes a configuration file, a profile, SLA tables, flows for each kind of step
and a file of requests, with every key explained, and the JSON schema by which editors complete them. A file that is
there is left as it is.`,
		Example: "  perfctl init perf\n  perfctl inspect perf/profile.yaml --config perf/perfctl.yaml",
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
			return a.init(dir)
		},
	}
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
