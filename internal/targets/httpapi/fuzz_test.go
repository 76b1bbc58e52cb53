package httpapi

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// canned is a server that answers anything with the same bytes and closes.
type canned struct {
	net.Conn
	left *bytes.Reader
}

func (c *canned) Read(p []byte) (int, error)       { return c.left.Read(p) }
func (c *canned) Write(p []byte) (int, error)      { return len(p), nil }
func (c *canned) Close() error                     { return nil }
func (c *canned) SetDeadline(time.Time) error      { return nil }
func (c *canned) SetReadDeadline(time.Time) error  { return nil }
func (c *canned) SetWriteDeadline(time.Time) error { return nil }
func (c *canned) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (c *canned) RemoteAddr() net.Addr             { return &net.TCPAddr{} }

// longest is how much of an answer is looked at: a chunked body may say that it is
// endless.
const longest = 1 << 20

// Whatever a server answers, the client reads of it what net/http's own parser does,
// or fails, and comes to an end.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
		"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n\r\nto the end",
		"HTTP/1.1 101 Switching Protocols\r\n\r\n", "HTTP/1.0 404 \r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut",
		"SSH-2.0-OpenSSH_9\r\n", "\x15\x03\x01\x00\x02\x02\x46", "", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		d := &direct{timeout: time.Minute, fresh: true, dial: func(context.Context, string, string) (net.Conn, error) {
			return &canned{left: bytes.NewReader(answer)}, nil
		}}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1/", nil)
		if err != nil {
			t.Fatal(err)
		}
		status, body, err := readAll(d.RoundTrip(req))
		wantStatus, wantBody, wantErr := truth(answer, req)
		if (err == nil) != (wantErr == nil) || err == nil && (status != wantStatus || !bytes.Equal(body, wantBody)) {
			t.Fatalf("%d %q %v, net/http reads %d %q %v", status, body, err, wantStatus, wantBody, wantErr)
		}
	})
}

func readAll(resp *http.Response, err error) (int, []byte, error) {
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, longest))
	return resp.StatusCode, body, err
}

// truth reads the last answer as net/http does: those that come before it say
// nothing of the request.
func truth(answer []byte, req *http.Request) (int, []byte, error) {
	r := bufio.NewReader(bytes.NewReader(answer))
	for range 10 {
		status, body, err := readAll(http.ReadResponse(r, req))
		if err != nil || status >= 200 || status == http.StatusSwitchingProtocols {
			return status, body, err
		}
	}
	return 0, nil, errors.New("nothing but what comes before an answer")
}
