package cli

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The widths that help is laid out for where the terminal is unknown, at least and at
// most: longer lines are hard to read.
const (
	usualHelp  = 80
	leastHelp  = 60
	widestHelp = 120
)

// wrapHelp has the flags in help fit the terminal.
func (a *app) wrapHelp(root *cobra.Command) {
	cobra.AddTemplateFunc("wrappedFlags", func(fs *pflag.FlagSet) string {
		width := usualHelp
		if n := a.OutWidth(); n > 0 {
			width = min(max(n, leastHelp), widestHelp)
		}
		lines := strings.Split(fs.FlagUsagesWrapped(width), "\n")
		for i := range lines {
			lines[i] = strings.TrimRight(lines[i], " ")
		}
		return strings.Join(lines, "\n")
	})
	usage := strings.NewReplacer(".LocalFlags.FlagUsages", "wrappedFlags .LocalFlags", ".InheritedFlags.FlagUsages", "wrappedFlags .InheritedFlags")
	root.SetUsageTemplate(usage.Replace(root.UsageTemplate()))
}

// strictCompletion refuses shells that there is no completion for, which cobra answers
// with help and success.
func strictCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd("completion")
	for _, c := range root.Commands() {
		if c.Name() != "completion" {
			continue
		}
		c.Args = cobra.ArbitraryArgs
		c.RunE = func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(c, args[0])
			}
			return c.Help()
		}
	}
}
