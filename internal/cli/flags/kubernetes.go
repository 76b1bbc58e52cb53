package flags

import (
	"maps"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/cluster"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/pods"
)

// ClusterAccess say which cluster is meant.
type ClusterAccess struct {
	kubeconfig, context string
	Namespace           string
}

// Register makes the flags.
func (f *ClusterAccess) Register(fs *pflag.FlagSet) {
	fs.StringVar(&f.kubeconfig, "kubeconfig", "", "with --kubernetes: the `FILE` that says how to reach the cluster (default: as kubectl finds it)")
	fs.StringVar(&f.context, "context", "", "with --kubernetes: the `CONTEXT` of that file")
	fs.StringVar(&f.Namespace, "namespace", "", "with --kubernetes: the `NAMESPACE` of the pods")
}

// Access is what they say.
func (f *ClusterAccess) Access() cluster.Access {
	return cluster.Access{Kubeconfig: f.kubeconfig, Context: f.context, Namespace: f.Namespace}
}

// Kubernetes say what pods a run has.
type Kubernetes struct {
	ClusterAccess
	Pods   int
	Image  string
	Values string
	Wait   time.Duration
	Keep   bool
}

// Register makes the flags.
func (f *Kubernetes) Register(fs *pflag.FlagSet) {
	fs.IntVar(&f.Pods, "kubernetes", 0, "run as `N` pods of a Kubernetes Job, with one verdict (see docs/kubernetes.md)")
	f.RegisterPod(fs)
	fs.BoolVar(&f.Keep, "kubernetes-keep", false, "with --kubernetes: leave the Job behind, for its logs")
}

// RegisterPod makes the flags that are about each pod.
func (f *Kubernetes) RegisterPod(fs *pflag.FlagSet) {
	f.ClusterAccess.Register(fs)
	fs.StringVar(&f.Image, "image", "", "with --kubernetes: the `IMAGE` of the pods, which holds this version of perfctl (or PERFCTL_IMAGE)")
	fs.StringVar(&f.Values, "kubernetes-values", "", "with --kubernetes: a `FILE` of tolerations, affinity, resources, annotations and the like")
	fs.DurationVar(&f.Wait, "kubernetes-wait", cluster.DefaultPatience, "with --kubernetes: how long pods may take to run")
}

// localFlags are flags of run that are not for its shards: they say where the run goes
// and how it is shown and compared.
var localFlags = []string{
	"out", "run-dir", "json", "quiet", "baseline", "repeat", "abort-on-fail", "abort-after", "env", "env-file", "run-id",
	"summary-export", "no-color", "log-format", "verbose",
}

// notForPods are flags that make no sense for a run of many pods, and why.
var notForPods = map[string]string{
	"shard":        "each pod is a shard already",
	"start-at":     "the pods start when all are ready",
	"lab":          "the servers of a lab are on this machine, and no pod reaches them",
	"watch":        "it watches processes of the machine that offers the load; --scrape reads programs elsewhere",
	"allow-faults": "the commands of a profile would run in a pod, which is gone with what undoes them; run it from here",
	"barrier":      "the pods meet by themselves",
	"log-failures": "the pods write no file of this machine; exemplars.ndjson keeps arrivals that failed, and perfctl slow shows them",
}

// Check refuses what no run of pods can be.
func (f *Kubernetes) Check(fs *pflag.FlagSet) error {
	if f.Pods == 0 {
		var stray error
		fs.Visit(func(x *pflag.Flag) {
			switch x.Name {
			case "kubeconfig", "context", "namespace", "image", "kubernetes-values", "kubernetes-wait", "kubernetes-keep":
				stray = exitcode.UsageError("--%s is for a run in a cluster\n  next: say how many pods, as in --kubernetes 4", x.Name)
			}
		})
		if fs.Changed("kubernetes") {
			return exitcode.UsageError("--kubernetes 0: at least 2 pods; leave it out to run here")
		}
		return stray
	}
	switch {
	case f.Pods == 1:
		return exitcode.UsageError("--kubernetes 1: one pod is no more than one process, and there is nothing to put together\n  next: 2 pods or more, or leave --kubernetes out")
	case f.Pods < 0 || f.Pods > pods.Most:
		return exitcode.UsageError("--kubernetes %d: want 2 to %d pods", f.Pods, pods.Most)
	case f.Wait <= 0:
		return exitcode.UsageError("--kubernetes-wait %v: want a time above 0", f.Wait)
	}
	var wrong error
	fs.Visit(func(x *pflag.Flag) {
		if why, bad := notForPods[x.Name]; bad && x.Value.String() != "false" {
			wrong = exitcode.UsageError("--%s does not go with --kubernetes: %s", x.Name, why)
		}
	})
	return wrong
}

// ShardArguments are the flags that were given and that the shards are told.
func ShardArguments(given *pflag.FlagSet) (out []pods.Argument) {
	local := slices.Concat(localFlags, slices.Collect(maps.Keys(notForPods)))
	for _, register := range []func(*pflag.FlagSet){(&Kubernetes{}).Register, (&Gate{}).Register} {
		own := pflag.NewFlagSet("", pflag.ContinueOnError)
		register(own)
		own.VisitAll(func(x *pflag.Flag) { local = append(local, x.Name) })
	}
	given.Visit(func(x *pflag.Flag) {
		if slices.Contains(local, x.Name) {
			return
		}
		values := []string{x.Value.String()}
		if list, ok := x.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		out = append(out, pods.Argument{Name: x.Name, Values: values})
	})
	return out
}

// searchFlags are flags of capacity that its trials are not told.
var searchFlags = []string{"start", "max", "require", "precision", "trial", "max-time", "users", "pause", "each", "lab", "seed"}

// TrialArguments are the flags of capacity that the shards of every trial are told.
func TrialArguments(given *pflag.FlagSet) []pods.Argument {
	return slices.DeleteFunc(ShardArguments(given), func(x pods.Argument) bool { return slices.Contains(searchFlags, x.Name) })
}
