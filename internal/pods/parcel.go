package pods

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/perfctl/perfctl/internal/cluster"
	"github.com/perfctl/perfctl/internal/config"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/secrets"
)

// parcel gathers what a run is made of.
type parcel struct {
	// hide is a text without what is secret in it.
	hide   func(string) string
	folder string
	// public are files for a ConfigMap; private is for a Secret.
	public  []cluster.File
	private cluster.Private
	seen    map[string]bool
}

// arguments returns the arguments of the shards that are not secret, and gathers the
// files that they name, and that those name in turn.
func (y *parcel) arguments(profile string, given []Argument) ([]string, error) {
	args := []string{y.named(profile)}
	for _, x := range given {
		for _, v := range x.Values {
			key, inner, pair := strings.Cut(v, "=")
			shown := secrets.Shown(x.Name, v)
			if pair {
				v = key + "=" + y.named(inner)
				if len(secrets.Of(key, inner)) > 0 {
					shown = ""
				}
			} else {
				v = y.named(v)
			}
			arg := "--" + x.Name + "=" + v
			if shown != "" && shown != secrets.Shown("", v) || shown == "" && v != "" || y.hide(arg) != arg {
				y.private.Args = append(y.private.Args, arg)
			} else {
				args = append(args, arg)
			}
		}
	}
	return args, y.tooMany()
}

// named gathers the file of a value that names one, and returns the value as the shards
// have to say it.
func (y *parcel) named(value string) string {
	if value == "" || strings.ContainsAny(value, "\n\x00") {
		return value
	}
	path := value
	if !filepath.IsAbs(path) {
		path = filepath.Join(y.folder, path)
	}
	if !y.gather(path) {
		return value
	}
	if rel, err := filepath.Rel(y.folder, path); err == nil && filepath.IsAbs(value) {
		return rel
	}
	return value
}

// mostFiles bounds the files of a run.
const mostFiles = 500

func (y *parcel) tooMany() error {
	if len(y.seen) > mostFiles {
		return exitcode.UsageError("--kubernetes: the profile and what it names are more than %d files\n  next: put them into the image", mostFiles)
	}
	return nil
}

// gather adds a file and what it names; false where there is none.
func (y *parcel) gather(path string) bool {
	path = filepath.Clean(path)
	if y.seen[path] {
		return true
	}
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > 64<<20 || len(y.seen) > mostFiles {
		return false
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	if y.seen == nil {
		y.seen = map[string]bool{}
	}
	y.seen[path] = true
	f := cluster.File{Path: path, Data: data}
	if y.hide(string(data)) != string(data) {
		y.private.Files = append(y.private.Files, f)
	} else {
		y.public = append(y.public, f)
	}
	if info.Size() <= 1<<20 && readable(path) {
		for _, word := range words(string(data)) {
			for _, below := range []string{filepath.Dir(path), y.folder} {
				for _, end := range []string{"", ".js", ".ts"} {
					if y.within(filepath.Join(below, word+end)) && y.gather(filepath.Join(below, word+end)) {
						break
					}
				}
			}
		}
	}
	return true
}

// within says whether a file that another one names may be taken along: it lies below the
// folder of the command, and is not hidden there.
func (y *parcel) within(path string) bool {
	rel, err := filepath.Rel(y.folder, path)
	return err == nil && !strings.HasPrefix(rel, "..") && !strings.HasPrefix(filepath.Base(rel), ".")
}

// readable says whether a file is one that may name others.
func readable(path string) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".yaml", ".yml", ".json", ".js", ".ts", ".mjs":
		return true
	}
	return false
}

// words returns what may be names of files in a text.
func words(text string) (out []string) {
	for w := range strings.FieldsFuncSeq(text, func(r rune) bool { return r <= ' ' || strings.ContainsRune("\"'`,;(){}[]<>|&=*?#", r) }) {
		if len(w) < 256 && strings.ContainsAny(w, "./") && !strings.Contains(w, "://") && !filepath.IsAbs(w) {
			out = append(out, w)
		}
	}
	return out
}

// driverVariables are what drivers, and senders of spans, read of the environment by
// themselves.
var driverVariables = []string{
	"PGPASSWORD", "PGSSLMODE", "PGSSLPASSWORD",
	"OTEL_SERVICE_NAME", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
}

// environment returns the environment of the shards: every setting as it came out of all
// sources, and what is private besides.
func (y *parcel) environment(o Options) (map[string]string, error) {
	names := config.Names()
	for _, source := range o.Settings.Sources() {
		names = slices.AppendSeq(names, maps.Keys(source))
	}
	names = append(names, o.Asked...)
	env := map[string]string{}
	for _, n := range names {
		if v, _, ok := o.Settings.Lookup(n); ok && n != config.Verbose {
			env[n] = v
		}
	}
	for _, n := range driverVariables {
		if v, ok := o.LookupEnv(n); ok {
			env[n] = v
		}
	}
	y.private.Key = make([]byte, 32)
	_, _ = rand.Read(y.private.Key) // crypto/rand.Read never fails
	text, err := json.Marshal(y.private)
	if err != nil {
		return nil, err
	}
	if len(text) > cluster.MostPrivate {
		return nil, exitcode.ConfigError(errors.New("the files that hold secrets are too large for a Secret: give settings by --env-file or the environment, and files without secrets"))
	}
	env[cluster.EnvSecret] = string(text)
	return env, nil
}
