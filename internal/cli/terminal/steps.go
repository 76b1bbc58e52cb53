package terminal

import (
	"fmt"
	"time"

	"github.com/perfctl/perfctl/internal/figure"
)

// step is what goes on besides the run itself: one that takes long is shown again,
// with how long it has taken and how far it has come.
type step struct {
	text   string
	howFar func() string // nil where nobody can say
	began  time.Time
	shown  time.Time // when a line last showed it, off a terminal
	timer  *time.Timer
}

// A step is shown again after slow, and off a terminal then every showEvery.
const (
	slow      = 2 * time.Second
	showEvery = 10 * time.Second
)

// Step shows what is being done before and after the run; on a terminal the next line
// replaces it. howFar, which may be nil, says how far it has come.
func (p *Progress) Step(text string, howFar func() string) { p.begin(howFar, true, text) }

// Minor is a step that is worth a word only where it takes long.
func (p *Progress) Minor(text string) { p.begin(nil, false, text) }

// Idle ends the step.
func (p *Progress) Idle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget()
}

func (p *Progress) forget() {
	if p.step == nil {
		return
	}
	p.step.timer.Stop()
	p.step = nil
	if p.onScreen() {
		p.screen.Step("")
	}
}

func (p *Progress) begin(more func() string, atOnce bool, text string) {
	if p.quiet || p.calm && !p.live {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget()
	d := &step{text: text, howFar: more, began: time.Now()}
	p.step = d
	if atOnce {
		d.shown = d.began
		p.show(text)
	}
	// The timer's function takes the lock that is held here.
	d.timer = time.AfterFunc(slow, func() { p.again(d) })
}

// show shows a step's text: on a terminal in place of the one before.
func (p *Progress) show(text string) {
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

// again shows a step that goes on.
func (p *Progress) again(d *step) {
	more := ""
	if d.howFar != nil {
		more = d.howFar()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.step != d {
		return
	}
	d.timer.Reset(time.Second)
	now := time.Now()
	text := fmt.Sprintf("%s %s", d.text, figure.Duration(now.Sub(d.began).Round(time.Second)))
	if more != "" {
		text += ": " + more
	}
	if p.live || d.shown.IsZero() || now.Sub(d.shown) >= showEvery {
		p.show(text)
		d.shown = now
	}
}
