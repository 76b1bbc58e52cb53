package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// exits runs a program and checks its exit code: exits CODE program args…, where
// CODE may be several, as in 0|111 for a run whose generator a busy machine may
// have starved: what was counted holds all the same.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE program args…")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		got = e.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if !slices.Contains(strings.Split(args[0], "|"), strconv.Itoa(got)) {
		ts.Fatalf("%s: exit code %d, want %s", strings.Join(args[1:], " "), got, args[0])
	}
}

// inTurn runs scripts one after another: those that use the servers would reset
// what another one left there. They print no more than the part that failed.
type inTurn struct{ *testing.T }

func (inTurn) Parallel()     {}
func (inTurn) Verbose() bool { return false }
func (t inTurn) Run(name string, f func(testscript.T)) {
	t.T.Run(name, func(t *testing.T) { f(inTurn{t}) })
}

// equation evaluates an equation over a JSON file: figure FILE a.b + c.d = e.f
// where each term is a path into the file or a number.
func equation(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 4 {
		ts.Fatalf("usage: figure FILE term [+ term]… = term")
	}
	var doc any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &doc))
	terms := ""
	sums := []float64{0}
	for _, a := range args[1:] {
		switch a {
		case "+":
		case "=":
			sums = append(sums, 0)
		default:
			v, err := lookup(doc, a)
			ts.Check(err)
			sums[len(sums)-1] += v
			terms += fmt.Sprintf(" %s=%g", a, v)
		}
	}
	left, right := sums[0], sums[len(sums)-1]
	if (left == right) == neg {
		ts.Fatalf("%g against %g:%s", left, right, terms)
	}
}

func lookup(doc any, path string) (float64, error) {
	if v, err := strconv.ParseFloat(path, 64); err == nil {
		return v, nil
	}
	at := doc
	for key := range strings.SplitSeq(path, ".") {
		switch x := at.(type) {
		case map[string]any:
			at = x[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(x) {
				return 0, fmt.Errorf("%s: no item %s", path, key)
			}
			at = x[i]
		}
	}
	v, ok := at.(float64)
	if !ok {
		return 0, fmt.Errorf("%s is %v, not a number", path, at)
	}
	return v, nil
}
