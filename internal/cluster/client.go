package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Access says which cluster is meant, as kubectl's flags do.
type Access struct {
	// Kubeconfig names a file; empty for kubectl's own rules.
	Kubeconfig string
	// Context and Namespace stand above what the file says.
	Context, Namespace string
}

// Client speaks to an API server, for one namespace.
type Client struct {
	core, batch *rest.RESTClient
	// Namespace is where it works, Host the server's address.
	Namespace, Host string
}

// Connect reads the configuration of kubectl; it reaches nothing.
func Connect(a Access) (*Client, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = a.Kubeconfig
	over := &clientcmd.ConfigOverrides{CurrentContext: a.Context}
	over.Context.Namespace = a.Namespace
	load := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, over)
	config, err := load.ClientConfig()
	if err != nil {
		return nil, explainConfig(err, a)
	}
	namespace, _, err := load.Namespace()
	if err != nil {
		return nil, explainConfig(err, a)
	}
	return NewClient(config, namespace)
}

// NewClient returns a client of a server.
func NewClient(config *rest.Config, namespace string) (*Client, error) {
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	if err := batchv1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
	config = rest.CopyConfig(config)
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	config.WarningHandler = rest.NoWarnings{} // what matters comes as an error, or in the pods' state
	config.QPS = -1                           // forty pods are told one thing at once
	if config.UserAgent == "" {
		config.UserAgent = "perfctl"
	}
	c := &Client{Namespace: namespace, Host: config.Host}
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	config.APIPath, config.GroupVersion = "/api", &corev1.SchemeGroupVersion
	if c.core, err = rest.RESTClientForConfigAndClient(config, httpClient); err != nil {
		return nil, err
	}
	config = rest.CopyConfig(config)
	config.APIPath, config.GroupVersion = "/apis", &batchv1.SchemeGroupVersion
	c.batch, err = rest.RESTClientForConfigAndClient(config, httpClient)
	return c, err
}

// requestTimeout bounds one request that is answered at once.
const requestTimeout = 10 * time.Second

// once makes a request that is answered at once.
func once(ctx context.Context, r *rest.Request, into runtime.Object) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	result := r.Do(ctx)
	if into == nil {
		return result.Error()
	}
	return result.Into(into)
}

// persist makes a request until it is answered: a server that is away, or has too much
// to do, is asked again until ctx ends. An answer that says no is returned.
func persist(ctx context.Context, f func(context.Context) error) error {
	wait := 100 * time.Millisecond
	for {
		err := f(ctx)
		if err == nil || !passing(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
		wait = min(2*wait, 2*time.Second)
	}
}

// passing says whether an error may be gone the next time.
func passing(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return true // the network
	}
	code := status.Status().Code
	return code == http.StatusTooManyRequests || code >= 500 || apierrors.IsTimeout(err) || apierrors.IsServerTimeout(err)
}

// Create makes the objects of a run. The Job comes first and suspended, because the
// others are to be its own and go with it; then its pods are let go. Where one cannot
// be made, nothing stays.
func (c *Client) Create(ctx context.Context, s *Spec) (err error) {
	job := s.Job()
	job.Spec.Suspend = new(true)
	var made batchv1.Job
	if err := once(ctx, c.batch.Post().Namespace(c.Namespace).Resource("jobs").Body(job), &made); err != nil {
		return c.explain(err, "create jobs", s)
	}
	defer func() {
		if err != nil {
			_ = c.Delete(context.WithoutCancel(ctx), s.Run) // the first error is the one to tell
		}
	}()
	owner := []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "Job", Name: made.Name, UID: made.UID}}
	config, secret := s.ConfigMap(), s.SecretObject()
	config.OwnerReferences, secret.OwnerReferences = owner, owner
	if err := once(ctx, c.core.Post().Namespace(c.Namespace).Resource("configmaps").Body(config), nil); err != nil {
		return c.explain(err, "create configmaps", s)
	}
	if err := once(ctx, c.core.Post().Namespace(c.Namespace).Resource("secrets").Body(secret), nil); err != nil {
		return c.explain(err, "create secrets", s)
	}
	resume := []byte(`{"spec":{"suspend":false}}`)
	r := c.batch.Patch(types.MergePatchType).Namespace(c.Namespace).Resource("jobs").Name(made.Name).Body(resume)
	return c.explain(once(ctx, r, nil), "patch jobs", s)
}

