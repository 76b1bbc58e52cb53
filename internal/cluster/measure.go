package cluster

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/perfctl/perfctl/internal/meeting"
)

// MeasureArgs are what a pod executes that measures itself.
var MeasureArgs = []string{"kubernetes", "measure"}

// Measure follows the one pod of a Job that measures itself, and returns what it said. The
// Job is to be removed by who called.
func (c *Conductor) Measure(ctx context.Context) ([]byte, error) {
	if _, err := c.conduct(ctx, func() bool { return c.measured != nil }); err != nil {
		return nil, err
	}
	return c.measured, nil
}

// ServeMeasure is the pod's side of Measure.
func (s *Shard) ServeMeasure(ctx context.Context, version string, measure func(context.Context) ([]byte, error)) error {
	h := meeting.Hello{Run: s.Manifest.Run, Shard: s.Index, Shards: s.Manifest.Shards, Version: version}
	if err := s.Spool.PrintJSON(KindHello, Hello{Hello: h, Plan: s.plan, Arch: runtime.GOARCH, Processors: runtime.GOMAXPROCS(0), Clock: time.Now()}); err != nil {
		return err
	}
	text, err := measure(ctx)
	if err != nil {
		return err
	}
	if err := s.Spool.Print(KindMeasured, text); err != nil {
		return err
	}
	_, _, _ = s.note(ctx, heardWithin, noteStop, noteCollected) // its words are repeated until then
	return nil
}

// heardWithin is how long a pod that has measured waits to be heard.
const heardWithin = 30 * time.Second

// Free is what the nodes have left for pods of a kind.
type Free struct {
	// Pods is how many of them find room, Nodes on how many nodes.
	Pods, Nodes int
	// CPU is what is requested by nobody, in processors.
	CPU float64
}

// Free asks what is left for pods that request what these values say, on nodes that take
// pods without a toleration.
func (c *Client) Free(ctx context.Context, v *Values) (f Free, err error) {
	var nodes corev1.NodeList
	if err := once(ctx, c.core.Get().Resource("nodes"), &nodes); err != nil {
		return f, c.mayNot(err, "list nodes")
	}
	var all corev1.PodList
	if err := once(ctx, c.core.Get().Resource("pods").Param("fieldSelector", "status.phase!=Succeeded,status.phase!=Failed"), &all); err != nil {
		return f, c.mayNot(err, "list pods of all namespaces")
	}
	return freeFor(nodes.Items, all.Items, v.resources().Requests), nil
}

// mayNot says in few words what one may not.
func (c *Client) mayNot(err error, what string) error {
	if apierrors.IsForbidden(err) {
		return errors.New("you may not " + what)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// freeFor counts how many pods with a request find room.
func freeFor(nodes []corev1.Node, all []corev1.Pod, request corev1.ResourceList) (f Free) {
	for i := range nodes {
		n := &nodes[i]
		if !takesPods(n) {
			continue
		}
		f.Nodes++
		cpu, memory := n.Status.Allocatable.Cpu().MilliValue(), n.Status.Allocatable.Memory().Value()
		room := n.Status.Allocatable.Pods().Value()
		for k := range all {
			if all[k].Spec.NodeName != n.Name {
				continue
			}
			room--
			for _, x := range all[k].Spec.Containers {
				cpu -= x.Resources.Requests.Cpu().MilliValue()
				memory -= x.Resources.Requests.Memory().Value()
			}
		}
		f.CPU += float64(max(cpu, 0)) / 1000
		if want := request.Cpu().MilliValue(); want > 0 {
			room = min(room, cpu/want)
		}
		if want := request.Memory().Value(); want > 0 {
			room = min(room, memory/want)
		}
		f.Pods += int(max(room, 0))
	}
	return f
}

// takesPods says whether a node is ready and has no taint that keeps pods off.
func takesPods(n *corev1.Node) bool {
	if n.Spec.Unschedulable {
		return false
	}
	for _, t := range n.Spec.Taints {
		if t.Effect != corev1.TaintEffectPreferNoSchedule {
			return false
		}
	}
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}
