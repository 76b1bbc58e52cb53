package cli

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/kballard/go-shellquote"
	"github.com/spf13/cobra"

	"github.com/perfctl/perfctl/internal/cli/terminal"
	"github.com/perfctl/perfctl/internal/series"
	"github.com/perfctl/perfctl/internal/sla"
)

// pages are the texts that a user reads: those beside the README, and all in docs.
func pages(t *testing.T) map[string]string {
	t.Helper()
	root := filepath.Join("..", "..")
	names, err := filepath.Glob(filepath.Join(root, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(filepath.Join(root, "docs"), func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".md") {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = string(text)
	}
	return out
}

var (
	fence    = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	span     = regexp.MustCompile("`[^`]+`")
	link     = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading  = regexp.MustCompile(`(?m)^#+ (.*)$`)
	notWords = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
)

// anchors are the names by which a page's headings are linked to.
func anchors(text string) (out []string) {
	for _, h := range heading.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		out = append(out, strings.ReplaceAll(notWords.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-"))
	}
	return out
}

func TestLinksOfPagesLeadSomewhere(t *testing.T) {
	all := pages(t)
	found := 0
	for name, text := range all {
		prose := span.ReplaceAllString(fence.ReplaceAllString(text, ""), "")
		for _, l := range link.FindAllStringSubmatch(prose, -1) {
			if strings.Contains(l[1], "://") || strings.HasPrefix(l[1], "mailto:") {
				continue
			}
			found++
			path, anchor, _ := strings.Cut(l[1], "#")
			to := name
			if path != "" {
				to = filepath.Join(filepath.Dir(name), path)
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s: the link %s leads nowhere", name, l[1])
				continue
			}
			if page, known := all[to]; anchor != "" && known && !slices.Contains(anchors(page), anchor) {
				t.Errorf("%s: %s has no heading for the link %s", name, to, l[1])
			}
		}
	}
	if found < 30 {
		t.Errorf("%d links found, there are more", found)
	}
}

// TestHelpNamesFilesThatExist is about the pages and examples that help points to.
func TestHelpNamesFilesThatExist(t *testing.T) {
	file := regexp.MustCompile(`\b(docs|configs)/[\w./-]*\w`)
	eachCommand(newRoot(), func(c *cobra.Command) {
		for _, name := range file.FindAllString(c.Long+c.Example+c.Flags().FlagUsages(), -1) {
			if _, err := os.Stat(filepath.Join("..", "..", name)); err != nil {
				t.Errorf("%s --help names %s, which is not there", c.CommandPath(), name)
			}
		}
	})
}

// newRoot returns a command tree of its own: flags keep what was parsed.
func newRoot() *cobra.Command {
	root := (&app{Terminal: &terminal.Terminal{}}).rootCommand()
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	return root
}

func eachCommand(c *cobra.Command, f func(*cobra.Command)) {
	f(c)
	for _, sub := range c.Commands() {
		eachCommand(sub, f)
	}
}

// joined puts lines that are continued into one.
func joined(text string) string { return strings.ReplaceAll(text, "\\\n", " ") }

// commands finds the commands of perfctl in the lines of an example, without what the
// shell does around them.
func commands(text string) (out []string) {
	for line := range strings.Lines(joined(text)) {
		for _, part := range splitShell(line) {
			part = strings.TrimPrefix(strings.TrimSpace(part), "$ ")
			for assignment := regexp.MustCompile(`^[A-Z_]+=('[^']*'|\S*) +`); assignment.MatchString(part); {
				part = assignment.ReplaceAllString(part, "")
			}
			part = strings.TrimPrefix(strings.TrimPrefix(part, "eval \"$("), "bin/")
			if rest, ok := strings.CutPrefix(part, "perfctl "); ok {
				out = append(out, strings.TrimSuffix(strings.TrimSpace(rest), `)"`))
			}
		}
	}
	return out
}

// splitShell cuts a line where a shell does: at pipes, redirections, semicolons,
// ampersands and comments that are in no quotes.
func splitShell(line string) (out []string) {
	var quote rune
	start := 0
	for i, r := range line {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case r == '\'', r == '"' && !strings.HasPrefix(line[i:], `"$(`) && !strings.HasPrefix(line[max(i-1, 0):], `)"`):
			quote = r
		case r == '#' && (i == 0 || line[i-1] == ' '):
			return append(out, line[start:i])
		case strings.ContainsRune("|;&>", r):
			out = append(out, line[start:i])
			start = i + 1
		}
	}
	return append(out, line[start:])
}

// parse reads a command line as perfctl does, without executing it.
func parse(line string, mentioned bool) error {
	args, err := shellquote.Split(line)
	if err != nil {
		return err
	}
	root := newRoot()
	c, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	if c == root && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
		return unknownCommand(root, rest[0])
	}
	if err := c.ParseFlags(rest); err != nil {
		return err
	}
	if !mentioned {
		if err := c.ValidateArgs(c.Flags().Args()); err != nil {
			return err
		}
	}
	return parseValues(c)
}

// parseValues reads the values that have a grammar of their own.
func parseValues(c *cobra.Command) error {
	if thresholds, err := c.Flags().GetStringArray("threshold"); err == nil {
		for _, text := range thresholds {
			if _, err := sla.ParseThreshold(text); err != nil {
				return fmt.Errorf("--threshold %q: %w", text, err)
			}
		}
	}
	for _, flag := range []string{"run", "against"} {
		if text, err := c.Flags().GetString(flag); err == nil && text != "" {
			args, err := series.Args("--"+flag, text)
			if err != nil {
				return err
			}
			if err := parse(shellquote.Join(args...), false); err != nil {
				return fmt.Errorf("--%s: %w", flag, err)
			}
		}
	}
	return nil
}

func TestExamplesOfPagesAreCommandsOfPerfctl(t *testing.T) {
	found := 0
	for name, text := range pages(t) {
		if strings.HasSuffix(name, "CHANGELOG.md") {
			continue // what was, was
		}
		for _, block := range fence.FindAllString(text, -1) {
			for _, line := range commands(block) {
				found++
				if err := parse(line, false); err != nil {
					t.Errorf("%s: perfctl %s: %v", name, line, err)
				}
			}
			// Flags by themselves are those of run.
			for line := range strings.Lines(joined(block)) {
				flags := strings.TrimSpace(splitShell(line)[0])
				if !strings.HasPrefix(flags, "--") {
					continue
				}
				found++
				if err := parse("run load "+flags, false); err != nil {
					t.Errorf("%s: %s: %v", name, flags, err)
				}
			}
		}
		for _, s := range span.FindAllString(fence.ReplaceAllString(text, ""), -1) {
			for _, line := range commands(strings.ReplaceAll(strings.Trim(s, "`"), "\n", " ")) {
				found++
				if err := parse(line, true); err != nil {
					t.Errorf("%s: %s: %v", name, s, err)
				}
			}
		}
	}
	if found < 60 {
		t.Errorf("%d commands found, there are more", found)
	}
}

func TestExamplesOfHelpAreCommandsOfPerfctl(t *testing.T) {
	eachCommand(newRoot(), func(c *cobra.Command) {
		for _, line := range commands(c.Example) {
			if err := parse(line, false); err != nil {
				t.Errorf("%s --help: perfctl %s: %v", c.CommandPath(), line, err)
			}
		}
	})
}

func TestACommandThatIsNoneIsFoundInAnExample(t *testing.T) {
	for text, want := range map[string]string{
		"```\nperfctl rum load\n```":                                 "unknown command",
		"perfctl run load --treshold x":                              "unknown flag",
		"perfctl run load --tolerance often":                         "invalid argument",
		"perfctl run load \\\n  --threshold 'response_time: p(95)'":  "--threshold",
		"make && A=b perfctl report | less":                          "accepts 1 arg|takes",
		"perfctl compare --run 'load --nope' --against load":         "--run: unknown flag",
		`eval "$(perfctl lab enw)"`:                                  "unknown command|takes",
		"perfctl run load --threshold 'a: max<1' > x # perfctl nope": "",
	} {
		lines := commands(text)
		if len(lines) != 1 {
			t.Errorf("%s: found %q", text, lines)
			continue
		}
		err := parse(lines[0], false)
		if (want == "") != (err == nil) || err != nil && !regexp.MustCompile(want).MatchString(err.Error()) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}
