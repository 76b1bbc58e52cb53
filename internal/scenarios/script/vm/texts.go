package vm

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"github.com/dop251/goja"
)

// texts sets TextEncoder, TextDecoder, atob and btoa, which scripts for k6 bundled
// for the web expect.
func (v *VM) texts() {
	_ = v.rt.Set("btoa", func(c goja.FunctionCall) goja.Value {
		text := c.Argument(0).String()
		b := make([]byte, 0, len(text))
		for _, r := range text {
			if r > 0xff {
				v.throw("btoa: the text has characters above 255; encode it first, or use k6/encoding")
			}
			b = append(b, byte(r))
		}
		return v.rt.ToValue(base64.StdEncoding.EncodeToString(b))
	})
	_ = v.rt.Set("atob", func(c goja.FunctionCall) goja.Value {
		b, err := base64.StdEncoding.DecodeString(c.Argument(0).String())
		if err != nil {
			v.throw("atob: " + err.Error())
		}
		text := make([]rune, len(b))
		for i, x := range b {
			text[i] = rune(x)
		}
		return v.rt.ToValue(string(text))
	})
	_ = v.rt.Set("TextEncoder", func(c goja.ConstructorCall) *goja.Object {
		_ = c.This.Set("encoding", "utf-8")
		_ = c.This.Set("encode", func(c goja.FunctionCall) goja.Value {
			b := []byte{}
			if x := c.Argument(0); !goja.IsUndefined(x) {
				b = []byte(x.String())
			}
			out, err := v.rt.New(v.rt.Get("Uint8Array"), v.rt.ToValue(v.rt.NewArrayBuffer(b)))
			if err != nil {
				panic(err)
			}
			return out
		})
		return nil
	})
	_ = v.rt.Set("TextDecoder", func(c goja.ConstructorCall) *goja.Object {
		if x := c.Argument(0); !nothing(x) && !strings.EqualFold(x.String(), "utf-8") && !strings.EqualFold(x.String(), "utf8") {
			v.throw("TextDecoder: " + x.String() + " is not there; utf-8 is")
		}
		_ = c.This.Set("encoding", "utf-8")
		_ = c.This.Set("decode", func(c goja.FunctionCall) goja.Value {
			b := v.bytesOf(c.Argument(0))
			if !utf8.Valid(b) {
				return v.rt.ToValue(strings.ToValidUTF8(string(b), "\uFFFD"))
			}
			return v.rt.ToValue(string(b))
		})
		return nil
	})
}
