package cli

import (
	"context"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/capacity/trials"
	"github.com/perfctl/perfctl/internal/cli/flags"
	"github.com/perfctl/perfctl/internal/cluster"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/pods"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/summary"
)

// trialsOnPods has the trials of a search executed by pods; close removes what was made
// here for them.
func (a *app) trialsOnPods(f *flags.Capacity, fs *pflag.FlagSet, r *run.Request) (away trials.Away, closing func(), err error) {
	client, err := cluster.Connect(f.Access())
	if err != nil {
		return nil, nil, exitcode.With(exitcode.Unreachable, err)
	}
	folder, err := os.MkdirTemp("", "perfctl-capacity-")
	if err != nil {
		return nil, nil, err
	}
	j := &pods.Job{Client: client, Keep: f.Keep, Options: pods.Options{
		Pods: f.Pods, Image: f.Image, Values: f.Values, Namespace: client.Namespace, Wait: f.Wait, Version: a.version,
		Settings: r.Settings, LookupEnv: a.LookupEnv, Secrets: &a.secrets, Profile: filepath.Join(folder, "capacity.yaml"),
	}}
	given := flags.TrialArguments(fs)
	away = func(ctx context.Context, t trials.Trial) (*summary.Summary, *sla.Breach, error) {
		if j.Show == nil {
			j.Show, j.Stops = a.progress, pods.Stops(a.Interrupts, a.progress)
		}
		if err := os.WriteFile(j.Profile, []byte(t.Load), 0o600); err != nil {
			return nil, nil, err
		}
		j.Arguments = pods.OfTrial(given, t.Only, r.Seed+uint64(t.Number-1))
		ended, err := j.Execute(ctx, t.Plan, t.Dir, run.EachSecond(t.Second))
		if err != nil {
			return nil, nil, err
		}
		return ended.Summary, ended.Breach, nil
	}
	return away, func() { _ = os.RemoveAll(folder) }, nil // it is the system's to clean up what is left
}
