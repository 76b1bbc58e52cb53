// Package vm executes a bundled k6 script: a runtime for each user, the modules
// that the script imports, and what its calls mean. It holds no schedule and no
// reading of options; which user runs when is decided by its caller.
package vm

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dop251/goja"
	"github.com/dop251/goja/parser"

	"golang.org/x/time/rate"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios/script/bundle"
	"github.com/perfctl/perfctl/internal/targets/httpapi"
)

// Script is a compiled script and what its users share.
type Script struct {
	program  *bundle.Program
	compiled *goja.Program
	host     Host

	mu      sync.Mutex
	arrays  map[string]*sharedArray
	files   map[string][]byte
	customs map[string]*custom
	order   []*custom
	warned  map[string]bool
	// brokers are the addresses that amqp.start was called with: a connection's number is
	// its place, from 1, for all users.
	brokers []string
	said    atomic.Int64

	recorder *Recorder
	client   *httpapi.Client
	settings Settings
	limiter  *rate.Limiter
	aborted  atomic.Pointer[AbortError]
	failed   atomic.Pointer[string]

	completed, interrupted, active, users atomic.Int64
}

// Host is what a script is given by perfctl.
type Host struct {
	// Lookup finds what __ENV holds.
	Lookup func(name string) (value string, ok bool)
	// Names lists what __ENV holds; nil for what is found by name alone.
	Names func() []string
	// Log is for what the script's author should know, console included.
	Log *slog.Logger
	// Seed is the run's seed.
	Seed uint64
	// Clock is the run's clock.
	Clock work.Clock
	// Files are read by this function; the name is absolute.
	ReadFile func(name string) ([]byte, error)
}

// Settings are what the script's options say about its requests.
type Settings struct {
	// UserAgent is sent where a request has none of its own.
	UserAgent string
	// Timeout bounds a request without a time-out of its own.
	Timeout time.Duration
	// MaxRedirects bounds how many redirects a request follows.
	MaxRedirects int
	// Batch and BatchPerHost bound the requests of http.batch that go on at once.
	Batch, BatchPerHost int
	// DiscardBodies leaves bodies unread where a request does not ask for them.
	DiscardBodies bool
	// Throw makes a failed request throw.
	Throw bool
	// KeepCookies keeps a user's cookies from one iteration to the next.
	KeepCookies bool
	// Blocked are hosts that no request goes to; a leading * stands for anything.
	Blocked []string
	// RPS bounds the requests of all users a second, 0 for no bound.
	RPS float64
	// MinIteration is how long an iteration takes at least, by a pause at its end.
	MinIteration time.Duration
	// IterationTimeout bounds an iteration.
	IterationTimeout time.Duration
	// Options is the script's own options as JSON, for k6/execution.
	Options string
	// Started is when the run began.
	Started func() time.Time
	// Stores open what the script reaches besides HTTP.
	Stores Stores
}

// AbortError says that the script itself ended the run.
type AbortError struct {
	Reason string
	// Refused says that perfctl ended it: the script asked for what is not allowed.
	Refused bool
}

// Error returns the reason.
func (e *AbortError) Error() string {
	if e.Refused {
		return e.Reason
	}
	return "the script ended the run: " + e.Reason
}

// Compile reads the script and runs nothing.
func Compile(p *bundle.Program, h Host) (*Script, error) {
	ast, err := goja.Parse(p.Name, p.Code, parser.WithSourceMapLoader(noSourceMaps))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.Name, err)
	}
	compiled, err := goja.CompileAST(ast, false)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.Name, err)
	}
	if h.Log == nil {
		h.Log = slog.New(slog.DiscardHandler)
	}
	return &Script{program: p, compiled: compiled, host: h,
		arrays: map[string]*sharedArray{}, files: map[string][]byte{}, customs: map[string]*custom{}, warned: map[string]bool{}}, nil
}

// noSourceMaps refuses source maps of other files; the script's own is inside it.
func noSourceMaps(path string) ([]byte, error) { return nil, fmt.Errorf("%s is not read", path) }

// Bind gives the script what a run has: its client, its metrics and its settings.
func (s *Script) Bind(c *httpapi.Client, r *Recorder, set Settings) {
	s.client, s.recorder, s.settings = c, r, set
	r.warn = s.warnOnce
	if set.RPS > 0 {
		s.limiter = rate.NewLimiter(rate.Limit(set.RPS), 1)
	}
}

// Customs are the metrics that the script declares, in their order.
func (s *Script) Customs() []metrics.Desc {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]metrics.Desc, len(s.order))
	for i, c := range s.order {
		out[i] = c.desc
	}
	return out
}

// Refuse ends the run because the script asked for what is not allowed.
func (s *Script) Refuse(err error) {
	s.aborted.CompareAndSwap(nil, &AbortError{Reason: err.Error(), Refused: true})
}

// Aborted returns why the run was ended by the script or for it, nil where it was not.
func (s *Script) Aborted() *AbortError { return s.aborted.Load() }

// Failed returns why the script marked the run as failed, empty where it did not.
func (s *Script) Failed() string {
	if t := s.failed.Load(); t != nil {
		return *t
	}
	return ""
}

// warnOnce logs a warning the first time that its key is seen.
func (s *Script) warnOnce(key, text string) {
	if !s.heard(key) {
		s.host.Log.Warn(text)
	}
}

// Active is how many users are in an iteration.
func (s *Script) Active() int64 { return s.active.Load() }

var _ io.Closer = (*Script)(nil)

// Close closes the connections.
func (s *Script) Close() error {
	if s.client != nil {
		s.client.CloseIdleConnections()
	}
	return nil
}

// background is the context of what no run bounds: the init part of a script.
var background = context.Background()
