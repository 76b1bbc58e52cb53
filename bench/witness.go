package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
)

// witness is the running witness server (bench/native/witness.c).
type witness struct {
	cmd  *exec.Cmd
	stop io.Closer
	port string
}

func startWitness(ctx context.Context, path string) (*witness, error) {
	w := &witness{cmd: exec.CommandContext(ctx, path)}
	in, err := w.cmd.StdinPipe() // it ends when this closes
	if err != nil {
		return nil, err
	}
	w.stop = in
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := w.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the witness: %w", err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("start the witness: it printed no port: %w", err)
	}
	w.port = strings.TrimSpace(line)
	return w, nil
}

func (w *witness) close() {
	_ = w.stop.Close()
	_ = w.cmd.Wait()
}

func (w *witness) url() string { return "http://127.0.0.1:" + w.port }

func (w *witness) get(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url()+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the witness for %s: %w", path, err)
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

// reset forgets what was seen.
func (w *witness) reset(ctx context.Context) error {
	_, err := w.get(ctx, "/reset")
	return err
}

// stall makes the witness serve nobody for so many milliseconds.
func (w *witness) stall(ctx context.Context, ms int) error {
	_, err := w.get(ctx, fmt.Sprintf("/stall/%d", ms))
	return err
}

// times returns when each request arrived, in nanoseconds of the monotonic
// clock, oldest first.
func (w *witness) times(ctx context.Context) ([]int64, error) {
	raw, err := w.get(ctx, "/times")
	if err != nil {
		return nil, err
	}
	out := make([]int64, len(raw)/8)
	for i := range out {
		out[i] = int64(binary.LittleEndian.Uint64(raw[i*8:]))
	}
	return out, nil
}

// count returns how many requests arrived since the last reset.
func (w *witness) count(ctx context.Context) (int64, error) {
	t, err := w.times(ctx)
	return int64(len(t)), err
}
