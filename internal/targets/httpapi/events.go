package httpapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
)

// Event is a server-sent event (WHATWG HTML, 9.2.6). Its memory is good until the
// function that it was given to returns.
type Event struct {
	// Name is "message" where the server gives none.
	Name, ID string
	Data     []byte
	// At is when the end of the event was read, on the run's clock.
	At time.Duration
}

// Connected returns when the request had its connection, on the run's clock.
func (x *Exchange) Connected() time.Duration { return x.gotConn.get() }

// maxEvent bounds an event, in bytes.
const maxEvent = 1 << 20

// Stream sends the request and reads the answer as a stream of events until each
// returns false or the stream ends. An answer with another status than 200, or of
// another type, is read to its end instead; events then is false, and kept its body.
// A stream that is left early costs its connection.
func (x *Exchange) Stream(ctx context.Context, req *http.Request, body []byte, each func(Event) bool) (resp *http.Response, kept []byte, events bool, err error) {
	x.begin(ctx)
	if resp, err = x.client.Do(x.prepare(req, body)); err != nil {
		return nil, nil, false, x.classify(err)
	}
	stream := resp.Body // an error leaves no answer to look into
	defer func() {
		// A stream that is left has an end that nobody waits for.
		if a, ok := stream.(interface{ Abort() }); ok {
			a.Abort()
		}
		_ = stream.Close()
	}()
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); resp.StatusCode != http.StatusOK || kind != "text/event-stream" {
		if kept, err = x.drain(resp.Body, true); err != nil {
			return nil, nil, false, x.classify(err)
		}
		x.end = x.clock.Now()
		return resp, kept, false, nil
	}
	if how := resp.Header.Get("Content-Encoding"); how != "" && how != "identity" {
		// Decoded, an event would be told when a block of the compression ends.
		return nil, nil, true, work.Fail(KindEncoding, fmt.Errorf("the events are compressed (%s), so when each came cannot be told: leave Accept-Encoding out", how))
	}
	if err := x.events(resp.Body, each); err != nil {
		return nil, nil, true, x.classify(err)
	}
	x.end = x.clock.Now()
	return resp, nil, true, nil
}

// events reads events. They are due when the bytes that end them are, so the clock is
// read for each arrival of bytes and not for each event.
func (x *Exchange) events(body io.Reader, each func(Event) bool) error {
	if x.buf == nil {
		x.buf = make([]byte, 16<<10)
	}
	p := eventParser{name: "message"}
	for {
		n, err := body.Read(x.buf)
		at := x.clock.Now()
		if more, bad := p.feed(x.buf[:n], at, each); bad != nil {
			return bad
		} else if !more {
			return nil
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// eventParser puts lines together into events.
type eventParser struct {
	line, data []byte
	name, id   string
	hasData    bool
	// after is set behind a CR, whose LF belongs to it; begun once the first byte,
	// which may begin a byte order mark, was seen.
	after, begun bool
}

func (p *eventParser) feed(b []byte, at time.Duration, each func(Event) bool) (more bool, err error) {
	for _, c := range b {
		if p.after && c == '\n' {
			p.after = false
			continue
		}
		p.after = c == '\r'
		if c != '\n' && c != '\r' {
			if p.line = append(p.line, c); len(p.line)+len(p.data) > maxEvent {
				return false, work.Fail(KindMalformed, errors.New("an event is longer than 1 MiB"))
			}
			continue
		}
		if !p.begun {
			p.line, p.begun = bytes.TrimPrefix(p.line, []byte("\xef\xbb\xbf")), true
		}
		if len(p.line) > 0 {
			p.field()
			p.line = p.line[:0]
			continue
		}
		if p.hasData {
			e := Event{Name: p.name, ID: p.id, Data: bytes.TrimSuffix(p.data, []byte("\n")), At: at}
			if !each(e) {
				return false, nil
			}
		}
		p.data, p.hasData, p.name = p.data[:0], false, "message"
	}
	return true, nil
}

// field reads one line of an event.
func (p *eventParser) field() {
	field, value, _ := bytes.Cut(p.line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(field) {
	case "data":
		p.data = append(append(p.data, value...), '\n')
		p.hasData = true
	case "event":
		p.name = string(value)
	case "id":
		p.id = string(value)
	}
}
