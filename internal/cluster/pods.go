package cluster

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/watch"
)

// pod is what a command needs to know of a shard's pod.
type pod struct {
	index     int
	name, uid string
	node      string
	// running says that its container began, over that it ended or the pod is gone.
	running, over bool
	// gone says that the pod was deleted.
	gone bool
	// pending says why it does not run, in the scheduler's or the kubelet's words; reason
	// is the word for it.
	reason, pending string
	// ended says how its container ended, last what it left as its last words.
	ended, last string
	exit        int
}

// podOf reads a pod; ok is false for one that is no shard.
func podOf(p *corev1.Pod) (s pod, ok bool) {
	i, ok := indexOf(p)
	if !ok {
		return pod{}, false
	}
	s = pod{index: i, name: p.Name, uid: string(p.UID), node: p.Spec.NodeName, gone: p.DeletionTimestamp != nil}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			s.reason, s.pending = c.Reason, c.Message
		}
	}
	for _, all := range [][]corev1.ContainerStatus{p.Status.InitContainerStatuses, p.Status.ContainerStatuses} {
		for _, c := range all {
			if w := c.State.Waiting; w != nil && w.Reason != "" && w.Reason != "PodInitializing" && w.Reason != "ContainerCreating" {
				s.reason, s.pending = w.Reason, w.Message
			}
		}
	}
	for _, c := range p.Status.ContainerStatuses {
		if c.Name != container {
			continue
		}
		s.running = c.State.Running != nil
		if t := c.State.Terminated; t != nil {
			s.over, s.exit, s.last = true, int(t.ExitCode), t.Message
			s.ended = fmt.Sprintf("its container ended with %d", t.ExitCode)
			if t.Reason != "" && t.Reason != "Error" && t.Reason != "Completed" {
				s.ended += " (" + t.Reason + ")"
			}
		}
	}
	if p.Status.Phase == corev1.PodFailed && !s.over {
		s.over = true
	}
	if p.Status.Reason != "" { // Evicted, NodeLost, DeadlineExceeded …
		s.ended = strings.TrimSpace(p.Status.Reason + ": " + p.Status.Message)
	}
	if s.gone {
		s.ended = "its pod was deleted"
		for _, c := range p.Status.Conditions {
			if c.Type == corev1.DisruptionTarget && c.Status == corev1.ConditionTrue {
				s.ended = "its pod was taken away: " + c.Message
			}
		}
	}
	return s, true
}

// watchShards reports the pods of a run as they change, until ctx ends: a watch that
// breaks, or whose version is too old, begins anew with a list. refused is told of an
// answer that no second try would change.
func (c *Client) watchShards(ctx context.Context, run string, tell func(pod), refused func(error)) {
	known := map[string]pod{}
	wait := 100 * time.Millisecond
	for ctx.Err() == nil {
		list, version, err := c.pods(ctx, run)
		if err == nil {
			wait = 100 * time.Millisecond
			there := map[string]bool{}
			for i := range list {
				if s, ok := podOf(&list[i]); ok {
					there[s.uid] = true
					known[s.uid] = s
					tell(s)
				}
			}
			for uid, s := range known {
				if !there[uid] {
					delete(known, uid)
					tell(vanished(s))
				}
			}
			err = c.watchOnce(ctx, run, version, known, tell)
		}
		if err != nil && !passing(err) && !apierrors.IsGone(err) && !apierrors.IsResourceExpired(err) {
			refused(c.explain(err, "watch pods", nil))
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		wait = min(2*wait, time.Second)
	}
}

// vanished is a pod that is no longer there.
func vanished(s pod) pod {
	s.gone, s.over = true, true
	if s.ended == "" {
		s.ended = "its pod was deleted"
	}
	return s
}

// watchOnce reports changes until the watch ends.
func (c *Client) watchOnce(ctx context.Context, run, version string, known map[string]pod, tell func(pod)) error {
	w, err := c.watchPods(ctx, run, version)
	if err != nil {
		return err
	}
	defer w.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case e, open := <-w.ResultChan():
			if !open {
				return nil
			}
			switch e.Type {
			case watch.Added, watch.Modified, watch.Deleted:
				p, isPod := e.Object.(*corev1.Pod)
				if !isPod {
					continue
				}
				s, ok := podOf(p)
				if !ok {
					continue
				}
				if e.Type == watch.Deleted {
					delete(known, s.uid)
					s = vanished(s)
				} else {
					known[s.uid] = s
				}
				tell(s)
			case watch.Error:
				return apierrors.FromObject(e.Object)
			}
		}
	}
}

// hopeless are words for a pod that will not run however long one waits, and what to do
// about each.
var hopeless = map[string]string{
	"ErrImageNeverPull":          "the image is not on the node: bring it there, or let it be pulled with imagePullPolicy: IfNotPresent",
	"ImagePullBackOff":           "look at the image's name and tag, and whether the cluster may pull it (imagePullSecrets in --kubernetes-values)",
	"InvalidImageName":           "look at --image",
	"CreateContainerConfigError": "look at --kubernetes-values",
	"CreateContainerError":       "look at --kubernetes-values and the image",
	"RunContainerError":          "look whether the image holds perfctl for the node's processor",
	"CrashLoopBackOff":           "look at the init containers of --kubernetes-values",
}
