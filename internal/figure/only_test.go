package figure_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// elsewhere are the files that make a number into text themselves, and why: the text is
// read by a program, or belongs to a format or a language.
var elsewhere = map[string]string{
	"capacity/trials/away.go":           "a profile, which is read again",
	"capacity/trials/trial.go":          "the name of a folder",
	"cluster/objects.go":                "an annotation, which is read again",
	"compare/gate.go":                   "the name of a percentile",
	"faults/faults.go":                  "a fault, which is read again",
	"report/html/document.go":           "coordinates of SVG",
	"report/html/slow.go":               "lengths of CSS",
	"report/junit.go":                   "a number of JUnit's",
	"rundir/hdrlog/log.go":              "the format of HdrHistogram's logs",
	"scenarios/script/vm/htmlvalues.go": "a number of JavaScript's",
	"scripts/plaincalls.go":             "a flow, which is read again",
	"scripts/words.go":                  "a threshold, which is read again",
	"sla/rule.go":                       "a threshold, which is read again",
	"stats/usl.go":                      "statistics know no room",
}

var (
	own   = regexp.MustCompile(`%[-+0-9]*\.[0-9*]+f|FormatFloat`)
	apart = regexp.MustCompile(`%\.?[0-9]*[a-z] %%`)
)

func TestNumbersAreFormattedHereAlone(t *testing.T) {
	used := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d os.DirEntry, err error) error {
		name := filepath.ToSlash(strings.TrimPrefix(path, ".."+string(filepath.Separator)))
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "figure/") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for i, line := range slices.Collect(strings.Lines(string(text))) {
			switch {
			case apart.MatchString(line):
				t.Errorf("%s:%d: a percent sign stands at its number: %s", name, i+1, line)
			case !own.MatchString(line):
			case elsewhere[name] == "":
				t.Errorf("%s:%d: has a form of its own; take one of figure's, or add what lacks there: %s", name, i+1, line)
			default:
				used[name] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range elsewhere {
		if !used[name] {
			t.Errorf("%s formats no number any more: take it off the list", name)
		}
	}
}
