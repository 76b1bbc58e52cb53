package template

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/scenarios/keys"
)

// random returns the fields that are drawn.
func random(c Call, stream uint64) (Field[*Scope], error) {
	switch c.Name {
	case "random":
		return randomInt(c, stream)
	case "float":
		return randomFloat(c, stream)
	case "key":
		return randomKey(c, stream)
	case "choice":
		words := c.Args
		return func(dst []byte, v *Scope) ([]byte, error) {
			return append(dst, words[int(work.Unit(v.Draw(stream))*float64(len(words)))]...), nil
		}, arguments(c, 1, 1000)
	case "hex", "text", "fill":
		if err := arguments(c, 1, 1); err != nil {
			return nil, err
		}
		n, err := strconv.Atoi(c.Args[0])
		if err != nil || n < 0 || n > 1<<20 {
			return nil, fmt.Errorf("%q is not a length from 0 to %d", c.Args[0], 1<<20)
		}
		if c.Name == "fill" {
			return Literal[*Scope](strings.Repeat("x", n)), nil
		}
		alphabet := "0123456789abcdef"
		if c.Name == "text" {
			alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
		}
		return randomLetters(alphabet, n, stream), nil
	}
	return nil, arguments(c, 0, 0)
}

func arguments(c Call, low, high int) error {
	switch n := len(c.Args); {
	case n < low:
		return fmt.Errorf("%d arguments are too few", n)
	case n > high:
		return fmt.Errorf("%d arguments are too many", n)
	}
	return nil
}

// maxExact is the highest whole number up to which a JSON number holds every one.
const maxExact = 1<<53 - 1

func randomInt(c Call, stream uint64) (Field[*Scope], error) {
	low, high := int64(0), int64(maxExact)
	if len(c.Args) > 0 {
		if len(c.Args) != 2 {
			return nil, arguments(c, 2, 2)
		}
		var err1, err2 error
		low, err1 = strconv.ParseInt(c.Args[0], 10, 64)
		high, err2 = strconv.ParseInt(c.Args[1], 10, 64)
		if err1 != nil || err2 != nil || low > high || low < -maxExact || high > maxExact {
			return nil, errors.New("want two whole numbers, the lower one first")
		}
	}
	span := float64(high-low) + 1
	return func(dst []byte, v *Scope) ([]byte, error) {
		return strconv.AppendInt(dst, low+int64(work.Unit(v.Draw(stream))*span), 10), nil
	}, nil
}

func randomFloat(c Call, stream uint64) (Field[*Scope], error) {
	low, high := 0.0, 1.0
	if len(c.Args) > 0 {
		if len(c.Args) != 2 {
			return nil, arguments(c, 2, 2)
		}
		var err1, err2 error
		low, err1 = strconv.ParseFloat(c.Args[0], 64)
		high, err2 = strconv.ParseFloat(c.Args[1], 64)
		if err1 != nil || err2 != nil || !(low <= high) || high-low > 1e300 {
			return nil, errors.New("want two numbers, the lower one first")
		}
	}
	return func(dst []byte, v *Scope) ([]byte, error) {
		return strconv.AppendFloat(dst, low+work.Unit(v.Draw(stream))*(high-low), 'g', -1, 64), nil
	}, nil
}

// maxKeys bounds the time that a distribution takes to prepare.
const maxKeys = 100_000_000

func randomKey(c Call, stream uint64) (Field[*Scope], error) {
	if err := arguments(c, 1, 2); err != nil {
		return nil, err
	}
	count, err := strconv.ParseInt(c.Args[0], 10, 64)
	if err != nil || count < 1 || count > maxKeys {
		return nil, fmt.Errorf("%q is not a count from 1 to %d", c.Args[0], maxKeys)
	}
	d := keys.Uniform
	if len(c.Args) == 2 {
		if !slices.Contains(keys.Names[:], c.Args[1]) {
			return nil, fmt.Errorf("%q is not one of %s", c.Args[1], strings.Join(keys.Names[:], ", "))
		}
		d = keys.ByName(c.Args[1])
	}
	r := keys.New(count)
	return func(dst []byte, v *Scope) ([]byte, error) {
		bits := v.Draw(stream)
		return strconv.AppendInt(dst, r.Pick(d, work.Unit(bits), work.Unit(work.Mix(bits, 1, stream))), 10), nil
	}, nil
}

func randomLetters(alphabet string, n int, stream uint64) Field[*Scope] {
	return func(dst []byte, v *Scope) ([]byte, error) {
		bits := v.Draw(stream)
		for i := range n {
			dst = append(dst, alphabet[int(work.Unit(work.Mix(bits, uint64(i), 0))*float64(len(alphabet)))])
		}
		return dst, nil
	}
}

// randomUUID returns a field of the form of RFC 9562, version 4.
func randomUUID(stream uint64) Field[*Scope] {
	return func(dst []byte, v *Scope) ([]byte, error) {
		a := v.Draw(stream)
		b := work.Mix(a, 2, stream)
		a = a&^0xf000 | 0x4000
		b = b&^(3<<62) | 2<<62
		const hex = "0123456789abcdef"
		for i := range 32 {
			if i == 8 || i == 12 || i == 16 || i == 20 {
				dst = append(dst, '-')
			}
			bits := a
			if i >= 16 {
				bits = b
			}
			dst = append(dst, hex[bits>>(60-4*(i%16))&15])
		}
		return dst, nil
	}
}
