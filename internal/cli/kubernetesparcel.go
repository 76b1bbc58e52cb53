package cli

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/cluster"
	"github.com/perfctl/perfctl/internal/config"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/secrets"
)

// spec makes the objects' specification of a run that was decided here.
func (a *app) spec(p *run.Plan, profile string, f *runFlags, flags *pflag.FlagSet, settings *config.Layers, namespace string) (*cluster.Spec, error) {
	image := f.image
	if image == "" {
		image, _ = a.LookupEnv(imageVariable)
	}
	if image == "" {
		return nil, exitcode.UsageError("--kubernetes: which image shall the pods have?\n  next: --image NAME, or %s; make image makes one", imageVariable)
	}
	values := &cluster.Values{}
	if f.values != "" {
		text, err := os.ReadFile(f.values)
		if err != nil {
			return nil, exitcode.ConfigError(fmt.Errorf("--kubernetes-values: %w", err))
		}
		if values, err = cluster.ParseValues(f.values, text); err != nil {
			return nil, exitcode.ConfigError(fmt.Errorf("--kubernetes-values: %w", err))
		}
	}
	if n := p.Schedule().Total(); p.Schedule().MaxUsers() == 0 && n < int64(f.pods) {
		return nil, exitcode.UsageError("--kubernetes %d: the run has %d arrivals, fewer than pods\n  next: fewer pods, or more load", f.pods, n)
	}
	folder, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	y := &parcel{app: a, folder: folder}
	args, err := y.arguments(profile, flags)
	if err != nil {
		return nil, err
	}
	planned := p.Schedule().Duration() + p.GracefulStop()
	m := &cluster.Manifest{Run: p.ID(), Shards: f.pods, Version: a.version, Args: args, Folder: folder, Hold: holdShards, Barrier: f.wait + setupShards}
	packed, err := cluster.Pack(m, y.public)
	if err != nil {
		return nil, exitcode.ConfigError(err)
	}
	env, err := y.environment(settings)
	if err != nil {
		return nil, err
	}
	return &cluster.Spec{
		Run: p.ID(), Profile: p.Profile().Name, Namespace: namespace, Image: image, Shards: f.pods, Values: *values, Parcel: packed, Secret: env,
		Planned: planned, Deadline: planned + f.wait + setupShards + holdShards, TTL: ttlShards,
	}, nil
}

// How long setting up may take, how long shards whose run is over wait to be collected,
// and how long their Job stays where nobody removes it.
const (
	setupShards = 15 * time.Minute
	holdShards  = 15 * time.Minute
	ttlShards   = time.Hour
)

// parcel gathers what a run is made of.
type parcel struct {
	app    *app
	folder string
	// public are files for a ConfigMap; private is for a Secret.
	public  []cluster.File
	private cluster.Private
	seen    map[string]bool
}

// arguments returns the arguments of the shards that are not secret, and gathers the
// files that they name, and that those name in turn.
func (y *parcel) arguments(profile string, flags *pflag.FlagSet) ([]string, error) {
	args := []string{y.named(profile)}
	local := slices.Concat(localFlags, slices.Collect(maps.Keys(notForPods)))
	for _, f := range []interface{ register(*pflag.FlagSet) }{&podFlags{}, &gateFlags{}} {
		own := pflag.NewFlagSet("", pflag.ContinueOnError)
		f.register(own)
		own.VisitAll(func(x *pflag.Flag) { local = append(local, x.Name) })
	}
	flags.Visit(func(x *pflag.Flag) {
		if slices.Contains(local, x.Name) {
			return
		}
		values := []string{x.Value.String()}
		if list, ok := x.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		for _, v := range values {
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
			if shown != "" && shown != secrets.Shown("", v) || shown == "" && v != "" || y.app.secrets.Text(arg) != arg {
				y.private.Args = append(y.private.Args, arg)
			} else {
				args = append(args, arg)
			}
		}
	})
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
	if y.app.secrets.Text(string(data)) != string(data) {
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

// driverVariables are what drivers read of the environment by themselves.
var driverVariables = []string{"PGPASSWORD", "PGSSLMODE", "PGSSLPASSWORD"}

// environment returns the environment of the shards: every setting as it came out of all
// sources, and what is private besides.
func (y *parcel) environment(settings *config.Layers) (map[string]string, error) {
	names := config.Names()
	for _, source := range settings.Sources() {
		names = slices.AppendSeq(names, maps.Keys(source))
	}
	names = slices.AppendSeq(names, maps.Keys(y.app.asked))
	env := map[string]string{}
	for _, n := range names {
		if v, _, ok := settings.Lookup(n); ok && n != config.Verbose {
			env[n] = v
		}
	}
	for _, n := range driverVariables {
		if v, ok := y.app.LookupEnv(n); ok {
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
