// Package help lays out what --help prints: as wide as the terminal, the flags of a
// command with many in groups. What commands and flags say of themselves is theirs.
package help

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/figure"
)

// The widths that help is laid out for where the terminal is unknown, at least and at
// most: longer lines are hard to read.
const (
	usual  = 80
	Least  = 60
	widest = 120
)

// Many is from how many flags on they are shown in groups.
const Many = 20

// flagGroup is a heading of help with the flags below it.
type flagGroup struct {
	title string
	flags string
}

// flagGroups are the groups of the commands with many flags. A flag without a group
// stands under the last heading; a test sees to it that there is none.
var flagGroups = []flagGroup{
	{"Load", "base peak rate duration time-scale users pace pause iterations stage vus arrivals seed tolerance queue max-lateness graceful-stop start max max-time precision trial repeat"},
	{"Scenarios", "scenario flow set setup-rate fault each"},
	{"Targets", "lab env env-file config allow-target allow-database allow-faults scrape replicas watch no-probes skip-rate"},
	{"Judging", "threshold sla confidence allow-undecided abort-on-fail abort-after baseline gate min-effect fail-on require"},
	{"Output", "out json summary-export quiet run-dir run-id tag log-failures no-exemplars trace trace-share"},
	{"Several machines", "shard start-at barrier barrier-timeout kubernetes kubernetes-keep kubernetes-values kubernetes-wait namespace context kubeconfig image"},
	{"More", "help"},
}

// width is how wide help may be on a terminal of that many columns, 0 where unknown.
func width(columns int) int {
	if columns > 0 {
		return min(max(columns, Least), widest)
	}
	return usual
}

// widthKey is the annotation of the root command that holds how wide help may be:
// the functions of help's templates are the whole process's.
const widthKey = "help width"

var functions = sync.OnceFunc(func() {
	of := func(root *cobra.Command) int {
		n, err := strconv.Atoi(root.Annotations[widthKey])
		if err != nil {
			return usual
		}
		return n
	}
	cobra.AddTemplateFunc("wrappedFlags", func(fs *pflag.FlagSet, root *cobra.Command) string { return Flags(fs, of(root)) })
	cobra.AddTemplateFunc("listed", func(root *cobra.Command, name string, padding int, short string) string {
		return listed(name, padding, short, of(root))
	})
	cobra.AddTemplateFunc("wrappedText", func(root *cobra.Command, s string) string { return figure.WrapText(s, of(root)) })
})

// Fit has the help of all commands fit a terminal of so many columns, 0 where unknown,
// and shows many flags in groups.
func Fit(root *cobra.Command, columns int) {
	functions()
	root.Annotations = map[string]string{widthKey: strconv.Itoa(width(columns))}
	usage := strings.NewReplacer("  {{rpad .Name .NamePadding }} {{.Short}}", "{{listed $.Root .Name .NamePadding .Short}}",
		".LocalFlags.FlagUsages", "wrappedFlags .LocalFlags .Root", ".InheritedFlags.FlagUsages", "wrappedFlags .InheritedFlags .Root")
	root.SetUsageTemplate(usage.Replace(root.UsageTemplate()))
	root.SetHelpTemplate(strings.Replace(root.HelpTemplate(), "{{. | trimTrailingWhitespaces}}", "{{. | wrappedText $.Root | trimTrailingWhitespaces}}", 1))
}

// listed is a command in a list of them.
func listed(name string, padding int, short string, width int) string {
	head := fmt.Sprintf("  %-*s ", padding, name)
	return head + strings.Join(figure.Wrap(short, width-len(head), width-len(head)), "\n"+strings.Repeat(" ", len(head)))
}

// Flags describes flags, many of them by group.
func Flags(all *pflag.FlagSet, width int) string {
	n := 0
	all.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			n++
		}
	})
	if n < Many {
		return flagText(all, width)
	}
	var out []string
	for i, g := range flagGroups {
		part := pflag.NewFlagSet(g.title, pflag.ContinueOnError)
		part.SortFlags = false
		for name := range strings.FieldsSeq(g.flags) {
			if f := all.Lookup(name); f != nil {
				part.AddFlag(f)
			}
		}
		if i == len(flagGroups)-1 {
			all.VisitAll(func(f *pflag.Flag) {
				if !f.Hidden && !Grouped(f.Name) {
					part.AddFlag(f)
				}
			})
		}
		if part.HasAvailableFlags() {
			out = append(out, " "+g.title+":\n"+strings.TrimRight(flagText(part, width), "\n"))
		}
	}
	return strings.Join(out, "\n\n") + "\n"
}

// Grouped says whether a flag has a group.
func Grouped(name string) bool {
	return slices.ContainsFunc(flagGroups, func(g flagGroup) bool { return slices.Contains(strings.Fields(g.flags), name) })
}

// flagColumn is where the text of a flag begins, below its name.
const flagColumn = 8

// flagText describes flags, each with its text below its name.
func flagText(fs *pflag.FlagSet, width int) string {
	var b strings.Builder
	fs.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		short := "    "
		if f.Shorthand != "" {
			short = "-" + f.Shorthand + ", "
		}
		fmt.Fprintln(&b, strings.TrimRight("  "+short+"--"+f.Name+" "+value, " "))
		if !slices.Contains([]string{"", "0", "false", "[]", "0s"}, f.DefValue) {
			usage += " (default " + f.DefValue + ")"
		}
		for _, line := range figure.Wrap(usage, width-flagColumn, width-flagColumn) {
			fmt.Fprintln(&b, strings.Repeat(" ", flagColumn)+line)
		}
	})
	return b.String()
}
