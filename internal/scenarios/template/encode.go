package template

import "strings"

// Encoding is how a value is written where it lands, so that it stays one value
// whatever is in it. The zero Encoding leaves it as it is, and so does the filter
// raw.
type Encoding struct {
	// Filter is the filter that does the same, and after which nothing is done.
	Filter string
	// Apply appends the encoded value to dst, with which value may share its
	// memory.
	Apply func(dst, value []byte) []byte
}

// AtTarget is the place of a field in a request's path and query. One that begins
// the text is an address, or a part of it, and stays as it is.
func AtTarget(before string) Encoding {
	switch {
	case before == "":
		return Encoding{}
	case strings.Contains(before, "?"):
		return Encoding{"url", appendQuery}
	}
	return Encoding{"url", appendSegment}
}

// InForm is the place of a field in a form, as in a query.
func InForm(string) Encoding { return Encoding{"url", appendQuery} }

// InJSON is the place of a field in a JSON text: within a string it is escaped, and
// elsewhere it stays as it is, be it a number or an object.
func InJSON(before string) Encoding {
	in := false
	for i := 0; i < len(before); i++ {
		switch {
		case before[i] == '"':
			in = !in
		case in && before[i] == '\\':
			i++
		}
	}
	if in {
		return Encoding{"json", AppendJSON}
	}
	return Encoding{}
}

// appendQuery encodes a name or a value of a query (RFC 3986, section 3.4): what is
// not unreserved.
func appendQuery(dst, value []byte) []byte { return appendPercent(dst, value, "-._~") }

// appendSegment encodes a segment of a path (RFC 3986, section 3.3): what is no
// pchar, of which + is encoded as well, since some servers take it for a space.
func appendSegment(dst, value []byte) []byte { return appendPercent(dst, value, "-._~!$&'()*,;=:@") }

// AppendTarget encodes what may not stand in the path and query of a request line
// (RFC 9112, section 3.2), and leaves % as it is: what is behind it is encoded
// already.
func AppendTarget(dst []byte, target string) []byte {
	for i := range len(target) {
		if c := target[i]; inTarget(target, i) {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return dst
}

// IsTarget says whether a path and query may stand in a request line as they are.
func IsTarget(target string) bool {
	for i := range len(target) {
		if !inTarget(target, i) {
			return false
		}
	}
	return true
}

func inTarget(target string, i int) bool {
	return ordinary(target[i]) || strings.IndexByte("-._~!$&'()*+,;=:@/?%", target[i]) >= 0
}

// BadPercent says whether a % is not followed by two hexadecimal digits.
func BadPercent(target string) bool {
	for i := range len(target) {
		if target[i] == '%' && (i+2 >= len(target) || !isHex(target[i+1]) || !isHex(target[i+2])) {
			return true
		}
	}
	return false
}

const upperHex = "0123456789ABCDEF"

func appendPercent(dst, value []byte, safe string) []byte {
	i := 0
	for i < len(value) && (ordinary(value[i]) || strings.IndexByte(safe, value[i]) >= 0) {
		i++
	}
	if i == len(value) {
		return append(dst, value...)
	}
	rest := string(value[i:]) // dst may share its memory
	dst = append(dst, value[:i]...)
	for i := range len(rest) {
		c := rest[i]
		if ordinary(c) || strings.IndexByte(safe, c) >= 0 {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return dst
}

func ordinary(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}
