package config

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

// envFile is what a file of KEY=VALUE lines holds.
type envFile struct {
	values map[string]string
	// keys are in the order of the file, each with its line.
	keys  []envKey
	notes []string
}

type envKey struct {
	name string
	line int
}

// readEnvFile reads a file as dotenv, Compose and Node do. It never touches the
// process's environment, which lookup reads for ${NAME}. Errors name line and key, and
// never a value: values are passwords.
func readEnvFile(path string, lookup func(string) (string, bool)) (*envFile, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("--env-file: %w", err)
	}
	f, err := parseEnv(string(data), lookup)
	if err != nil {
		return nil, fmt.Errorf("--env-file %s, %w", path, err)
	}
	for i, n := range f.notes {
		f.notes[i] = "--env-file " + path + ", " + n
	}
	return f, nil
}

var (
	envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)
	// envField is what is replaced in a value: an escaped dollar, ${NAME}, ${NAME:-default},
	// ${NAME-default} or $NAME.
	envField = regexp.MustCompile(`\\\$|\$\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?-)([^}]*))?\}|\$([A-Za-z_][A-Za-z0-9_]*)`)
	// envComment begins a comment behind a value without quotes.
	envComment = regexp.MustCompile(`[ \t]+#.*$|^#.*$`)
)

// parseEnv reads the text of a file: lines of KEY=VALUE, with a byte-order mark, CRLF,
// `export`, comments, and values in quotes over several lines. Single quotes and
// backticks take everything as it is; in double quotes \n, \r, \t, \" and \\ are read;
// a value without quotes ends before the first blank that a # follows.
func parseEnv(text string, lookup func(string) (string, bool)) (*envFile, error) {
	f := &envFile{values: map[string]string{}}
	text = strings.ReplaceAll(strings.TrimPrefix(text, "\ufeff"), "\r\n", "\n")
	line := 0
	for text != "" {
		var row string
		line++
		row, text, _ = strings.Cut(text, "\n")
		row = strings.TrimSpace(row)
		if row == "" || row[0] == '#' {
			continue
		}
		if rest, ok := strings.CutPrefix(row, "export"); ok && strings.TrimLeft(rest, " \t") != rest {
			row = strings.TrimSpace(rest)
		}
		key, value, ok := strings.Cut(row, "=")
		key = strings.TrimSpace(key)
		if !envName.MatchString(key) {
			return nil, fmt.Errorf("line %d: want KEY=VALUE, with letters, digits, _ . and - in the key", line)
		}
		if !ok {
			return nil, fmt.Errorf("line %d: %s has no value: want %[2]s=VALUE", line, key)
		}
		at := line
		value = strings.TrimLeft(value, " \t")
		if value != "" && strings.ContainsRune("'\"`", rune(value[0])) {
			inside, rest, found := quoted(value, text)
			if !found {
				return nil, fmt.Errorf("line %d: the quote that begins the value of %s does not end", line, key)
			}
			line += strings.Count(inside, "\n")
			text = rest
			switch value[0] {
			case '"':
				value = f.expand(unescape(inside), at, key, lookup)
			default:
				value = inside
			}
		} else {
			value = f.expand(strings.TrimSpace(envComment.ReplaceAllString(value, "")), at, key, lookup)
		}
		f.values[key] = value
		f.keys = append(f.keys, envKey{key, at})
	}
	return f, nil
}

// quoted returns what is between the quote that value begins with and the next one, which
// may be in the lines that follow, and the lines behind it. What stands behind the end of
// the quote in its line is left out: it is a comment.
func quoted(value, following string) (inside, rest string, found bool) {
	quote, all := value[0], value[1:]+"\n"+following
	for i := 0; i < len(all); i++ {
		switch {
		case all[i] == '\\' && quote == '"':
			i++ // what is escaped ends nothing
		case all[i] == quote:
			_, rest, _ = strings.Cut(all[i+1:], "\n")
			return all[:i], rest, true
		}
	}
	return "", "", false
}

// unescape reads the escapes of double quotes. That of a dollar is left for expand.
func unescape(s string) string {
	return strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "\r", `\t`, "\t", `\"`, `"`).Replace(s)
}

// expand replaces the names in a value: by what the file said before, else by the
// environment. A name that is in neither, and has no default, is no name: it stands as it
// is, as passwords with a dollar do, and is noted.
func (f *envFile) expand(value string, line int, key string, lookup func(string) (string, bool)) string {
	return envField.ReplaceAllStringFunc(value, func(m string) string {
		if m == `\$` {
			return "$"
		}
		g := envField.FindStringSubmatch(m)
		name := g[1] + g[4]
		v, ok := f.values[name]
		if !ok {
			v, ok = lookup(name)
		}
		switch {
		case g[2] == ":-" && v == "", g[2] == "-" && !ok:
			return g[3]
		case !ok:
			f.notes = append(f.notes, fmt.Sprintf("line %d: %s holds a $ before something that is not set, which stands as it is; single quotes say so, \\$ too", line, key))
			return m
		}
		return v
	})
}
