package html_test

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// window is a browser's window, and what the browser complained of and asked for.
type window struct {
	t   *testing.T
	ctx context.Context

	mu                   sync.Mutex
	complaints, requests []string
}

func open(t *testing.T) *window {
	t.Helper()
	if _, err := exec.LookPath("chromium"); err != nil {
		if os.Getenv("PERFCTL_TEST_SERVERS") == "1" {
			t.Fatal("needs chromium: run make test")
		}
		t.Skip("needs chromium: run make test")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	w := &window{t: t, ctx: ctx}
	w.do()
	if err := chromedp.Listen(ctx, w.hear); err != nil {
		t.Fatal(err)
	}
	call(w, network.Enable, network.EnableParams{})
	call(w, log.Enable, cdp.Empty{})
	call(w, runtime.Enable, cdp.Empty{})
	return w
}

func (w *window) hear(e any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := e.(type) {
	case *runtime.EventExceptionThrown:
		w.complaints = append(w.complaints, "an exception: "+e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		w.complaints = append(w.complaints, "console."+string(e.Type))
	case *log.EventEntryAdded:
		w.complaints = append(w.complaints, e.Entry.Text)
	case *network.EventRequestWillBeSent:
		w.requests = append(w.requests, e.Request.URL)
	}
}

// quiet fails the test where the browser complained, or asked anybody but the
// file for anything.
func (w *window) quiet() {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.complaints) > 0 {
		w.t.Errorf("the browser complains: %q", w.complaints)
	}
	if len(w.requests) == 0 {
		w.t.Error("the browser was not heard")
	}
	for _, u := range w.requests {
		if !strings.HasPrefix(u, "file://") {
			w.t.Errorf("the page asked for %s", u)
		}
	}
}

func (w *window) do(steps ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	if err := chromedp.Do(w.ctx, steps...); err != nil {
		w.t.Fatal(err)
	}
}

func call[P, R any](w *window, cmd cdp.Command[P, R], params P) {
	w.t.Helper()
	if _, err := chromedp.Call(w.ctx, cmd, params); err != nil {
		w.t.Fatal(err)
	}
}

// eval returns what an expression comes to in the page.
func eval[T any](w *window, expression string) T {
	w.t.Helper()
	v, err := chromedp.Run(w.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		w.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// show writes a run's page to a file and returns its address.
func show(t *testing.T, r recorded) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, []byte(page(t, r)), 0o600); err != nil {
		t.Fatal(err)
	}
	return (&url.URL{Scheme: "file", Path: file}).String()
}

// In any size and scheme the charts are drawn and nothing is wider than the
// window.
func TestThePageInABrowser(t *testing.T) {
	w := open(t)
	for name, r := range map[string]recorded{"short": record(t, 20, false), "long": record(t, 1800, false), "killed": record(t, 20, true)} {
		at := show(t, r)
		for _, width := range []int64{1440, 390} {
			for _, scheme := range []string{"light", "dark"} {
				call(w, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
					Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
				w.do(chromedp.EmulateViewport(width, 900), chromedp.Navigate(at))
				if got := eval[string](w, `document.documentElement.dataset.theme`); got != scheme {
					t.Errorf("%s %d: the theme is %s, not %s", name, width, got, scheme)
				}
				for what, holds := range map[string]string{
					"the title is the page's own": `!document.title.includes('owned')`,
					"nothing is wider":            `document.documentElement.scrollWidth <= innerWidth`,
					"the lines are drawn": `[...document.querySelectorAll('[data-panel="load"], [data-panel="response"], [data-panel="gauge-rabbitmq_queue_length"]')]
						.filter(f => [...f.querySelectorAll('path')].some(p => p.getAttribute('d').length > 20)).length === 3`,
					"the spectrum is drawn": `document.querySelectorAll('#spectrum path').length >= 2`,
					"the heat map is drawn": `(() => { const c = document.querySelector('#heat canvas'); return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v > 0); })()`,
				} {
					if !eval[bool](w, holds) {
						t.Errorf("%s %d %s: not so: %s", name, width, scheme, what)
					}
				}
			}
		}
	}
	w.quiet()
}

// Pointer and keyboard move one cursor and one span of time in all charts, and
// all that is drawn can be read as text.
func TestCursorAndZoomInABrowser(t *testing.T) {
	w := open(t)
	w.do(chromedp.EmulateViewport(1440, 1200), chromedp.Navigate(show(t, record(t, 60, false))))
	charts := eval[int](w, `document.querySelectorAll('[data-panel] svg').length`)
	cursors := func() int { return eval[int](w, `document.querySelectorAll('svg line.cursor').length`) }
	begins := func() string {
		return eval[string](w, `document.querySelector('[data-panel="load"] svg text[text-anchor="middle"]').textContent`)
	}
	box := eval[struct{ X, Y, W, H float64 }](w, `(() => { const b = document.querySelector('[data-panel="response"] svg').getBoundingClientRect(); return {X: b.x, Y: b.y, W: b.width, H: b.height}; })()`)
	whole := begins()
	w.do(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, box.X+box.W/2, box.Y+box.H/2))
	if n := cursors(); charts < 4 || n != charts {
		t.Errorf("of %d charts %d show the cursor", charts, n)
	}
	if got := eval[string](w, `document.querySelector('[data-panel="load"] output').textContent`); got == "" {
		t.Error("the figures under the cursor are not shown")
	}
	w.do(chromedp.DragAndDropXY(box.X+box.W/2, box.Y+box.H/2, box.X+box.W*.8, box.Y+box.H/2))
	if zoomed := begins(); zoomed == whole {
		t.Errorf("zoomed, the axis begins with %s as before", zoomed)
	}
	press := func(key string) {
		w.t.Helper()
		eval[bool](w, `document.querySelector('[data-panel="load"] svg').dispatchEvent(new KeyboardEvent('keydown', {key: '`+key+`', cancelable: true}))`)
	}
	press("0")
	if again := begins(); again != whole {
		t.Errorf("after 0 the axis begins with %s, not %s", again, whole)
	}
	press("ArrowRight")
	if n := cursors(); n != charts {
		t.Errorf("of %d charts %d show the cursor that the keyboard moved", charts, n)
	}
	if said := eval[string](w, `document.getElementById('said').textContent`); !strings.Contains(said, "achieved") {
		t.Errorf("a screen reader is told %q", said)
	}
	press("+")
	if zoomed := begins(); zoomed == whole {
		t.Errorf("after + the axis begins with %s as before", zoomed)
	}
	eval[bool](w, `document.querySelector('[data-panel="load"] details').open = true`)
	w.do(chromedp.WaitVisible(`[data-panel="load"] details td`))
	if rows := eval[int](w, `document.querySelectorAll('[data-panel="load"] details tbody tr').length`); rows != 60 {
		t.Errorf("the table of a minute has %d rows", rows)
	}
	w.quiet()
}
