package terminal

import (
	"errors"
	"io"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
)

// untilGone writes to a reader that may have read enough, as head has: what comes after
// that is nobody's, and no error. A run is not ended by it, for its figures are in its
// directory and its exit code is to be had.
type untilGone struct {
	to   io.Writer
	gone atomic.Bool
}

// UntilGone returns a writer to w whose reader may go away.
func UntilGone(w io.Writer) io.Writer { return &untilGone{to: w} }

// Write writes, as long as somebody reads.
func (u *untilGone) Write(b []byte) (int, error) {
	if u.gone.Load() {
		return len(b), nil
	}
	n, err := u.to.Write(b)
	if errors.Is(err, syscall.EPIPE) {
		u.gone.Store(true)
		return len(b), nil
	}
	return n, err
}

// outlive keeps the process alive where a reader of its output goes away: the write
// fails instead. Programs that it starts are ended by that as ever, for the signal is
// caught and not ignored.
func outlive() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }
