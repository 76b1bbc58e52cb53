package terminal

import (
	"fmt"
	"io"
	"strings"

	"github.com/perfctl/perfctl/internal/live"
	"github.com/perfctl/perfctl/internal/run"
)

// Screen is what the live view needs of the process, besides its streams.
type Screen struct {
	// Keys is the keyboard, nil without one; Out is the terminal itself.
	Keys io.Reader
	Out  io.Writer
	// Owned says whether the program may take the terminal over: one in the
	// background may not.
	Owned   func() bool
	Environ []string
	// Interrupt does what a signal does.
	Interrupt func()
}

// The least terminal that the live view is worth.
const (
	leastColumns = 24
	leastRows    = 5
)

// openScreen starts the live view, nil where the terminal is not fit for it.
func (t *Terminal) openScreen(v run.View) *live.View {
	s := t.Screen
	if s == nil || !s.Owned() || t.ErrWidth() < leastColumns || t.ErrHeight() < leastRows {
		return nil
	}
	c := live.Config{
		Title: v.Profile, Offered: v.Offered, Users: v.Users, Quit: s.Interrupt, Color: t.Colour(true), In: s.Keys, Out: s.Out, Environ: s.Environ,
	}
	for i, stage := range v.Stages {
		c.Stages = append(c.Stages, live.Stage{Name: stage.Name, Start: v.Schedule.StageStart(i), Length: stage.Duration, Closed: v.Schedule.Closed(i)})
	}
	for _, f := range v.Faults {
		c.Faults = append(c.Faults, live.Fault{Name: f.Name, What: f.String(), Start: f.Start, End: f.End})
	}
	return live.Start(c)
}

// keptLines bounds what is said while the live view is on the screen and printed
// once it is gone.
const keptLines = 1000

// onScreen says whether the live view shows what is said.
func (p *Progress) onScreen() bool { return p.screen != nil && p.screen.Alive() }

// keep shows a text on the screen, and keeps it for when that is gone.
func (p *Progress) keep(text string) {
	p.screen.Say(text)
	if p.said = append(p.said, text); len(p.said) > keptLines {
		p.said = p.said[1:]
	}
}

// closeScreen gives the terminal back, and prints what was said meanwhile.
func (p *Progress) closeScreen() {
	if p.screen == nil {
		return
	}
	p.screen.Stop()
	p.screen = nil
	for _, text := range p.said {
		fmt.Fprintln(p.out, text)
	}
	p.said = nil
}

// Broken leaves a clean terminal: a panic is about to end the program.
func (p *Progress) Broken() { p.Done() }

// Write shows a line of the log.
func (p *Progress) Write(line []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.onScreen() {
		p.keep(strings.TrimRight(string(line), "\n"))
		return len(line), nil
	}
	p.clear()
	return p.out.Write(line)
}
