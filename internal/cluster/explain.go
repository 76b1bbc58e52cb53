package cluster

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/clientcmd"
)

// UnreachableError says why the cluster could not do what was asked, and what to do
// next.
type UnreachableError struct {
	What, Next string
	Err        error
}

// Error says both.
func (e *UnreachableError) Error() string {
	text := e.What
	if e.Err != nil {
		text += ": " + strings.TrimSpace(e.Err.Error())
	}
	return text + "\n  next: " + e.Next
}

// Unwrap returns the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }

// explainConfig explains why there is no configuration.
func explainConfig(err error, a Access) error {
	next := "set KUBECONFIG, or name a file with --kubeconfig; kubectl config get-contexts shows what there is"
	switch {
	case clientcmd.IsContextNotFound(err) || a.Context != "" && strings.Contains(err.Error(), "does not exist"):
		return &UnreachableError{fmt.Sprintf("there is no context %q in the configuration of kubectl", a.Context), "kubectl config get-contexts lists them", nil}
	case clientcmd.IsEmptyConfig(err):
		return &UnreachableError{"no cluster is configured", next, nil}
	}
	return &UnreachableError{"the configuration of kubectl cannot be used", next, err}
}

// explain explains why the server did not do what was asked. s is what was to be made,
// nil where that is not known.
func (c *Client) explain(err error, what string, s *Spec) error {
	if err == nil {
		return nil
	}
	verb, resource, _ := strings.Cut(what, " ")
	text := err.Error()
	switch {
	case apierrors.IsForbidden(err) && strings.Contains(text, "exceeded quota"):
		return &UnreachableError{"the namespace's quota does not allow it", "ask for fewer pods or less CPU (--kubernetes-values, resources), or have the quota raised", err}
	case apierrors.IsForbidden(err) && strings.Contains(text, "violates PodSecurity"):
		return &UnreachableError{"the namespace's Pod Security level does not allow these pods", "leave hostNetwork and the like out of --kubernetes-values", err}
	case apierrors.IsForbidden(err):
		return &UnreachableError{fmt.Sprintf("you may not %s %s in the namespace %s", verb, resource, c.Namespace),
			"have this role bound to you: perfctl kubernetes role --namespace " + c.Namespace, err}
	case apierrors.IsUnauthorized(err):
		return &UnreachableError{"the cluster does not know who you are", "sign in again, as kubectl get pods would have you do", err}
	case apierrors.IsAlreadyExists(err) && s != nil:
		return &UnreachableError{fmt.Sprintf("a run %s is in the namespace %s already", s.Run, c.Namespace),
			fmt.Sprintf("perfctl kubernetes attach %s goes on with it, perfctl kubernetes clean %s removes it; or choose another --run-id", s.Run, s.Run), nil}
	case apierrors.IsNotFound(err) && strings.Contains(text, "namespaces"):
		return &UnreachableError{fmt.Sprintf("there is no namespace %s", c.Namespace), "kubectl create namespace " + c.Namespace + ", or name another one with --namespace", nil}
	case apierrors.IsInvalid(err) || apierrors.IsBadRequest(err):
		return &UnreachableError{"the cluster does not take the objects of the run", "look at --kubernetes-values; perfctl kubernetes render shows what is made. It takes Kubernetes 1.29 or later", err}
	case apierrors.IsRequestEntityTooLargeError(err):
		return &UnreachableError{"the plan is too large for the cluster", "put large files into the image", err}
	}
	if network(err) {
		return &UnreachableError{fmt.Sprintf("the cluster at %s cannot be reached", c.Host), "look whether it runs and whether the context is the right one: kubectl cluster-info", err}
	}
	return &UnreachableError{fmt.Sprintf("the cluster could not %s %s", verb, resource), "kubectl cluster-info", err}
}

// network says whether an error is of the way to the server.
func network(err error) bool {
	var u *url.Error
	var n net.Error
	return errors.As(err, &u) || errors.As(err, &n)
}
