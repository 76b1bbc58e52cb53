package secrets

import "strings"

// Flag describes a flag of a command line: its long name, and whether it takes a
// value.
type Flag struct {
	Name  string
	Value bool
}

// Args returns a command line as it may be shown. long and short find a flag by its
// name and by its letter, so that every spelling is understood: --env K=V,
// --env=K=V, -e K=V, -eK=V and -qe K=V.
func Args(args []string, long, short func(name string) (Flag, bool)) []string {
	out := make([]string, len(args))
	next := "" // the flag whose value comes next
	for i, a := range args {
		switch {
		case next != "":
			out[i], next = shownFlag(next, a), ""
		case a == "--":
			for j := i; j < len(args); j++ {
				out[j] = Text(args[j])
			}
			return out
		case strings.HasPrefix(a, "--"):
			name, value, has := strings.Cut(a[2:], "=")
			if has {
				out[i] = "--" + name + "=" + shownFlag(name, value)
				continue
			}
			out[i] = a
			if f, ok := long(name); ok && f.Value {
				next = f.Name
			}
		case strings.HasPrefix(a, "-") && len(a) > 1:
			out[i], next = cluster(a, short)
		default:
			out[i] = Text(a)
		}
	}
	return out
}

// cluster shows a group of letters; next is the flag whose value is the next
// argument.
func cluster(a string, short func(string) (Flag, bool)) (shown, next string) {
	for i := 1; i < len(a); i++ {
		f, ok := short(a[i : i+1])
		if !ok || !f.Value {
			continue
		}
		rest := a[i+1:]
		if rest == "" {
			return a, f.Name
		}
		sign := ""
		if rest[0] == '=' {
			sign, rest = "=", rest[1:]
		}
		return a[:i+1] + sign + shownFlag(f.Name, rest), ""
	}
	return Text(a), ""
}

// shownFlag shows a flag's value: of settings the names alone.
func shownFlag(name, value string) string {
	switch name {
	case "env":
		key, _, has := strings.Cut(value, "=")
		if !has {
			return Label(value)
		}
		return key + "=" + Hidden
	case "set":
		key, v, has := strings.Cut(value, "=")
		if !has {
			return Label(value)
		}
		return key + "=" + Shown(key, v)
	}
	return Text(value)
}