// Delete removes a run's Job and with it all that it owns. One that is not there is no
// error.
func (c *Client) Delete(ctx context.Context, run string) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	background := metav1.DeletePropagationBackground
	err := persist(ctx, func(ctx context.Context) error {
		return once(ctx, c.batch.Delete().Namespace(c.Namespace).Resource("jobs").Name(ObjectName(run)).
			Body(&metav1.DeleteOptions{PropagationPolicy: &background}), nil)
	})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return c.explain(err, "delete jobs", nil)
}

// job reads a run's Job.
func (c *Client) job(ctx context.Context, run string) (*batchv1.Job, error) {
	var out batchv1.Job
	err := once(ctx, c.batch.Get().Namespace(c.Namespace).Resource("jobs").Name(ObjectName(run)), &out)
	return &out, err
}

// jobs lists the Jobs that perfctl made.
func (c *Client) jobs(ctx context.Context) ([]batchv1.Job, error) {
	var out batchv1.JobList
	err := once(ctx, c.batch.Get().Namespace(c.Namespace).Resource("jobs").Param("labelSelector", labelManagedBy+"="+managedBy), &out)
	return out.Items, c.explain(err, "list jobs", nil)
}

// pods lists a run's pods, and returns from which version on they can be watched.
func (c *Client) pods(ctx context.Context, run string) ([]corev1.Pod, string, error) {
	var out corev1.PodList
	err := once(ctx, c.core.Get().Namespace(c.Namespace).Resource("pods").Param("labelSelector", labelRun+"="+run), &out)
	return out.Items, out.ResourceVersion, err
}

// watchFor is how long one watch lasts, after which another one begins.
const watchFor = 5 * time.Minute

// watchPods watches a run's pods from a version on.
func (c *Client) watchPods(ctx context.Context, run, version string) (watch.Interface, error) {
	return c.core.Get().Namespace(c.Namespace).Resource("pods").
		Param("labelSelector", labelRun+"="+run).Param("resourceVersion", version).Param("watch", "true").
		Param("timeoutSeconds", fmt.Sprint(int(watchFor.Seconds()))).Watch(ctx)
}

// events lists what was said of a run's Job.
func (c *Client) events(ctx context.Context, run string) ([]corev1.Event, error) {
	var out corev1.EventList
	err := once(ctx, c.core.Get().Namespace(c.Namespace).Resource("events").
		Param("fieldSelector", "involvedObject.kind=Job,involvedObject.name="+ObjectName(run)), &out)
	return out.Items, err
}

// annotate sets annotations of a pod.
func (c *Client) annotate(ctx context.Context, pod string, notes map[string]string) error {
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": notes}})
	if err != nil {
		return err
	}
	return once(ctx, c.core.Patch(types.MergePatchType).Namespace(c.Namespace).Resource("pods").Name(pod).Body(body), nil)
}

// follow opens the log of a pod's shard from a time on, the zero one for all of it; each
// line has its time before it.
func (c *Client) follow(ctx context.Context, pod string, since time.Time) (io.ReadCloser, error) {
	r := c.core.Get().Namespace(c.Namespace).Resource("pods").Name(pod).SubResource("log").
		Param("container", container).Param("follow", "true").Param("timestamps", "true")
	if !since.IsZero() {
		r = r.Param("sinceTime", since.UTC().Format(time.RFC3339))
	}
	return r.Stream(ctx)
}
