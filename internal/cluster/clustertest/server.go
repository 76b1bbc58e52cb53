// Package clustertest plays an API server with pods, for tests: as much of one as a run
// takes, with its faults. Nothing in it is Kubernetes.
package clustertest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/perfctl/perfctl/internal/cluster"
)

// Run is what a pod executes: its environment, where its log goes, and its exit code. It
// ends with ctx.
type Run func(ctx context.Context, env map[string]string, log io.Writer) int

// Server is an API server with one namespace and as many nodes as pods want.
type Server struct {
	// Refuse, where it is set, may answer a request in the server's place: it returns
	// the status and true.
	Refuse func(*http.Request) (int, string, bool)
	// Mangle, where it is set, changes a line of a log on its way: none, one or several
	// lines come of it.
	Mangle func(pod int, line string) []string
	// Miss, where it is set, says that a pod's node misses a change of its annotations.
	Miss func(pod int) bool
	// Pending, where it is set, keeps a pod from running and says why.
	Pending func(pod int) (reason, message string)
	// Delay is how long an annotation takes to the pod.
	Delay time.Duration

	dir  string
	run  Run
	http *httptest.Server
	ctx  context.Context
	all  sync.WaitGroup

	mu      sync.Mutex
	version int
	jobs    map[string]*batchv1.Job
	config  map[string]*corev1.ConfigMap
	secrets map[string]*corev1.Secret
	pods    map[string]*Pod
	history []metav1.WatchEvent
	changed chan struct{}
	down    bool
	streams map[int]context.CancelFunc
	stream  int
}

// Pod is a pod of the server.
type Pod struct {
	Index int
	Pod   corev1.Pod

	cancel context.CancelFunc
	lines  []line
	closed bool
	podDir string
}

type line struct {
	at   time.Time
	text string
}

// Namespace is the server's only one.
const Namespace = "perf"

// New starts a server whose pods execute run.
func New(tb testing.TB, run Run) *Server {
	tb.Helper()
	s, stop, err := Start(tb.TempDir(), run)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(stop)
	return s
}

// Start starts a server that keeps its pods' files in a folder.
func Start(dir string, run Run) (s *Server, stop func(), err error) {
	ctx, cancel := context.WithCancel(context.Background())
	s = &Server{dir: dir, run: run, ctx: ctx, changed: make(chan struct{}), Delay: 20 * time.Millisecond,
		jobs: map[string]*batchv1.Job{}, config: map[string]*corev1.ConfigMap{}, secrets: map[string]*corev1.Secret{}, pods: map[string]*Pod{}, streams: map[int]context.CancelFunc{}}
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	return s, func() {
		cancel()
		s.BreakStreams()
		s.all.Wait()
		s.http.CloseClientConnections()
		s.http.Close()
	}, nil
}

// Config says how to reach the server.
func (s *Server) Config() *rest.Config { return &rest.Config{Host: s.http.URL} }

// Kubeconfig is a file of kubectl's for the server.
func (s *Server) Kubeconfig() string {
	return fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: fake, cluster: {server: %q}}]
