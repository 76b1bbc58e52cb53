package httpapi

import (
	"errors"
	"io"
)

// body is an answer's body. Its end gives the connection back.
type body struct {
	io.ReadCloser
	c     *conn // nil once given back
	reuse bool
	ended bool
}

// Read reads on. At the end of the body the connection is free.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		b.ended = true
		b.release()
	} else if err != nil {
		b.reuse = false
		b.release()
	}
	return n, err
}

// Close frees the connection. One whose body was not read to its end is closed:
// what is left of it would be the next one's head.
func (b *body) Close() error {
	if b.c == nil {
		return nil
	}
	if !b.ended {
		var one [1]byte
		// An empty body has its end still to be found.
		if n, err := b.ReadCloser.Read(one[:]); n > 0 || !errors.Is(err, io.EOF) {
			b.reuse = false
		}
	}
	b.release()
	return nil
}

// Abort closes the connection where the body was not read to its end.
func (b *body) Abort() {
	b.reuse = false
	b.release()
}

func (b *body) release() {
	c := b.c
	if c == nil {
		return
	}
	b.c = nil
	if !b.reuse || c.r.Buffered() > 0 {
		c.close()
		return
	}
	if c.brief && !c.forget() {
		c.close()
		return
	}
	c.d.give(c)
}
