package cli

import (
	"github.com/spf13/cobra"

	"github.com/perfctl/perfctl/internal/cli/flags"
	"github.com/perfctl/perfctl/internal/schema"
)

func (a *app) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON schema of perfctl's files, for editors",
		Long: `Schema prints the JSON schema of profiles, SLA tables, flows, files of requests
and configuration files.
Editors with a YAML language server complete and check the files with it, when
their first line is

  # yaml-language-server: $schema=` + schema.File + `

perfctl init writes it beside the files that it makes.`,
		Example: "  perfctl schema > " + schema.File,
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			text, err := a.schema()
			if err != nil {
				return err
			}
			_, err = a.Stdout.Write(text)
			return err
		},
	}
}

func (a *app) schema() ([]byte, error) {
	fs := a.runCommand().Flags()
	return schema.Make(&flags.FileOptions{Flags: fs}, fs)
}
