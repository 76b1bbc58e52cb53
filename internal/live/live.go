// Package live holds the terminal view of a run that goes on: stage and load,
// percentiles of the last seconds, errors, rules and gauges, redrawn once a second.
// It reads snapshots and judgements that it is given; it holds no run, no engine and
// no target, and decides nothing.
package live

import (
	"context"
	"io"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/sla"
)

// Stage is a stage as the view shows it.
type Stage struct {
	Name string
	// Start and Length are its place in the run.
	Start, Length time.Duration
	// Closed says that it has users in place of a rate.
	Closed bool
}

// Fault is something that is broken on purpose for a while.
type Fault struct {
	// Name is its name, What what is done to which target.
	Name, What string
	// Start and End are its place in the run.
	Start, End time.Duration
}

// Config is what the view knows of the run from the start.
type Config struct {
	// Title names the run: its profile.
	Title string
	// Stages are in order; there is at least one.
	Stages []Stage
	// Offered returns the arrivals per second that are due at a time of the run.
	Offered func(time.Duration) float64
	// Users returns the users that a closed stage wants at a time of the run; nil where
	// no stage is closed.
	Users func(time.Duration) float64
	// Faults are in the order of their beginnings.
	Faults []Fault
	// Quit is called for q and Ctrl-C. It means what a signal means: the first
	// one ends the run gracefully, the second at once. It must not block.
	Quit func()
	// Color says whether the terminal wants colours.
	Color bool
	// In is the terminal's keys, nil where there is no keyboard; Out is the
	// terminal.
	In  io.Reader
	Out io.Writer
	// Environ is the environment as os.Environ gives it: what the terminal can
	// do is read from it.
	Environ []string
}

// Health is the generator's state so far.
type Health struct {
	// Status is valid, suspect or invalid.
	Status string
	// Reasons say why it is not valid.
	Reasons []string
}

// View is a running view. Its methods never wait for the terminal: a terminal that
// takes nothing misses what there is to see.
type View struct {
	program *tea.Program
	feed    chan tea.Msg
	kill    context.CancelFunc
	ended   chan struct{}
	end     sync.Once
}

// frames is how often, per second, the screen is looked at for changes. Figures
// change once a second; the rest is for keys.
const frames = 10

// feedSize is how many messages wait for the terminal.
const feedSize = 64

// Start takes the terminal over until Stop.
func Start(c Config) *View {
	ctx, kill := context.WithCancel(context.Background())
	v := &View{feed: make(chan tea.Msg, feedSize), kill: kill, ended: make(chan struct{})}
	v.program = tea.NewProgram(newModel(c), tea.WithContext(ctx), tea.WithInput(c.In), tea.WithOutput(c.Out), tea.WithFPS(frames),
		tea.WithEnvironment(c.Environ), tea.WithoutSignalHandler(), tea.WithWindowSize(defaultWidth, defaultHeight))
	go func() {
		defer close(v.ended)
		defer kill()
		// An error means that the view is gone, which Alive tells; the run goes on.
		_, _ = v.program.Run()
	}()
	go func() {
		for {
			select {
			case m := <-v.feed:
				v.program.Send(m)
			case <-v.ended:
				return
			}
		}
	}()
	return v
}

// Alive says whether the view is on the screen: it is not after Stop, nor after a
// failure of its own.
func (v *View) Alive() bool {
	select {
	case <-v.ended:
		return false
	default:
		return true
	}
}

// Snapshot shows a second.
func (v *View) Snapshot(s *metrics.Snapshot) { v.send(secondOf(s)) }

// Judge shows the rules and the generator's state so far.
func (v *View) Judge(rules []sla.Result, h Health) { v.send(judged{rules, h}) }

// Say shows a message, below those before it.
func (v *View) Say(text string) { v.send(said(text)) }

// Step shows what is being done besides offering load; the next step replaces it.
func (v *View) Step(text string) { v.send(doing(text)) }

func (v *View) send(m tea.Msg) {
	select {
	case v.feed <- m:
	default:
	}
}

// stopPatience is how long a terminal may take to be given back.
const stopPatience = 2 * time.Second

// Stop gives the terminal back as it was. It may be called more than once and from
// any goroutine, and returns when the terminal is clean, or does not answer.
func (v *View) Stop() {
	v.end.Do(func() {
		go v.program.Quit()
		select {
		case <-v.ended:
			return
		case <-time.After(stopPatience):
		}
		v.kill()
		select {
		case <-v.ended:
		case <-time.After(stopPatience):
		}
	})
}
