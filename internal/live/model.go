package live

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/perfctl/perfctl/internal/sla"
)

// The messages of the run, besides *second.
type (
	judged struct {
		rules  []sla.Result
		health Health
	}
	said  string
	doing string
)

// keptMessages bounds the messages on the screen.
const keptMessages = 20

// model is the view's state.
type model struct {
	config  Config
	theme   theme
	total   time.Duration
	history history
	// shown, rules and health are what is on the screen; next is what will be
	// when the view is no longer paused.
	shown    *figures
	judged   judged
	next     judged
	messages []string
	doing    string

	width, height int
	paused, help  bool
	quits         int
}

func newModel(c Config) *model {
	m := &model{config: c, theme: newTheme(c.Color), width: defaultWidth, height: defaultHeight}
	end := c.Stages[len(c.Stages)-1]
	m.total = end.Start + end.Length
	return m
}

// Init starts nothing: the run feeds the view.
func (m *model) Init() tea.Cmd { return nil }

// Update takes in what the run and the keyboard send.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch x := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = x.Width, x.Height
	case tea.KeyPressMsg:
		m.key(x.String())
	case *second:
		m.history.add(x, m.offered(x))
		if !m.paused {
			m.shown = m.history.figures()
		}
	case judged:
		m.next = x
		if !m.paused {
			m.judged = x
		}
	case said:
		m.messages = keep(m.messages, string(x), keptMessages)
	case doing:
		m.doing = string(x)
	}
	return m, nil
}

// offered is the mean rate that was due over a second.
func (m *model) offered(x *second) float64 {
	const points = 10
	sum := 0.0
	for i := range points {
		at := x.end - x.span + x.span*time.Duration(2*i+1)/(2*points)
		if at < m.total {
			sum += m.config.Offered(at) / points
		}
	}
	return sum
}

func (m *model) key(k string) {
	switch k {
	case "q", "ctrl+c":
		m.quits++
		m.config.Quit()
	case "p":
		if m.paused = !m.paused; !m.paused && len(m.history.seconds) > 0 {
			m.shown, m.judged = m.history.figures(), m.next
		}
	case "?", "h":
		m.help = !m.help
	case "esc":
		m.help = false
	}
}

// The size of a terminal that does not tell its own.
const (
	defaultWidth  = 80
	defaultHeight = 24
)
