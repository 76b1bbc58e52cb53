package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/cli/flags"
	"github.com/perfctl/perfctl/internal/cluster"
	"github.com/perfctl/perfctl/internal/pods"
	"github.com/perfctl/perfctl/internal/secrets"
)

func (a *app) kubernetesCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "kubernetes",
		Short: "Runs in a cluster: print their objects, go on with one, list and remove them",
		Long: `A run with --kubernetes N is N pods of one Job, each a shard of the run. These
commands are about what such a run makes in a cluster (docs/kubernetes.md).`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(c, args[0])
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.kubernetesRenderCommand(), a.kubernetesAttachCommand(), a.kubernetesListCommand(), a.kubernetesCleanCommand(), a.kubernetesRoleCommand(), a.kubernetesShardCommand(), a.kubernetesMeasureCommand())
	return c
}

func (a *app) kubernetesRoleCommand() *cobra.Command {
	namespace := "default"
	c := &cobra.Command{
		Use:     "role",
		Short:   "Print the least that running in a namespace takes, as a Role",
		Example: "  perfctl kubernetes role --namespace perf | kubectl apply -f -",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprint(a.Stdout, cluster.RoleYAML(namespace))
			return err
		},
	}
	c.Flags().StringVar(&namespace, "namespace", namespace, "the `NAMESPACE`")
	return c
}

const renderExamples = `  perfctl kubernetes render load --kubernetes 4 \
      --image registry.example/perfctl:1
  perfctl kubernetes render smoke --kubernetes 2 --image perfctl:1 \
      --with-secrets | kubectl apply -f -`

func (a *app) kubernetesRenderCommand() *cobra.Command {
	f := &flags.Run{}
	withSecrets := false
	c := &cobra.Command{
		Use:   "render <profile|script.js>",
		Short: "Print the objects that run --kubernetes would make",
		Long: `Render prints a ConfigMap with the plan, a Secret with the settings and the Job, and
reaches no cluster. Secrets are hidden unless --with-secrets is given.`,
		Example:           renderExamples,
		Args:              oneArg("a profile's name or file"),
		ValidArgsFunction: completeProfiles,
	}
	f.Register(c.Flags())
	c.Flags().BoolVar(&withSecrets, "with-secrets", false, "print secrets as they are")
	c.RunE = func(c *cobra.Command, args []string) error {
		if f.Pods == 0 {
			f.Pods = 2
		}
		return a.kubernetesRender(c.Context(), args[0], f, c.Flags(), withSecrets)
	}
	return c
}

func (a *app) kubernetesRender(ctx context.Context, profile string, f *flags.Run, fs *pflag.FlagSet, withSecrets bool) error {
	p, settings, err := a.podPlan(ctx, profile, f, fs)
	if err != nil {
		return err
	}
	namespace := f.Namespace
	if namespace == "" {
		namespace = "default"
	}
	s, err := pods.Spec(p, a.podOptions(profile, f, fs, settings, namespace))
	if err != nil {
		return err
	}
	out := a.Stdout
	hide := func(name, value string) string {
		if name == cluster.EnvSecret {
			return secrets.Hidden
		}
		return secrets.Shown(name, value)
	}
	if withSecrets {
		out = a.plainStdout
		hide = func(_, value string) string { return value }
	}
	text, err := s.Render(hide)
	if err != nil {
		return err
	}
	_, err = out.Write(text)
	return err
}
