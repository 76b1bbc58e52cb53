package evidence

import (
	"context"
	"fmt"
	"time"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/rundir/exemplars"
	"github.com/perfctl/perfctl/internal/targets/probe"
	"github.com/perfctl/perfctl/internal/targets/process"
)

// What of a program that is read by --scrape is worth a note, in milliseconds.
const (
	leastGC  = 20.0
	leastLag = 50.0
)

type scrapeWatcher struct {
	probe.Scrape
	pauses *probe.Pauses
	last   float64
	known  bool
}

// NewScrape returns a watcher of a program that says on a page for Prometheus for how
// long its garbage collection stopped it, or how late its event loop is.
func NewScrape(s probe.Scrape) Watcher { return &scrapeWatcher{Scrape: s, pauses: probe.NewPauses(s)} }

func (w *scrapeWatcher) String() string { return "the pauses of " + w.Name }

// scrapes is how often the page is read, and no more than a fiftieth of the time.
const scrapes = 500 * time.Millisecond

func (w *scrapeWatcher) Watch(ctx context.Context, j *Journal) error {
	defer w.pauses.Close()
	w.known = false
	next := 0.0
	answered := j.Now()
	return every(ctx, j, scrapes, func(float64) error {
		asked := j.Now()
		if asked < next {
			return nil
		}
		gc, lag, err := w.pauses.Read(ctx)
		if err != nil {
			return err
		}
		before, now := answered, j.Now()
		answered, next = now, now+50*min(now-asked, 20)
		took := (gc - w.last) * 1000
		if w.known && took >= leastGC {
			w.note(j, exemplars.Pause, fmt.Sprintf("was stopped by its garbage collection for %s", figure.WholeMillis(took)), before, asked, now, took)
		}
		if lag*1000 >= leastLag {
			w.note(j, exemplars.LoopLag, fmt.Sprintf("had an event loop that was %s late", figure.WholeMillis(lag*1000)), before, asked, now, lag*1000)
		}
		w.last, w.known = gc, true
		return nil
	})
}

// note notes a pause that ended between two answers. One that held the answer up itself
// ended just before it.
func (w *scrapeWatcher) note(j *Journal, kind, what string, before, asked, now, took float64) {
	v := exemplars.Evidence{From: before, To: now, Source: w.Name, Kind: kind, What: what, Took: took}
	if system := process.SystemNamed(w.Name); system != w.Name {
		v.System = system
	}
	if stalled := now - asked; stalled >= took/3 {
		v.From, v.Took = max(before, now-max(stalled, took)), 0
	}
	j.Note(v)
}
