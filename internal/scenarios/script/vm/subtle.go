package vm

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // scripts ask for it by name
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"strings"

	"github.com/dop251/goja"
)

// subtleHashes are the digests of the global crypto.
var subtleHashes = map[string]func() hash.Hash{"SHA-1": sha1.New, "SHA-256": sha256.New, "SHA-384": sha512.New384, "SHA-512": sha512.New}

// subtleKey is a secret key of the global crypto; keys in pairs are not there.
type subtleKey struct {
	algorithm string
	hash      string
	secret    []byte
	open      bool // may be exported
}

// subtle is crypto.subtle: digests, HMAC and AES. Everything is settled at once.
func (v *VM) subtle() *goja.Object {
	o := v.object(map[string]any{
		"digest": v.promised(func(c goja.FunctionCall) (any, error) {
			f, err := subtleHash(v.named(c.Argument(0)))
			if err != nil {
				return nil, err
			}
			h := f()
			h.Write(v.bytesOf(c.Argument(1)))
			return v.rt.NewArrayBuffer(h.Sum(nil)), nil
		}),
		"importKey": v.promised(v.importKey), "exportKey": v.promised(v.exportKey), "generateKey": v.promised(v.generateKey),
		"sign": v.promised(func(c goja.FunctionCall) (any, error) {
			sum, err := v.mac(c.Argument(1), c.Argument(2))
			return v.rt.NewArrayBuffer(sum), err
		}),
		"verify": v.promised(func(c goja.FunctionCall) (any, error) {
			sum, err := v.mac(c.Argument(1), c.Argument(3))
			return err == nil && hmac.Equal(sum, v.bytesOf(c.Argument(2))), err
		}),
		"encrypt": v.promised(func(c goja.FunctionCall) (any, error) { return v.cipher(c, true) }),
		"decrypt": v.promised(func(c goja.FunctionCall) (any, error) { return v.cipher(c, false) }),
	})
	for _, name := range []string{"deriveKey", "deriveBits", "wrapKey", "unwrapKey"} {
		_ = o.Set(name, v.promised(func(goja.FunctionCall) (any, error) {
			return nil, fmt.Errorf("crypto.subtle.%s is not there; there are digest, importKey, exportKey, generateKey, sign, verify, encrypt, decrypt with HMAC and AES", name)
		}))
	}
	return o
}

// promised makes a function that returns a promise, settled already.
func (v *VM) promised(f func(goja.FunctionCall) (any, error)) func(goja.FunctionCall) goja.Value {
	return func(c goja.FunctionCall) goja.Value {
		p, resolve, reject := v.rt.NewPromise()
		var out any
		var err error
		if ex := v.rt.Try(func() { out, err = f(c) }); ex != nil {
			_ = reject(ex.Value())
			return v.rt.ToValue(p)
		}
		if err != nil {
			_ = reject(v.rt.NewTypeError(err.Error()))
		} else {
			_ = resolve(out)
		}
		return v.rt.ToValue(p)
	}
}

// named is an algorithm's name, given alone or in an object.
func (v *VM) named(x goja.Value) string {
	if o, ok := x.(*goja.Object); ok && !nothing(o.Get("name")) {
		x = o.Get("name")
	}
	return strings.ToUpper(x.String())
}

func subtleHash(name string) (func() hash.Hash, error) {
	if f := subtleHashes[name]; f != nil {
		return f, nil
	}
	return nil, fmt.Errorf("crypto.subtle: there is no digest %s; there are %s", name, strings.Join(sortedKeys(subtleHashes), ", "))
}

// algorithmOf reads the algorithm of a key.
func (v *VM) algorithmOf(x goja.Value) (k *subtleKey, err error) {
	k = &subtleKey{algorithm: v.named(x)}
	switch k.algorithm {
	case "AES-CBC", "AES-GCM", "AES-CTR":
	case "HMAC":
		o, ok := x.(*goja.Object)
		if !ok || nothing(o.Get("hash")) {
			return nil, errors.New("crypto.subtle: HMAC needs a hash, as in {name: \"HMAC\", hash: \"SHA-256\"}")
		}
		k.hash = v.named(o.Get("hash"))
		_, err = subtleHash(k.hash)
	default:
		err = fmt.Errorf("crypto.subtle: the algorithm %s is not there; there are HMAC, AES-CBC, AES-CTR, AES-GCM", k.algorithm)
	}
	return k, err
}

func (v *VM) keyObject(k *subtleKey, usages goja.Value) goja.Value {
	algorithm := map[string]any{"name": k.algorithm, "length": len(k.secret) * 8}
	if k.hash != "" {
		algorithm["hash"] = map[string]any{"name": k.hash}
	}
	return v.object(map[string]any{"type": "secret", "extractable": k.open, "algorithm": algorithm, "usages": usages, "__key": k})
}

func keyOf(x goja.Value) (*subtleKey, error) {
	if o, ok := x.(*goja.Object); ok {
		if f := o.Get("__key"); f != nil {
			if k, ok := f.Export().(*subtleKey); ok {
				return k, nil
			}
		}
	}
	return nil, errors.New("crypto.subtle: this is no key of importKey or generateKey")
}

