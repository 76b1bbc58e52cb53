package cli

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/perfctl/perfctl/internal/cli/flags"
	"github.com/perfctl/perfctl/internal/cli/help"
	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/report/plan"
)

const inspectExamples = `  perfctl inspect load
  perfctl inspect spike --peak 500 --time-scale 0.1
  perfctl inspect my-profile.yaml --env-file .env.test`

func (a *app) inspectCommand() *cobra.Command {
	f := &flags.Plan{}
	c := &cobra.Command{
		Use:     "inspect <profile>",
		Short:   "Show the plan of a run, without running it",
		Long:    "Inspect checks what run checks, and shows the stages, the number of arrivals, the\nrate over time, the rules that will be judged, and every setting with its origin.",
		Example: inspectExamples,
		Args:    oneArg("a profile's name or file"),
	}
	f.Register(c.Flags())
	c.RunE = func(c *cobra.Command, args []string) error {
		p, err := a.plan(c.Context(), args[0], f, c.Flags(), nil)
		if err != nil {
			return err
		}
		var b strings.Builder
		plan.Text(&b, p)
		text := b.String()
		if width := a.OutWidth(); width > 0 {
			text = figure.WrapText(text, max(width, help.Least))
		}
		_, err = io.WriteString(a.Stdout, text)
		return err
	}
	c.ValidArgsFunction = completeProfiles
	return c
}
