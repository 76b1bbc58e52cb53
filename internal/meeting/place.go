package meeting

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Options say how the shards of a run meet.
type Options struct {
	// Run is the run's identity.
	Run string
	// Shard of Shards is this one.
	Shard, Shards int
	// Patience is how long the others may take to come.
	Patience time.Duration
}

// The words that shards leave for each other. Each but the last four is one shard's own,
// with its number behind a dot.
const (
	helloWord = "hello"
	readyWord = "ready"
	armedWord = "armed"
	doneWord  = "done"
	madeWord  = "made"
	startWord = "start"
	offWord   = "off"
	abortWord = "abort"
)

const (
	// pollEvery is the pause between two looks at something awaited.
	pollEvery = 25 * time.Millisecond
	// lead is from when all are ready to the first arrival, with leadEach more for each
	// shard; by armedBy before it all must know it, by offBy before it a run that is
	// called off is.
	lead     = 1500 * time.Millisecond
	leadEach = 10 * time.Millisecond
	armedBy  = 900 * time.Millisecond
	offBy    = 700 * time.Millisecond
)

// board is where the shards of a run leave words for each other.
type board interface {
	// say leaves a word with a text for all; one that is all shards' stays as it was
	// first said.
	say(word string, text []byte) error
	sayFirst(word string, text []byte) error
	// read returns a word's text; there is false where nobody said it yet.
	read(word string) (text []byte, there bool, err error)
	// gone says that a shard which has come lives no more, or is taken for that.
	gone(shard int) bool
	// trouble says why this shard may not start with the others, "" for nothing: its
	// clock, say.
	trouble() string
	// where says where the board is, in words for the user, and what those who do not
	// find it are to look at.
	where() (place, next string)
	// leave takes this shard away from the board. agreed says that all had come.
	leave(agreed bool) error
}

// Place is a meeting at a board.
type Place struct {
	o     Options
	board board
	// agreed says that all shards have come and are of one mind.
	agreed bool
}

// What follows makes a Place a Meeting.
var _ Meeting = (*Place)(nil)

func of(word string, shard int) string { return word + "." + strconv.Itoa(shard) }

// said says whether a word was said.
func (p *Place) said(word string) bool {
	_, there, err := p.board.read(word)
	return there && err == nil
}

