package httpapi

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"github.com/perfctl/perfctl/internal/engine/work"
)

// KindEncoding is the failure of a body that cannot be decoded.
const KindEncoding work.Kind = "encoding"

// Decode undoes a Content-Encoding: gzip, deflate, br, zstd, or several of them with
// commas (RFC 9110, 8.4). The body itself is returned where there is none. What is
// longer than MaxBody once it is decoded is an error.
func Decode(encoding string, body []byte) ([]byte, error) {
	names := strings.Split(encoding, ",")
	for i := len(names) - 1; i >= 0; i-- {
		r, err := decoder(strings.ToLower(strings.TrimSpace(names[i])), body)
		if r == nil && err == nil {
			continue
		}
		if err == nil {
			body, err = io.ReadAll(io.LimitReader(r, MaxBody+1))
		}
		if c, ok := r.(io.Closer); ok {
			_ = c.Close()
		}
		if err == nil && len(body) > MaxBody {
			err = fmt.Errorf("it is longer than %d bytes", MaxBody)
		}
		if err != nil {
			return nil, work.Fail(KindEncoding, fmt.Errorf("decode the body (%s): %w", encoding, err))
		}
	}
	return body, nil
}

func decoder(name string, body []byte) (io.Reader, error) {
	switch name {
	case "", "identity":
		return nil, nil //nolint:nilnil // nothing is to be undone
	case "gzip", "x-gzip":
		return gzip.NewReader(bytes.NewReader(body))
	case "deflate":
		return zlib.NewReader(bytes.NewReader(body))
	case "br":
		return brotli.NewReader(bytes.NewReader(body)), nil
	case "zstd":
		d, err := zstd.NewReader(bytes.NewReader(body), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(MaxBody*2))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	}
	return nil, fmt.Errorf("perfctl does not know %q", name)
}
