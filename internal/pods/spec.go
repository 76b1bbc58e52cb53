// Package pods makes one run of many pods, seen from the command that makes it: what of
// its plan the pods are given, the collecting of what they record into one run directory
// and one verdict, and what a pod does as one shard. How pods are made and spoken to is
// the cluster's; this room knows no flag, no stream of a run and no view.
package pods

import (
	"fmt"
	"os"
	"time"

	"github.com/perfctl/perfctl/internal/cluster"
	"github.com/perfctl/perfctl/internal/config"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/secrets"
)

// Most bounds the pods of a run.
const Most = 1000

// ImageVariable names the image where no option does.
const ImageVariable = "PERFCTL_IMAGE"

// How long setting up may take, how long shards whose run is over wait to be collected,
// and how long their Job stays where nobody removes it.
const (
	setupShards = 15 * time.Minute
	holdShards  = 15 * time.Minute
	ttlShards   = time.Hour
)

// Options are what a run of pods has besides its plan.
type Options struct {
	// Pods is how many there are, Image what they hold (empty for that of ImageVariable).
	Pods  int
	Image string
	// Values names a file of tolerations, resources and the like; empty for none.
	Values    string
	Namespace string
	// Wait is how long pods may take to run.
	Wait time.Duration
	// Version is perfctl's, which the pods must have as well.
	Version string
	// Profile and Arguments are what the shards are told: files that they name are sent
	// along.
	Profile   string
	Arguments []Argument
	// Settings are those of the run; Asked are names of others that were looked for in
	// the environment.
	Settings  *config.Layers
	Asked     []string
	LookupEnv func(name string) (string, bool)
	// Secrets knows what must not be in a ConfigMap.
	Secrets *secrets.Redactor
}

// Argument is a flag with its values.
type Argument struct {
	Name   string
	Values []string
}

// Spec makes the objects' specification of a run that was decided here. It reaches no
// cluster. An error is one of usage or of configuration.
func Spec(p *run.Plan, o Options) (*cluster.Spec, error) {
	image, values, err := o.pod()
	if err != nil {
		return nil, err
	}
	if n := p.Schedule().Total(); p.Schedule().MaxUsers() == 0 && n < int64(o.Pods) {
		return nil, exitcode.UsageError("--kubernetes %d: the run has %d arrivals, fewer than pods\n  next: fewer pods, or more load", o.Pods, n)
	}
	folder, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	y := &parcel{hide: o.Secrets.Text, folder: folder}
	args, err := y.arguments(o.Profile, o.Arguments)
	if err != nil {
		return nil, err
	}
	m := &cluster.Manifest{Run: p.ID(), Shards: o.Pods, Version: o.Version, Args: args, Folder: folder, Hold: holdShards, Barrier: o.Wait + setupShards}
	packed, err := cluster.Pack(m, y.public)
	if err != nil {
		return nil, exitcode.ConfigError(err)
	}
	env, err := y.environment(o)
	if err != nil {
		return nil, err
	}
	planned := Planned(p)
	abort, after := p.Aborts()
	return &cluster.Spec{
		AbortOnFail: abort, AbortAfter: after,
		Run: p.ID(), Profile: p.Profile().Name, Namespace: o.Namespace, Image: image, Shards: o.Pods, Values: *values, Parcel: packed, Secret: env,
		Planned: planned, Deadline: planned + o.Wait + setupShards + holdShards, TTL: ttlShards,
	}, nil
}

// pod returns the image of the pods and what else is said of them.
func (o *Options) pod() (image string, v *cluster.Values, err error) {
	if image = o.Image; image == "" {
		image, _ = o.LookupEnv(ImageVariable)
	}
	if image == "" {
		return "", nil, exitcode.UsageError("--kubernetes: which image shall the pods have?\n  next: --image NAME, or %s; make image makes one", ImageVariable)
	}
	v, err = readValues(o.Values)
	return image, v, err
}

// Planned is how long a run takes from its first arrival to the end of what is due.
func Planned(p *run.Plan) time.Duration { return p.Schedule().Duration() + p.GracefulStop() }

func readValues(path string) (*cluster.Values, error) {
	if path == "" {
		return &cluster.Values{}, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, exitcode.ConfigError(fmt.Errorf("--kubernetes-values: %w", err))
	}
	v, err := cluster.ParseValues(path, text)
	if err != nil {
		return nil, exitcode.ConfigError(fmt.Errorf("--kubernetes-values: %w", err))
	}
	return v, nil
}
