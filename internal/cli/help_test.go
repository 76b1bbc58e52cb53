package cli

import (
	"strings"
	"sync"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/cli/help"
	"github.com/perfctl/perfctl/internal/cli/terminal"
	"github.com/perfctl/perfctl/internal/figure"
)

// Every flag of a command with many has its heading, so that a new one is not lost
// among others.
func TestEveryFlagHasAGroup(t *testing.T) {
	a := &app{Terminal: &terminal.Terminal{}}
	for _, c := range a.rootCommand().Commands() {
		n := 0
		c.LocalFlags().VisitAll(func(*pflag.Flag) { n++ })
		if n < help.Many {
			continue
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && !help.Grouped(f.Name) && f.Name != "help" {
				t.Errorf("perfctl %s --%s has no group in help", c.Name(), f.Name)
			}
		})
	}
}

// Help is never wider than it may be, but for what is there to be copied.
func TestHelpFits(t *testing.T) {
	a := &app{Terminal: &terminal.Terminal{}}
	var visit func(c *cobra.Command)
	visit = func(c *cobra.Command) {
		for _, width := range []int{60, 80} {
			for line := range strings.Lines(figure.WrapText(c.Long, width) + "\n" + help.Flags(c.LocalFlags(), width)) {
				if n := len([]rune(strings.TrimRight(line, "\n"))); n > width {
					t.Errorf("%s at %d columns: %q", c.CommandPath(), width, line)
				}
			}
		}
		for line := range strings.Lines(c.UsageString()) { // the list of commands and the examples, at 80 columns
			if n := len([]rune(strings.TrimRight(line, "\n"))); n > 80 {
				t.Errorf("%s: %q", c.CommandPath(), line)
			}
		}
		for _, sub := range c.Commands() {
			visit(sub)
		}
	}
	visit(a.rootCommand())
}

// Commands may be made by several goroutines of one process.
func TestCommandsAreMadeAtOnce(t *testing.T) {
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				(&app{Terminal: &terminal.Terminal{}}).rootCommand()
			}
		})
	}
	all.Wait()
}