users: [{name: me, user: {}}]
contexts: [{name: fake, context: {cluster: fake, user: me, namespace: %s}}]
current-context: fake
`, s.http.URL, Namespace)
}

// Restart refuses everything for a time, after all that is open was broken off.
func (s *Server) Restart(d time.Duration) {
	s.mu.Lock()
	s.down = true
	s.mu.Unlock()
	s.BreakStreams()
	time.Sleep(d)
	s.mu.Lock()
	s.down = false
	s.mu.Unlock()
}

// BreakStreams breaks all watches and logs off that are being read.
func (s *Server) BreakStreams() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, cancel := range s.streams {
		cancel()
	}
}

// Kill ends a pod's program, as lack of memory does.
func (s *Server) Kill(index int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.pods {
		if p.Index == index {
			p.cancel()
		}
	}
}

// Remove deletes a pod.
func (s *Server) Remove(index int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, p := range s.pods {
		if p.Index == index {
			p.cancel()
			delete(s.pods, name)
			s.note("DELETED", p)
		}
	}
}

// Started waits until the pods of a run, or of any, record something.
func (s *Server) Started(run string) {
	for {
		s.mu.Lock()
		begun, changed := false, s.changed
		for _, p := range s.pods {
			if run == "" || p.Pod.Labels["perfctl.io/run"] == run {
				begun = begun || slices.ContainsFunc(p.lines, recorded)
			}
		}
		s.mu.Unlock()
		if begun {
			return
		}
		select {
		case <-changed:
		case <-s.ctx.Done():
			return
		}
	}
}

// recorded says whether a line is of a second that was recorded.
func recorded(l line) bool {
	f, _, err := cluster.ParseFrame([]byte(l.text))
	return err == nil && f.Kind == cluster.KindData && bytes.Contains(f.Body, []byte(`"f":"series.ndjson"`))
}

// Objects counts what there is of everything.
func (s *Server) Objects() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.jobs) + len(s.config) + len(s.secrets)
}

// Note returns an annotation of a pod.
func (s *Server) Note(index int, name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.pods {
		if p.Index == index {
			return p.Pod.Annotations[name]
		}
	}
	return ""
}

// note remembers a change of a pod for the watches. The lock is held.
func (s *Server) note(kind string, p *Pod) {
	s.version++
	p.Pod.ResourceVersion = strconv.Itoa(s.version)
	raw, _ := json.Marshal(&p.Pod) // always encodes
	s.history = append(s.history, metav1.WatchEvent{Type: kind, Object: runtime.RawExtension{Raw: raw}})
	s.wake()
}

func (s *Server) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	down := s.down
	s.mu.Unlock()
	if down {
		if h, ok := w.(http.Hijacker); ok {
			if c, _, err := h.Hijack(); err == nil {
				_ = c.Close()
			}
		}
		return
	}
	if s.Refuse != nil {
		if code, text, refused := s.Refuse(r); refused {
			status(w, code, text)
			return
		}
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	i := slices.Index(parts, "namespaces")
	if i < 0 || len(parts) < i+3 {
		status(w, http.StatusNotFound, "no such path")
		return
	}
	kind, rest := parts[i+2], parts[i+3:]
	name, sub := "", ""
	if len(rest) > 0 {
		name = rest[0]
	}
	if len(rest) > 1 {
		sub = rest[1]
	}
	switch {
	case kind == "pods" && sub == "log":
		s.log(w, r, name)
	case kind == "pods" && r.URL.Query().Get("watch") != "":
		s.watch(w, r)
	default:
		s.object(w, r, kind, name)
	}
}

func (s *Server) object(w http.ResponseWriter, r *http.Request, kind, name string) {
	body, _ := io.ReadAll(r.Body) // a short one fails to decode
	s.mu.Lock()
	defer s.mu.Unlock()
	if kind == "jobs" {
		s.job(w, r, name, body)
		return
	}
	switch r.Method + " " + kind {
	case "POST configmaps":
		var c corev1.ConfigMap
		_ = json.Unmarshal(body, &c) // an empty one is found by whoever needs it
		s.config[c.Name] = &c
		answer(w, &c)
	case "POST secrets":
		var c corev1.Secret
		_ = json.Unmarshal(body, &c) // as above
		s.secrets[c.Name] = &c
		answer(w, &c)
	case "GET pods":
		list := &corev1.PodList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "PodList"}}
		list.ResourceVersion = strconv.Itoa(s.version)
		for _, p := range s.pods {
			list.Items = append(list.Items, p.Pod)
		}
		answer(w, list)
	case "PATCH pods":
		s.annotate(w, name, body)
	case "GET events":
		answer(w, &corev1.EventList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "EventList"}})
	default:
		status(w, http.StatusMethodNotAllowed, r.Method+" "+kind)
	}
}

// job answers what is asked of jobs.
func (s *Server) job(w http.ResponseWriter, r *http.Request, name string, body []byte) {
	switch r.Method {
	case http.MethodPost:
		var j batchv1.Job
		if json.Unmarshal(body, &j) != nil {
			status(w, http.StatusBadRequest, "bad job")
			return
		}
		if s.jobs[j.Name] != nil {
			status(w, http.StatusConflict, "jobs.batch \""+j.Name+"\" already exists")
			return
		}
		j.UID = types.UID("uid-" + j.Name)
		j.CreationTimestamp = metav1.Now()
		s.jobs[j.Name] = &j
		s.reconcile(&j)
		answer(w, &j)
	case http.MethodPatch:
		j := s.jobs[name]
		if j == nil || json.Unmarshal(body, j) != nil {
			status(w, http.StatusNotFound, "no job")
			return
		}
		s.reconcile(j)
		answer(w, j)
	case http.MethodGet:
		if name == "" {
			list := &batchv1.JobList{TypeMeta: metav1.TypeMeta{APIVersion: "batch/v1", Kind: "JobList"}}
			for _, j := range s.jobs {
				list.Items = append(list.Items, *j)
			}
			answer(w, list)
			return
		}
		if s.jobs[name] == nil {
			status(w, http.StatusNotFound, "jobs.batch \""+name+"\" not found")
			return
		}
		answer(w, s.jobs[name])
	case http.MethodDelete:
		if s.jobs[name] == nil {
			status(w, http.StatusNotFound, "jobs.batch \""+name+"\" not found")
			return
		}
		delete(s.jobs, name)
		delete(s.config, name)
		delete(s.secrets, name)
		for n, p := range s.pods {
			if p.Pod.Labels["job"] == name {
				p.cancel()
				delete(s.pods, n)
				s.note("DELETED", p)
			}
		}
		answer(w, &metav1.Status{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusSuccess})
	default:
		status(w, http.StatusMethodNotAllowed, r.Method+" jobs")
	}
}

// annotate changes a pod, and its file a little later.
func (s *Server) annotate(w http.ResponseWriter, name string, body []byte) {
	p := s.pods[name]
	if p == nil {
		status(w, http.StatusNotFound, "pods \""+name+"\" not found")
		return
	}
	_ = json.Unmarshal(body, &p.Pod) // a patch that says nothing changes nothing
	s.note("MODIFIED", p)
	s.all.Go(func() {
		time.Sleep(s.Delay)
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.Miss == nil || !s.Miss(p.Index) {
			p.writeNotes()
		}
	})
	answer(w, &p.Pod)
}

// writeNotes writes a pod's annotations as the downward API does: all at once.
func (p *Pod) writeNotes() {
	var b strings.Builder
	for k, v := range p.Pod.Annotations {
		fmt.Fprintf(&b, "%s=%q\n", k, v)
	}
	path := filepath.Join(p.podDir, "annotations")
	if os.WriteFile(path+".new", []byte(b.String()), 0o600) == nil {
		_ = os.Rename(path+".new", path) // what was not written now is not read
	}
}

func answer(w http.ResponseWriter, o any) {
	switch x := o.(type) {
	case *batchv1.Job:
		x.TypeMeta = metav1.TypeMeta{APIVersion: "batch/v1", Kind: "Job"}
	case *corev1.ConfigMap:
		x.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"}
	case *corev1.Secret:
		x.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}
	case *corev1.Pod:
		x.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(o) // who asked may be gone
}

// reasons are the words for codes.
var reasons = map[int]metav1.StatusReason{
	http.StatusNotFound: metav1.StatusReasonNotFound, http.StatusConflict: metav1.StatusReasonAlreadyExists, http.StatusForbidden: metav1.StatusReasonForbidden,
	http.StatusGone: metav1.StatusReasonExpired, http.StatusTooManyRequests: metav1.StatusReasonTooManyRequests, http.StatusBadRequest: metav1.StatusReasonBadRequest,
	http.StatusUnauthorized: metav1.StatusReasonUnauthorized,
}

func statusOf(code int, text string) *metav1.Status {
	return &metav1.Status{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure, Code: int32(code), Reason: reasons[code], Message: text}
}

func status(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "application/json")
	if code == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(statusOf(code, text)) // who asked may be gone
}
