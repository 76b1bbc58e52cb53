package suggest

import (
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	profiles := []string{"load", "spike", "soak", "smoke", "tasks", "voting", "crud", "cache"}
	for _, c := range []struct {
		word, want string
	}{
		{"laod", "load"},   // swapped
		{"lad", "load"},    // left out
		{"looad", "load"},  // inserted
		{"lord", "load"},   // replaced
		{"LOAD", "load"},   // case does not count
		{" load ", "load"}, // nor do blanks
		{"sock", "soak"},
		{"taks", "tasks"},
		{"votting", "voting"},
		{"soke", "smoke"}, // as close to spike, soak: smoke is 1 away
		{"", ""},
		{"x", ""},
		{"nightly", ""},
		{"nothing", ""},        // two letters from voting, the first among them
		{"oting", "voting"},    // the first left out
		{"ovting", "voting"},   // the first swapped
		{"vottingg", "voting"}, // two behind the first
		{"profile.yaml", ""},
		{strings.Repeat("load", 1000), ""},
	} {
		got, ok := Nearest(c.word, profiles)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("Nearest(%.20q) = %q, %v, want %q", c.word, got, ok, c.want)
		}
	}
}

func TestNearestPrefersTheFirstOfEquals(t *testing.T) {
	if got, _ := Nearest("rats", []string{"bats", "cats"}); got != "bats" {
		t.Errorf("got %q, want the first of two that are equally close", got)
	}
	if got, ok := Nearest("ab", []string{"cd", "ac"}); ok {
		t.Errorf("got %q for a word of which half is wrong", got)
	}
	if got, _ := Nearest("zufällig", []string{"zufallig"}); got != "zufallig" {
		t.Errorf("got %q: a letter is a letter, however many bytes it has", got)
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "abc", 3},
		{"abc", "", 3},
		{"abc", "abc", 0},
		{"abc", "acb", 1},
		{"kitten", "sitting", 3},
		{"ca", "abc", 3}, // optimal string alignment: no edit of what was swapped
	} {
		if got := distance([]rune(c.a), []rune(c.b)); got != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
