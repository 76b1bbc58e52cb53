package cli

import "github.com/perfctl/perfctl/internal/cli/flags"

// shownArgs returns the command line as it may be recorded.
func (a *app) shownArgs() []string {
	// A command of its own: making one gives its flags their defaults.
	t := *a.Terminal
	c, _, err := (&app{Terminal: &t}).rootCommand().Find(a.args)
	if err != nil {
		return nil
	}
	c.InheritedFlags() // merges the flags of the commands above
	return flags.Shown(a.args, c.Flags(), &a.secrets)
}
