package pods

import (
	"slices"
	"strconv"
	"strings"
)

// OfTrial are what the shards of a trial are told: of one scenario that is searched
// by itself, only what is about it.
func OfTrial(given []Argument, only string, seed uint64) []Argument {
	out := []Argument{{Name: "seed", Values: []string{strconv.FormatUint(seed, 10)}}}
	if only != "" {
		out = append(out, Argument{Name: "scenario", Values: []string{only}})
	}
	for _, x := range given {
		switch {
		case only == "":
		case x.Name == "scenario", x.Name == "flow" && only != "flow":
			continue
		case x.Name == "set":
			x.Values = slices.DeleteFunc(slices.Clone(x.Values), func(s string) bool { return !strings.HasPrefix(s, only+".") })
		}
		out = append(out, x)
	}
	return out
}
