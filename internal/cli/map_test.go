package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTheMapIsOfThisHouse holds the pages about the code to the code: what they name is
// there, and every room is on the map.
func TestTheMapIsOfThisHouse(t *testing.T) {
	root := filepath.Join("..", "..")
	path := regexp.MustCompile("`((?:internal|cmd|configs|docs|scripts|bench|matrix)/[^`\\s(,]*)`")
	below := regexp.MustCompile("`((?:cli|run|engine|scenarios|cluster|rundir|report)/[a-z/]+\\.go)`")
	found := 0
	for name, text := range pages(t) {
		if !strings.HasSuffix(name, "architecture.md") && !strings.Contains(name, "decisions") {
			continue
		}
		check := func(p string) {
			found++
			if all, err := filepath.Glob(filepath.Join(root, p)); err != nil || len(all) == 0 {
				t.Errorf("%s names %s, which is not there", name, p)
			}
		}
		for _, m := range path.FindAllStringSubmatch(text, -1) {
			check(strings.TrimRight(m[1], "."))
		}
		for _, m := range below.FindAllStringSubmatch(text, -1) {
			check("internal/" + m[1])
		}
	}
	if found < 15 {
		t.Errorf("%d paths found, there are more", found)
	}
	text, err := os.ReadFile(filepath.Join(root, "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, onMap, _ := strings.Cut(string(text), "## The map")
	onMap, _, _ = strings.Cut(onMap, "\n## ")
	rooms, err := os.ReadDir(filepath.Join(root, "internal"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rooms {
		if r.IsDir() && !regexp.MustCompile(`\b`+r.Name()+`\b`).MatchString(onMap) {
			t.Errorf("internal/%s is not on the map", r.Name())
		}
	}
}
