package main

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/perfctl/perfctl/internal/cluster/clustertest"
)

// playCluster starts a server that plays Kubernetes, whose pods are processes of perfctl,
// and sets KUBECONFIG: cluster [full]. With full, pods find no room.
func playCluster(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 1 {
		ts.Fatalf("usage: cluster [full]")
	}
	dir := ts.MkAbs("cluster")
	ts.Check(os.MkdirAll(dir, 0o755))
	s, stop, err := clustertest.Start(dir, runPod)
	ts.Check(err)
	ts.Defer(stop)
	if len(args) == 1 {
		s.Pending = func(int) (string, string) {
			return "Unschedulable", "0/3 nodes are available: 3 Insufficient cpu."
		}
	}
	path := filepath.Join(dir, "kubeconfig")
	ts.Check(os.WriteFile(path, []byte(s.Kubeconfig()), 0o600))
	ts.Setenv("KUBECONFIG", path)
	clusters[path] = s
}

// clusters are the servers that were started, by their configuration.
var clusters = map[string]*clustertest.Server{}

// pods does things with pods: pods kill N after DURATION, once the run goes on, and pods
// started RUN, which waits until load is offered.
func pods(ts *testscript.TestScript, neg bool, args []string) {
	s := clusters[ts.Getenv("KUBECONFIG")]
	switch {
	case !neg && len(args) == 4 && args[0] == "kill":
		n, err := strconv.Atoi(args[1])
		ts.Check(err)
		d, err := time.ParseDuration(args[3])
		ts.Check(err)
		go func() {
			s.Started("")
			time.Sleep(d)
			s.Kill(n)
		}()
	case !neg && len(args) == 2 && args[0] == "started":
		s.Started(args[1])
	default:
		ts.Fatalf("usage: pods kill N after DURATION | pods started RUN")
	}
}

// emptied checks that nothing is left in the cluster.
func emptied(ts *testscript.TestScript, neg bool, _ []string) {
	if n := clusters[ts.Getenv("KUBECONFIG")].Objects(); (n == 0) == neg {
		ts.Fatalf("%d objects are in the cluster", n)
	}
}

// runPod executes perfctl as a pod does: with the pod's environment and no other.
func runPod(ctx context.Context, env map[string]string, log io.Writer) int {
	c := exec.CommandContext(ctx, "perfctl", strings.Fields(env[clustertest.ArgsVariable])...)
	c.Env = []string{"PATH=" + os.Getenv("PATH")}
	for k, v := range env {
		c.Env = append(c.Env, k+"="+v)
	}
	if cover := os.Getenv("GOCOVERDIR"); cover != "" {
		c.Env = append(c.Env, "GOCOVERDIR="+cover)
	}
	c.Dir, c.Stdout, c.Stderr = env["HOME"], log, log
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGKILL) }
	if err := c.Run(); err != nil {
		if c.ProcessState != nil {
			return c.ProcessState.ExitCode()
		}
		_, _ = io.WriteString(log, strings.TrimSpace(err.Error())+"\n") // its end says the rest
		return 127
	}
	return 0
}
