package vm

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"mime/multipart"
	"net/textproto"
	"net/url"
	"strings"
	"time"

	"github.com/dop251/goja"
)

// fileData is what http.file makes.
type fileData struct {
	data              []byte
	name, contentType string
}

// file makes a part of a multipart body.
func (v *VM) file(c goja.FunctionCall) goja.Value {
	f := &fileData{data: v.bytesOf(c.Argument(0)), name: fmt.Sprintf("%d", time.Now().UnixNano()), contentType: "application/octet-stream"}
	if x := c.Argument(1); !nothing(x) {
		f.name = x.String()
	}
	if x := c.Argument(2); !nothing(x) {
		f.contentType = x.String()
	}
	return v.object(map[string]any{"__file": f, "data": c.Argument(0), "filename": f.name, "content_type": f.contentType})
}

// fillBody reads the body: a text, bytes, or an object, which becomes a form.
func (v *VM) fillBody(r *request, x goja.Value, contentType string) error {
	if nothing(x) {
		return nil
	}
	if s, ok := x.Export().(string); ok {
		r.body = []byte(s)
		return nil
	}
	o, ok := x.(*goja.Object)
	switch {
	case !ok:
		r.body = []byte(x.String())
		return nil
	case v.isBinary(o):
		r.body = v.bytesOf(o)
		return nil
	}
	keys := o.Keys()
	for _, k := range keys {
		if asFile(o.Get(k)) != nil {
			return v.multipart(r, o, keys)
		}
	}
	form := url.Values{}
	for _, k := range keys {
		y := o.Get(k)
		if list, ok := y.(*goja.Object); ok && list.ClassName() == "Array" {
			for i := range int(list.Get("length").ToInteger()) {
				form.Add(k, list.Get(itoa(i)).String())
			}
			continue
		}
		if inner, ok := y.(*goja.Object); ok {
			v.warn("form "+k, "the field "+k+" of a form is an object, which is sent as "+y.String()+": use JSON.stringify for JSON")
			y = v.rt.ToValue(inner.String())
		}
		form.Add(k, y.String())
	}
	r.body = []byte(form.Encode())
	if contentType == "" {
		r.header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return nil
}

func asFile(x goja.Value) *fileData {
	o, ok := x.(*goja.Object)
	if !ok {
		return nil
	}
	f := o.Get("__file")
	if f == nil {
		return nil
	}
	out, _ := f.Export().(*fileData)
	return out
}

var quotes = strings.NewReplacer("\\", "\\\\", `"`, "\\\"")

func (v *VM) multipart(r *request, o *goja.Object, keys []string) error {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, k := range keys {
		x := o.Get(k)
		f := asFile(x)
		if f == nil {
			if err := w.WriteField(k, x.String()); err != nil {
				return err
			}
			continue
		}
		h := textproto.MIMEHeader{}
		h.Set("Content-Disposition", fmt.Sprintf(`form-data; name="%s"; filename="%s"`, quotes.Replace(k), quotes.Replace(f.name)))
		h.Set("Content-Type", f.contentType)
		p, err := w.CreatePart(h)
		if err != nil {
			return err
		}
		if _, err := p.Write(f.data); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	r.body = b.Bytes()
	r.header.Set("Content-Type", w.FormDataContentType())
	return nil
}

// pack compresses the body, by several ways one after the other where the script
// says so.
func (r *request) pack(how string) error {
	var names []string
	for name := range strings.SplitSeq(how, ",") {
		name = strings.TrimSpace(name)
		var b bytes.Buffer
		var w io.WriteCloser
		switch name {
		case "gzip":
			w = gzip.NewWriter(&b)
		case "deflate":
			w = zlib.NewWriter(&b)
		default:
			return fmt.Errorf("compression: %q is not there; gzip and deflate are", name)
		}
		if _, err := w.Write(r.body); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
		r.body, names = b.Bytes(), append(names, name)
	}
	r.header.Set("Content-Encoding", strings.Join(names, ", "))
	return nil
}

// maxUnpacked bounds an unpacked body, in bytes.
const maxUnpacked = 64 << 20

// unpack undoes a Content-Encoding.
func unpack(how string, body []byte) ([]byte, error) {
	names := strings.Split(how, ",")
	for i := len(names) - 1; i >= 0; i-- {
		var in io.Reader
		var err error
		switch name := strings.ToLower(strings.TrimSpace(names[i])); name {
		case "identity", "":
			continue
		case "gzip", "x-gzip":
			in, err = gzip.NewReader(bytes.NewReader(body))
		case "deflate":
			if in, err = zlib.NewReader(bytes.NewReader(body)); err != nil {
				in, err = flate.NewReader(bytes.NewReader(body)), nil
			}
		default:
			return nil, fmt.Errorf("the body is packed by %q, which perfctl cannot unpack: ask for gzip with the header Accept-Encoding", name)
		}
		if err == nil {
			body, err = io.ReadAll(io.LimitReader(in, maxUnpacked))
		}
		if err != nil {
			return nil, fmt.Errorf("unpack the body: %w", err)
		}
	}
	return body, nil
}
