package vm

import (
	"crypto/md5" //nolint:gosec // what RFC 7616 asks for where a server offers nothing better
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"net/url"
	"regexp"
	"strings"
)

var challengePart = regexp.MustCompile(`([a-zA-Z]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))`)

// digest answers a server's challenge (RFC 7616); empty where it cannot.
func digest(r *request, method string, at *url.URL, challenges []string) string {
	if r.to.user == nil {
		return ""
	}
	for _, c := range challenges {
		if len(c) < 7 || !strings.EqualFold(c[:7], "digest ") {
			continue
		}
		parts := map[string]string{}
		for _, m := range challengePart.FindAllStringSubmatch(c[7:], -1) {
			parts[strings.ToLower(m[1])] = m[2] + m[3]
		}
		if out := answerChallenge(r, method, at, parts); out != "" {
			return out
		}
	}
	return ""
}

func answerChallenge(r *request, method string, at *url.URL, parts map[string]string) string {
	make := md5.New
	algorithm := parts["algorithm"]
	switch strings.ToUpper(algorithm) {
	case "", "MD5", "MD5-SESS":
	case "SHA-256", "SHA-256-SESS":
		make = sha256.New
	default:
		return ""
	}
	sum := func(s string) string { return hexSum(make(), s) }
	password, _ := r.to.user.Password()
	var random [8]byte
	_, _ = rand.Read(random[:])
	cnonce, nc := hex.EncodeToString(random[:]), "00000001"
	first := sum(r.to.user.Username() + ":" + parts["realm"] + ":" + password)
	if strings.HasSuffix(strings.ToUpper(algorithm), "-SESS") {
		first = sum(first + ":" + parts["nonce"] + ":" + cnonce)
	}
	second := sum(method + ":" + at.RequestURI())
	out := fmt.Sprintf(`Digest username="%s", realm="%s", nonce="%s", uri="%s"`, r.to.user.Username(), parts["realm"], parts["nonce"], at.RequestURI())
	if qop := parts["qop"]; qop != "" {
		if !strings.Contains(","+strings.ReplaceAll(qop, " ", "")+",", ",auth,") {
			return ""
		}
		out += fmt.Sprintf(`, qop=auth, nc=%s, cnonce="%s", response="%s"`, nc, cnonce,
			sum(first+":"+parts["nonce"]+":"+nc+":"+cnonce+":auth:"+second))
	} else {
		out += fmt.Sprintf(`, response="%s"`, sum(first+":"+parts["nonce"]+":"+second))
	}
	if algorithm != "" {
		out += ", algorithm=" + algorithm
	}
	if o := parts["opaque"]; o != "" {
		out += fmt.Sprintf(`, opaque="%s"`, o)
	}
	return out
}

func hexSum(h hash.Hash, s string) string {
	h.Write([]byte(s))
	return hex.EncodeToString(h.Sum(nil))
}