// Greet says who this shard is and compares it with what the others say.
func (p *Place) Greet(ctx context.Context, h Hello) error {
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	if err := p.board.say(of(helloWord, p.o.Shard), text); err != nil {
		return err
	}
	until := time.Now().Add(p.o.Patience)
	for n := range p.o.Shards {
		text, err := p.await(ctx, of(helloWord, n), func() error {
			if time.Now().After(until) {
				place, next := p.board.where()
				return p.callOff("shard %d of %d did not come to %s within %v: %s", n, p.o.Shards, place, p.o.Patience, next)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if text := p.board.trouble(); text != "" {
			return p.callOff("%s", text)
		}
		if p.o.Shard != 0 && n != 0 {
			continue // the first one looks at all, and each at the first one
		}
		var other Hello
		if err := json.Unmarshal(text, &other); err != nil {
			return p.callOff("what shard %d says of itself cannot be read: %v", n, err)
		}
		if text := h.Differs(&other); text != "" {
			return p.callOff("%s: give all shards the same", text)
		}
	}
	p.agreed = true
	return nil
}

// HandOver leaves what the other shards inherit.
func (p *Place) HandOver(_ context.Context, made []byte) error { return p.board.say(madeWord, made) }

// Inherit waits for what the first shard made, as long as it is there.
func (p *Place) Inherit(ctx context.Context) ([]byte, error) {
	return p.await(ctx, madeWord, func() error { return p.present(0) })
}

// Start waits until all are ready and know when to start.
func (p *Place) Start(ctx context.Context, wish time.Time) (time.Time, error) {
	if err := p.board.say(of(readyWord, p.o.Shard), nil); err != nil {
		return wish, err
	}
	by := time.Time{}
	if !wish.IsZero() {
		by = wish.Add(-armedBy)
	}
	at := wish
	if p.o.Shard == 0 || !wish.IsZero() {
		if err := p.everyone(ctx, readyWord, by); err != nil {
			return wish, err
		}
	}
	if wish.IsZero() {
		var err error
		if at, err = p.agree(ctx); err != nil {
			return at, err
		}
	}
	if err := p.board.say(of(armedWord, p.o.Shard), nil); err != nil {
		return at, err
	}
	if err := p.everyone(ctx, armedWord, at.Add(-offBy)); err != nil {
		return at, err
	}
	return at, nil
}

// agree has the first shard choose the instant, and the others read it.
func (p *Place) agree(ctx context.Context) (time.Time, error) {
	if p.o.Shard == 0 {
		at := time.Now().Add(lead + time.Duration(p.o.Shards)*leadEach).Round(time.Millisecond)
		return at, p.board.say(startWord, []byte(at.Format(time.RFC3339Nano)))
	}
	text, err := p.await(ctx, startWord, func() error { return p.present(0) })
	if err != nil {
		return time.Time{}, err
	}
	at, err := time.Parse(time.RFC3339Nano, string(text))
	if err != nil {
		return at, p.callOff("the instant of the start: %v", err)
	}
	return at, nil
}

// everyone waits until all have said a word, and calls the run off where one is gone or
// did not by an instant, if there is one.
func (p *Place) everyone(ctx context.Context, word string, by time.Time) error {
	for n := range p.o.Shards {
		_, err := p.await(ctx, of(word, n), func() error {
			if !by.IsZero() && time.Now().After(by) {
				return p.callOff("shard %d was not ready in time for the start: let the run start later", n)
			}
			return p.present(n)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// present calls the run off where a shard that came is gone.
func (p *Place) present(n int) error {
	if p.isGone(n) {
		return p.callOff("shard %d ended before the run began: its own output says why", n)
	}
	return nil
}

// isGone says whether a shard that has greeted lives no more.
func (p *Place) isGone(n int) bool {
	return n != p.o.Shard && p.said(of(helloWord, n)) && p.board.gone(n)
}

// Aborted looks for an abort.
func (p *Place) Aborted() (string, bool) {
	text, there, err := p.board.read(abortWord)
	return string(text), there && err == nil
}

// Reach says that this shard is there, and waits for those that live.
func (p *Place) Reach(ctx context.Context, at Point) (gone []int, err error) {
	if err := p.board.say(of(string(at), p.o.Shard), nil); err != nil {
		return nil, err
	}
	for n := range p.o.Shards {
		word := of(string(at), n)
		for !p.said(word) {
			if (p.board.gone(n) || !p.said(of(helloWord, n))) && n != p.o.Shard && !p.said(word) {
				gone = append(gone, n)
				break
			}
			if err := pause(ctx); err != nil {
				return gone, fmt.Errorf("shard %d has not %s: %w", n, at, err)
			}
		}
	}
	return gone, nil
}

// CallOff ends the run before its first arrival.
func (p *Place) CallOff(reason string) { _ = p.board.sayFirst(offWord, []byte(reason)) } // the process ends with it

// Abort ends the arrivals of all.
func (p *Place) Abort(reason string) { _ = p.board.sayFirst(abortWord, []byte(reason)) } // as above

// callOff calls the run off and returns why it is: another may have been first.
func (p *Place) callOff(format string, args ...any) error {
	err := off(format, args...)
	p.CallOff(err.Error())
	if e := p.isOff(); e != nil {
		return e
	}
	return err
}

func (p *Place) isOff() error {
	text, there, err := p.board.read(offWord)
	if err != nil || !there {
		return nil //nolint:nilerr // nobody says that it is
	}
	return &OffError{string(text)}
}

// Close leaves the meeting.
func (p *Place) Close() error {
	return errors.Join(p.board.say(of(doneWord, p.o.Shard), nil), p.board.leave(p.agreed))
}

// await returns the text of a word once it is there. ok says each time whether to go on.
func (p *Place) await(ctx context.Context, word string, ok func() error) ([]byte, error) {
	for {
		if err := p.isOff(); err != nil {
			return nil, err
		}
		text, there, err := p.board.read(word)
		if err != nil || there {
			return text, err
		}
		if err := ok(); err != nil {
			return nil, err
		}
		if err := pause(ctx); err != nil {
			return nil, err
		}
	}
}

func pause(ctx context.Context) error {
	t := time.NewTimer(pollEvery)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
