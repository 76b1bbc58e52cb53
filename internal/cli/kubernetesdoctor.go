package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/cli/flags"
	"github.com/perfctl/perfctl/internal/cli/terminal"
	"github.com/perfctl/perfctl/internal/cluster"
	"github.com/perfctl/perfctl/internal/doctor"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/pods"
	"github.com/perfctl/perfctl/internal/run"
)

// doctorPodFlags are the flags of doctor for pods.
type doctorPodFlags struct {
	flags.Kubernetes
	inPod bool
}

func (f *doctorPodFlags) register(fs *pflag.FlagSet) {
	fs.BoolVar(&f.inPod, "kubernetes", false, "measure one pod under the limits that it will have, and propose how many the profile takes")
	f.RegisterPod(fs)
}

// check refuses flags about pods where none is meant.
func (f *doctorPodFlags) check(fs *pflag.FlagSet) error {
	if f.inPod {
		if f.Wait <= 0 {
			return exitcode.UsageError("--kubernetes-wait %v: want a time above 0", f.Wait)
		}
		return nil
	}
	var stray error
	own := pflag.NewFlagSet("", pflag.ContinueOnError)
	(&flags.Kubernetes{}).RegisterPod(own)
	own.VisitAll(func(x *pflag.Flag) {
		if fs.Changed(x.Name) {
			stray = exitcode.UsageError("--%s is for a pod: give --kubernetes, too", x.Name)
		}
	})
	return stray
}

// doctorInPod has one pod measure itself and says what that means for a plan.
func (a *app) doctorInPod(ctx context.Context, p *run.Plan, f *doctorPodFlags) error {
	client, err := cluster.Connect(f.Access())
	if err != nil {
		return exitcode.With(exitcode.Unreachable, err)
	}
	show := a.Progress(terminal.Options{})
	defer show.Done()
	j := &pods.Job{
		Options: pods.Options{Image: f.Image, Values: f.Values, Namespace: client.Namespace, Wait: f.Wait, Version: a.version, LookupEnv: a.LookupEnv, Secrets: &a.secrets},
		Client:  client, Show: show, Stops: pods.Stops(a.Interrupts, show),
	}
	show.Step("measuring the rate that a pod generates …", nil)
	said, left, unknown, err := j.Measure(ctx)
	if err != nil {
		return err
	}
	m, err := doctor.ReadPod(said)
	if err != nil {
		return exitcode.With(exitcode.Unreachable, err)
	}
	show.Done()
	free := doctor.Free{Pods: left.Pods, Nodes: left.Nodes, CPU: left.CPU}
	if unknown != nil {
		free.Unknown = unknown.Error()
	}
	peak := p.Schedule().MaxRate()
	if p.Schedule().MaxUsers() > 0 {
		peak = 0
	}
	found, end := a.findings()
	each := max(m.Pods(peak), 1)
	m.Tell(int64((p.MaxInFlight()+each-1)/each), found)
	m.Propose(peak, free, found)
	bad, err := end()
	if err == nil && bad {
		err = verdict(exitcode.Invalid)
	}
	return err
}

// kubernetesMeasureCommand is what the pod of doctor --kubernetes executes.
func (a *app) kubernetesMeasureCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "measure",
		Short:  "Measure the rate that this pod generates, for doctor --kubernetes",
		Hidden: true,
		Args:   noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := cluster.OpenShard(a.LookupEnv, a.plainStdout)
			if err != nil {
				return exitcode.UsageError("%w", err)
			}
			defer s.Leave()
			if err := s.ServeMeasure(c.Context(), a.version, doctor.MeasurePod); err != nil {
				return fmt.Errorf("measure this pod: %w", err)
			}
			return nil
		},
	}
}
