package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/scenarios"
)

// doing is what goes on besides the run itself: a step that takes long is told of
// again, with how long it has taken and how far it has come.
type doing struct {
	text  string
	more  func() string // how far it has come; nil where nobody can tell
	began time.Time
	told  time.Time // when a line last told of it, off a terminal
	timer *time.Timer
}

// A step is told of again after slow, and off a terminal then every tellEvery.
const (
	slow      = 2 * time.Second
	tellEvery = 10 * time.Second
)

// step shows what is being done before and after the run; on a terminal the next
// line replaces it.
func (p *progress) step(format string, args ...any) { p.begin(nil, true, fmt.Sprintf(format, args...)) }

// stepOf is step for something that scenarios do, who may tell how far it has come.
func (p *progress) stepOf(all []scenarios.Scenario, format string, args ...any) {
	p.begin(func() string { return tell(all) }, true, fmt.Sprintf(format, args...))
}

// quietStep is a step that is worth a word only where it takes long.
func (p *progress) quietStep(format string, args ...any) {
	p.begin(nil, false, fmt.Sprintf(format, args...))
}

// idle ends the step.
func (p *progress) idle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget()
}

func (p *progress) forget() {
	if p.doing == nil {
		return
	}
	p.doing.timer.Stop()
	p.doing = nil
	if p.onScreen() {
		p.screen.Step("")
	}
}

func (p *progress) begin(more func() string, atOnce bool, text string) {
	if p.quiet || p.calm && !p.live {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget()
	d := &doing{text: text, more: more, began: time.Now()}
	p.doing = d
	if atOnce {
		d.told = d.began
		p.show(text)
	}
	// The timer's function takes the lock that is held here.
	d.timer = time.AfterFunc(slow, func() { p.again(d) })
}

// show shows a step's text: on a terminal in place of the one before.
func (p *progress) show(text string) {
	text = figure.Line(text)
	switch {
	case p.onScreen():
		p.screen.Step(text)
	case p.live:
		p.rewrite(text)
	default:
		fmt.Fprintln(p.out, text)
	}
}

// again tells of a step that goes on.
func (p *progress) again(d *doing) {
	more := ""
	if d.more != nil {
		more = d.more()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.doing != d {
		return
	}
	d.timer.Reset(time.Second)
	now := time.Now()
	text := fmt.Sprintf("%s %s", d.text, shortDuration(now.Sub(d.began).Round(time.Second)))
	if more != "" {
		text += ": " + more
	}
	if p.live || d.told.IsZero() || now.Sub(d.told) >= tellEvery {
		p.show(text)
		d.told = now
	}
}

// tell gathers what the scenarios have to tell.
func tell(all []scenarios.Scenario) string {
	var parts []string
	for _, s := range all {
		if t, ok := s.(scenarios.Teller); ok {
			if text := t.Tell(); text != "" {
				parts = append(parts, text)
			}
		}
	}
	return strings.Join(parts, ", ")
}