func (v *VM) importKey(c goja.FunctionCall) (any, error) {
	k, err := v.algorithmOf(c.Argument(2))
	if err != nil {
		return nil, err
	}
	k.open = c.Argument(3).ToBoolean()
	switch form := c.Argument(0).String(); form {
	case "raw":
		k.secret = append([]byte(nil), v.bytesOf(c.Argument(1))...)
	case "jwk":
		text := c.Argument(1).ToObject(v.rt).Get("k")
		if nothing(text) {
			return nil, errors.New("crypto.subtle.importKey: the JSON Web Key has no k: only secret keys are there")
		}
		if k.secret, err = base64.RawURLEncoding.DecodeString(text.String()); err != nil {
			return nil, fmt.Errorf("crypto.subtle.importKey: %w", err)
		}
	default:
		return nil, fmt.Errorf("crypto.subtle.importKey: the format %s is not there; raw and jwk are", form)
	}
	if k.hash == "" {
		if _, err := aes.NewCipher(k.secret); err != nil {
			return nil, fmt.Errorf("crypto.subtle.importKey: %w", err)
		}
	}
	return v.keyObject(k, c.Argument(4)), nil
}

func (v *VM) exportKey(c goja.FunctionCall) (any, error) {
	k, err := keyOf(c.Argument(1))
	switch {
	case err != nil:
		return nil, err
	case !k.open:
		return nil, errors.New("crypto.subtle.exportKey: the key was made with extractable false")
	}
	switch form := c.Argument(0).String(); form {
	case "raw":
		return v.rt.NewArrayBuffer(append([]byte(nil), k.secret...)), nil
	case "jwk":
		return v.object(map[string]any{"kty": "oct", "k": base64.RawURLEncoding.EncodeToString(k.secret), "ext": true}), nil
	default:
		return nil, fmt.Errorf("crypto.subtle.exportKey: the format %s is not there; raw and jwk are", form)
	}
}

func (v *VM) generateKey(c goja.FunctionCall) (any, error) {
	k, err := v.algorithmOf(c.Argument(0))
	if err != nil {
		return nil, err
	}
	bits := int64(256)
	if k.hash != "" {
		bits = int64(subtleHashes[k.hash]().BlockSize() * 8)
	}
	if n := c.Argument(0).ToObject(v.rt).Get("length"); !nothing(n) {
		bits = n.ToInteger()
	}
	if bits < 8 || bits > 1<<16 || k.hash == "" && bits != 128 && bits != 192 && bits != 256 {
		return nil, fmt.Errorf("crypto.subtle.generateKey: a key of %d bits is none of %s", bits, k.algorithm)
	}
	k.secret, k.open = make([]byte, bits/8), c.Argument(1).ToBoolean()
	_, _ = rand.Read(k.secret)
	return v.keyObject(k, c.Argument(2)), nil
}

func (v *VM) mac(key, data goja.Value) ([]byte, error) {
	k, err := keyOf(key)
	if err != nil {
		return nil, err
	}
	if k.hash == "" {
		return nil, fmt.Errorf("crypto.subtle: a key of %s signs nothing; HMAC does", k.algorithm)
	}
	h := hmac.New(subtleHashes[k.hash], k.secret)
	h.Write(v.bytesOf(data))
	return h.Sum(nil), nil
}

// cipher encrypts or decrypts.
func (v *VM) cipher(c goja.FunctionCall, seal bool) (any, error) {
	k, err := keyOf(c.Argument(1))
	if err != nil {
		return nil, err
	}
	how, ok := c.Argument(0).(*goja.Object)
	if name := v.named(c.Argument(0)); !ok || name != k.algorithm || k.hash != "" {
		return nil, fmt.Errorf("crypto.subtle: the key is of %s, and the algorithm %s", k.algorithm, name)
	}
	block, err := aes.NewCipher(k.secret)
	if err != nil {
		return nil, fmt.Errorf("crypto.subtle: %w", err)
	}
	iv, data := v.bytesOf(how.Get("iv")), v.bytesOf(c.Argument(2))
	var out []byte
	switch k.algorithm {
	case "AES-GCM":
		out, err = sealGCM(block, iv, data, v.bytesOf(how.Get("additionalData")), seal)
	case "AES-CBC":
		out, err = sealCBC(block, iv, data, seal)
	case "AES-CTR":
		if iv = v.bytesOf(how.Get("counter")); len(iv) != aes.BlockSize {
			return nil, errors.New("crypto.subtle: AES-CTR needs a counter of 16 bytes")
		}
		out = make([]byte, len(data))
		cipher.NewCTR(block, iv).XORKeyStream(out, data)
	}
	if err != nil {
		return nil, fmt.Errorf("crypto.subtle: %w", err)
	}
	return v.rt.NewArrayBuffer(out), nil
}

func sealGCM(block cipher.Block, iv, data, more []byte, seal bool) ([]byte, error) {
	if len(iv) == 0 {
		return nil, errors.New("AES-GCM needs an iv")
	}
	g, err := cipher.NewGCMWithNonceSize(block, len(iv))
	if err != nil {
		return nil, err
	}
	if seal {
		return g.Seal(nil, iv, data, more), nil
	}
	return g.Open(nil, iv, data, more)
}

// sealCBC pads as PKCS #7 does.
func sealCBC(block cipher.Block, iv, data []byte, seal bool) ([]byte, error) {
	const n = aes.BlockSize
	if len(iv) != n {
		return nil, errors.New("AES-CBC needs an iv of 16 bytes")
	}
	if seal {
		pad := n - len(data)%n
		out := append([]byte(nil), data...)
		for range pad {
			out = append(out, byte(pad))
		}
		cipher.NewCBCEncrypter(block, iv).CryptBlocks(out, out)
		return out, nil
	}
	if len(data) == 0 || len(data)%n != 0 {
		return nil, errors.New("what is to be decrypted is not whole")
	}
	out := make([]byte, len(data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(out, data)
	pad := int(out[len(out)-1])
	if pad < 1 || pad > n {
		return nil, errors.New("what is decrypted makes no sense: is the key the right one?")
	}
	return out[:len(out)-pad], nil
}
