package vm

import (
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // scripts ask for it by name
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // scripts ask for it by name
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"strings"

	"github.com/dop251/goja"
	"golang.org/x/crypto/md4"       //nolint:staticcheck,gosec // scripts ask for it by name
	"golang.org/x/crypto/ripemd160" //nolint:staticcheck,gosec // scripts ask for it by name
)

var base64Encodings = map[string]*base64.Encoding{
	"std": base64.StdEncoding, "rawstd": base64.RawStdEncoding, "url": base64.URLEncoding, "rawurl": base64.RawURLEncoding,
}

func (v *VM) base64(x goja.Value) *base64.Encoding {
	name := "std"
	if !nothing(x) {
		name = x.String()
	}
	e := base64Encodings[name]
	if e == nil {
		v.throw("there is no base64 encoding " + name + "; there are std, rawstd, url, rawurl")
	}
	return e
}

// encodingModule is the module k6/encoding.
func (v *VM) encodingModule() *goja.Object {
	return v.object(map[string]any{
		"b64encode": func(c goja.FunctionCall) goja.Value {
			return v.rt.ToValue(v.base64(c.Argument(1)).EncodeToString(v.bytesOf(c.Argument(0))))
		},
		"b64decode": func(c goja.FunctionCall) goja.Value {
			b, err := v.base64(c.Argument(1)).DecodeString(c.Argument(0).String())
			if err != nil {
				v.throw("b64decode: " + err.Error())
			}
			if x := c.Argument(2); !nothing(x) && x.String() == "s" {
				return v.rt.ToValue(strings.ToValidUTF8(string(b), "\uFFFD"))
			}
			return v.rt.ToValue(v.rt.NewArrayBuffer(b))
		},
	})
}

var hashes = map[string]func() hash.Hash{
	"md4": md4.New, "md5": md5.New, "sha1": sha1.New, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New,
	"sha512_224": sha512.New512_224, "sha512_256": sha512.New512_256, "ripemd160": ripemd160.New,
}

func (v *VM) hash(name string) func() hash.Hash {
	f := hashes[name]
	if f == nil {
		v.throw("there is no hash " + name + "; there are " + strings.Join(sortedKeys(hashes), ", "))
	}
	return f
}

// encoded is a digest as a script asks for it.
func (v *VM) encoded(sum []byte, how goja.Value) goja.Value {
	name := "binary"
	if !nothing(how) {
		name = how.String()
	}
	switch name {
	case "hex":
		return v.rt.ToValue(hex.EncodeToString(sum))
	case "base64":
		return v.rt.ToValue(base64.StdEncoding.EncodeToString(sum))
	case "base64url":
		return v.rt.ToValue(base64.URLEncoding.EncodeToString(sum))
	case "base64rawurl":
		return v.rt.ToValue(base64.RawURLEncoding.EncodeToString(sum))
	case "binary":
		return v.rt.ToValue(v.rt.NewArrayBuffer(sum))
	}
	v.throw("there is no encoding " + name + " of a digest; there are hex, base64, base64url, base64rawurl, binary")
	return nil
}

// cryptoModule is the module k6/crypto.
func (v *VM) cryptoModule() *goja.Object {
	m := map[string]any{
		"randomBytes": func(c goja.FunctionCall) goja.Value {
			n := c.Argument(0).ToInteger()
			if n < 1 || n > 1<<20 {
				v.throw("randomBytes needs a number from 1 to 1048576")
			}
			b := make([]byte, n)
			_, _ = rand.Read(b)
			return v.rt.ToValue(v.rt.NewArrayBuffer(b))
		},
		"hmac": func(c goja.FunctionCall) goja.Value {
			h := hmac.New(v.hash(c.Argument(0).String()), v.bytesOf(c.Argument(1)))
			h.Write(v.bytesOf(c.Argument(2)))
			return v.encoded(h.Sum(nil), c.Argument(3))
		},
		"hexEncode": func(c goja.FunctionCall) goja.Value {
			return v.rt.ToValue(hex.EncodeToString(v.bytesOf(c.Argument(0))))
		},
		"createHash": func(c goja.FunctionCall) goja.Value { return v.hasher(v.hash(c.Argument(0).String())()) },
		"createHMAC": func(c goja.FunctionCall) goja.Value {
			return v.hasher(hmac.New(v.hash(c.Argument(0).String()), v.bytesOf(c.Argument(1))))
		},
	}
	for name, f := range hashes {
		m[name] = func(c goja.FunctionCall) goja.Value {
			h := f()
			h.Write(v.bytesOf(c.Argument(0)))
			return v.encoded(h.Sum(nil), c.Argument(1))
		}
	}
	return v.told(v.object(m), "k6/crypto")
}

// hasher is a digest that is fed piece by piece.
func (v *VM) hasher(h hash.Hash) goja.Value {
	return v.object(map[string]any{
		"update": func(c goja.FunctionCall) goja.Value {
			h.Write(v.bytesOf(c.Argument(0)))
			return goja.Undefined()
		},
		"digest": func(c goja.FunctionCall) goja.Value { return v.encoded(h.Sum(nil), c.Argument(0)) },
	})
}

// webCrypto is the global crypto.
func (v *VM) webCrypto() *goja.Object {
	return v.object(map[string]any{
		"randomUUID": func(goja.FunctionCall) goja.Value {
			var b [16]byte
			_, _ = rand.Read(b[:])
			b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
			t := hex.EncodeToString(b[:])
			return v.rt.ToValue(t[:8] + "-" + t[8:12] + "-" + t[12:16] + "-" + t[16:20] + "-" + t[20:])
		},
		"getRandomValues": func(c goja.FunctionCall) goja.Value {
			o, ok := c.Argument(0).(*goja.Object)
			if !ok {
				panic(v.rt.NewTypeError("getRandomValues needs a typed array of integers"))
			}
			b, ok := v.viewed(o)
			if !ok {
				panic(v.rt.NewTypeError("getRandomValues needs a typed array of integers"))
			}
			_, _ = rand.Read(b)
			return o
		},
		"subtle": v.told(v.subtle(), "crypto.subtle"),
	})
}
