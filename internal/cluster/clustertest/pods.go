package clustertest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// reconcile makes the pods of a Job that is let go. The lock is held.
func (s *Server) reconcile(j *batchv1.Job) {
	if j.Spec.Suspend != nil && *j.Spec.Suspend {
		return
	}
	for i := range int(*j.Spec.Completions) {
		name := fmt.Sprintf("%s-%d", j.Name, i)
		if s.pods[name] != nil {
			continue
		}
		p := &Pod{Index: i, podDir: filepath.Join(s.dir, name), cancel: func() {}}
		p.Pod.ObjectMeta = *j.Spec.Template.ObjectMeta.DeepCopy()
		p.Pod.Name, p.Pod.Namespace, p.Pod.UID = name, Namespace, types.UID("uid-"+name)
		p.Pod.Labels["job"] = j.Name
		p.Pod.Labels["batch.kubernetes.io/job-completion-index"] = strconv.Itoa(i)
		p.Pod.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}
		p.Pod.Spec = *j.Spec.Template.Spec.DeepCopy()
		p.Pod.Status.Phase = corev1.PodPending
		s.pods[name] = p
		if s.Pending != nil {
			if reason, message := s.Pending(i); reason != "" {
				p.wait(reason, message)
				s.note("ADDED", p)
				continue
			}
		}
		s.note("ADDED", p)
		s.begin(j, p)
	}
}

// wait keeps a pod from running.
func (p *Pod) wait(reason, message string) {
	if reason == "Unschedulable" {
		p.Pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: reason, Message: message}}
		return
	}
	p.Pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "shard", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}}}
}

// ArgsVariable holds what a pod is to execute, in its environment.
const ArgsVariable = "POD_ARGS"

// begin executes a pod's program. The lock is held.
func (s *Server) begin(j *batchv1.Job, p *Pod) {
	ctx, cancel := context.WithCancel(s.ctx)
	p.cancel = cancel
	p.Pod.Spec.NodeName = "node" + strconv.Itoa(p.Index)
	env := map[string]string{"JOB_COMPLETION_INDEX": strconv.Itoa(p.Index)}
	if x := s.secrets[j.Name]; x != nil {
		for k, v := range x.StringData {
			env[k] = v
		}
	}
	for _, v := range p.Pod.Spec.Containers[0].Env {
		env[v.Name] = v.Value
	}
	env[ArgsVariable] = strings.Join(p.Pod.Spec.Containers[0].Args, " ")
	plan, runs := filepath.Join(p.podDir, "plan.tar.gz"), filepath.Join(p.podDir, "runs")
	var parcel []byte
	if c := s.config[j.Name]; c != nil {
		parcel = c.BinaryData["plan.tar.gz"]
	}
	env["PERFCTL_SHARD_PLAN"], env["PERFCTL_SHARD_INBOX"], env["PERFCTL_SHARD_FOLDER"] = plan, filepath.Join(p.podDir, "annotations"), runs
	env["PERFCTL_SHARD_FAREWELL"], env["TMPDIR"], env["HOME"] = filepath.Join(p.podDir, "farewell"), runs, runs
	_ = os.MkdirAll(runs, 0o700)          // what is missing the program will say
	_ = os.WriteFile(plan, parcel, 0o600) // as above
	p.Pod.Status.Phase = corev1.PodRunning
	p.Pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "shard", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}}
	s.note("MODIFIED", p)
	s.all.Go(func() {
		code := s.run(ctx, env, &logWriter{s: s, p: p})
		killed := ctx.Err() != nil
		cancel()
		s.mu.Lock()
		defer s.mu.Unlock()
		p.closed = true
		t := &corev1.ContainerStateTerminated{ExitCode: int32(code), Reason: "Completed"}
		p.Pod.Status.Phase = corev1.PodSucceeded
		if killed {
			t.ExitCode, t.Reason = 137, "OOMKilled"
		}
		if t.ExitCode != 0 {
			p.Pod.Status.Phase = corev1.PodFailed
		}
		p.Pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "shard", State: corev1.ContainerState{Terminated: t}}}
		if s.pods[p.Pod.Name] == p {
			s.note("MODIFIED", p)
		}
		s.wake()
	})
}

// logWriter takes what a program prints.
type logWriter struct {
	s    *Server
	p    *Pod
	rest string
}

// Write takes it.
func (w *logWriter) Write(b []byte) (int, error) {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	w.rest += string(b)
	for {
		text, rest, ok := strings.Cut(w.rest, "\n")
		if !ok {
			break
		}
		w.rest = rest
		w.p.lines = append(w.p.lines, line{time.Now(), text})
	}
	w.s.wake()
	return len(b), nil
}

// open makes a stream that BreakStreams breaks off.
func (s *Server) open(r *http.Request) (context.Context, func()) {
	ctx, cancel := context.WithCancel(r.Context())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stream++
	n := s.stream
	s.streams[n] = cancel
	return ctx, func() {
		cancel()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.streams, n)
	}
}

// log follows a pod's log.
func (s *Server) log(w http.ResponseWriter, r *http.Request, name string) {
	ctx, done := s.open(r)
	defer done()
	var since time.Time
	if v := r.URL.Query().Get("sinceTime"); v != "" {
		since, _ = time.Parse(time.RFC3339, v) // all of it, where it is none
	}
	s.mu.Lock()
	p := s.pods[name]
	s.mu.Unlock()
	if p == nil {
		status(w, http.StatusNotFound, "pods \""+name+"\" not found")
		return
	}
	w.WriteHeader(http.StatusOK)
	flush := http.NewResponseController(w)
	_ = flush.Flush() // a client that is gone ends the loop
	for next := 0; ; {
		s.mu.Lock()
		fresh := p.lines[next:]
		next = len(p.lines)
		closed, changed, gone := p.closed, s.changed, s.pods[name] != p
		s.mu.Unlock()
		for _, l := range fresh {
			if l.at.Before(since) {
				continue
			}
			texts := []string{l.text}
			if s.Mangle != nil {
				texts = s.Mangle(p.Index, l.text)
			}
			for _, text := range texts {
				if _, err := fmt.Fprintf(w, "%s %s\n", l.at.UTC().Format(time.RFC3339Nano), text); err != nil {
					return
				}
			}
		}
		_ = flush.Flush() // as above
		if (closed || gone) && len(fresh) == 0 {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// watch reports the pods' changes.
func (s *Server) watch(w http.ResponseWriter, r *http.Request) {
	ctx, done := s.open(r)
	defer done()
	version, _ := strconv.Atoi(r.URL.Query().Get("resourceVersion")) // from the first one, where it is none
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	flush := http.NewResponseController(w)
	_ = flush.Flush() // a client that is gone ends the loop
	e := json.NewEncoder(w)
	for {
		s.mu.Lock()
		fresh := append([]metav1.WatchEvent(nil), s.history[min(version, len(s.history)):]...)
		version = len(s.history)
		changed := s.changed
		s.mu.Unlock()
		for i := range fresh {
			if e.Encode(&fresh[i]) != nil {
				return
			}
		}
		_ = flush.Flush() // as above
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}
