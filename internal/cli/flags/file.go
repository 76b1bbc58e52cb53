package flags

import (
	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/secrets"
)

// FileOptions lets a configuration file set flags, and remembers where each flag's
// value came from.
type FileOptions struct {
	Flags *pflag.FlagSet

	origin  string
	origins map[string]string
}

// Names lists the flags that a file may set.
func (o *FileOptions) Names() (names []string) {
	o.Flags.VisitAll(func(f *pflag.Flag) {
		if f.Name != "config" && f.Name != "help" {
			names = append(names, f.Name)
		}
	})
	return names
}

// Repeatable says whether a flag is a list.
func (o *FileOptions) Repeatable(name string) bool {
	_, list := o.Flags.Lookup(name).Value.(pflag.SliceValue)
	return list
}

// Set sets a flag, unless the command line did.
func (o *FileOptions) Set(name, value string) error {
	if o.Flags.Lookup(name).Changed && o.origins[name] == "" {
		return nil
	}
	if o.origins == nil {
		o.origins = map[string]string{}
	}
	o.origins[name] = o.origin
	return o.Flags.Set(name, value)
}

// list returns the flags with their values and origins, for inspect and run.json.
func (o *FileOptions) list() (out []rundir.Setting) {
	o.Flags.VisitAll(func(f *pflag.Flag) {
		switch f.Name {
		case "help", "env", "set", "config", "json", "quiet":
			return
		}
		origin := o.origins[f.Name]
		switch {
		case origin != "":
		case f.Changed:
			origin = "flag"
		default:
			origin = "default"
		}
		out = append(out, rundir.Setting{Name: "--" + f.Name, Value: secrets.Shown(f.Name, f.Value.String()), Origin: origin})
	})
	return out
}
