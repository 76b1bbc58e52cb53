//go:build kubernetes

package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestKubernetes runs in a real cluster: make test-kubernetes.
func TestKubernetes(t *testing.T) {
	if os.Getenv("KUBECONFIG") == "" || os.Getenv("PERFCTL_BIN") == "" {
		t.Fatal("no cluster and no servers: run make test-kubernetes")
	}
	testscript.RunT(inTurn{t}, params("kubernetes", append(serverSettings, "KUBECONFIG", "PERFCTL_IMAGE", "PERFCTL_BIN", "TMPDIR")...))
}
