package cli

import (
	"fmt"
	"regexp"
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
	usualHelp  = 80
	leastHelp  = 60
	widestHelp = 120
)

// manyFlags is from how many flags on they are shown in groups.
const manyFlags = 20

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
	{"Targets", "lab env env-file config allow-target allow-database allow-faults scrape watch no-probes skip-rate"},
	{"Judging", "threshold sla confidence allow-undecided abort-on-fail abort-after baseline gate min-effect fail-on require"},
	{"Output", "out json summary-export quiet run-dir run-id tag log-failures no-exemplars trace trace-share"},
	{"Several machines", "shard start-at barrier barrier-timeout kubernetes kubernetes-keep kubernetes-values kubernetes-wait namespace context kubeconfig image"},
	{"More", "help"},
}

// helpWidth is how wide help may be.
func (a *app) helpWidth() int {
	if a.OutWidth == nil { // nobody has a terminal
		return usualHelp
	}
	if n := a.OutWidth(); n > 0 {
		return min(max(n, leastHelp), widestHelp)
	}
	return usualHelp
}

// helpWidthKey is the annotation of the root command that holds how wide help may be:
// the functions of help's templates are the whole process's.
const helpWidthKey = "help width"

var helpFunctions = sync.OnceFunc(func() {
	width := func(root *cobra.Command) int {
		n, err := strconv.Atoi(root.Annotations[helpWidthKey])
		if err != nil {
			return usualHelp
		}
		return n
	}
	cobra.AddTemplateFunc("wrappedFlags", func(fs *pflag.FlagSet, root *cobra.Command) string { return groupedFlags(fs, width(root)) })
	cobra.AddTemplateFunc("wrappedText", func(root *cobra.Command, s string) string { return wrapText(s, width(root)) })
})

// wrapHelp has help fit the terminal, and shows many flags in groups.
func (a *app) wrapHelp(root *cobra.Command) {
	helpFunctions()
	root.Annotations = map[string]string{helpWidthKey: strconv.Itoa(a.helpWidth())}
	usage := strings.NewReplacer(".LocalFlags.FlagUsages", "wrappedFlags .LocalFlags .Root", ".InheritedFlags.FlagUsages", "wrappedFlags .InheritedFlags .Root")
	root.SetUsageTemplate(usage.Replace(root.UsageTemplate()))
	root.SetHelpTemplate(strings.Replace(root.HelpTemplate(), "{{. | trimTrailingWhitespaces}}", "{{. | wrappedText $.Root | trimTrailingWhitespaces}}", 1))
}

// groupedFlags describes flags, many of them by group.
func groupedFlags(all *pflag.FlagSet, width int) string {
	n := 0
	all.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			n++
		}
	})
	if n < manyFlags {
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
				if !f.Hidden && !grouped(f.Name) {
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

// grouped says whether a flag has a group.
func grouped(name string) bool {
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

// listed is the beginning of a line of a list: a word, then its text.
var listed = regexp.MustCompile(`^ +\S+ +`)

// wrapText breaks the lines of a text that are wider than there is room; what follows of
// a line of a list stands below its text.
func wrapText(s string, width int) string {
	var out []string
	for line := range strings.Lines(s) {
		line = strings.TrimRight(line, "\n")
		if len([]rune(line)) <= width {
			out = append(out, line)
			continue
		}
		head := listed.FindString(line)
		if len(head) > width/2 {
			head = line[:len(line)-len(strings.TrimLeft(line, " "))]
		}
		below := strings.Repeat(" ", len(head))
		for i, part := range figure.Wrap(line[len(head):], width-len(head), width-len(head)) {
			if i == 0 {
				out = append(out, head+part)
			} else {
				out = append(out, below+part)
			}
		}
	}
	return strings.Join(out, "\n")
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
