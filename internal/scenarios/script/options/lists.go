package options

import (
	"crypto/tls"
	"encoding/json"
	"regexp"
	"strings"
)

// Certificate is what the client shows to the servers of some domains.
type Certificate struct {
	// Domains are hosts, * for any, or with *. before them for those below one; none for
	// every host.
	Domains []string
	Pair    tls.Certificate
}

// For says whether the certificate is shown to a host.
func (c *Certificate) For(host string) bool {
	for _, d := range c.Domains {
		if d == "*" || strings.EqualFold(d, host) {
			return true
		}
		if rest, wild := strings.CutPrefix(d, "*"); wild && strings.HasSuffix(strings.ToLower(host), strings.ToLower(rest)) {
			return true
		}
	}
	return len(c.Domains) == 0
}

func (p *parser) list(v json.RawMessage) (out []string) {
	if err := json.Unmarshal(v, &out); err != nil {
		p.fault("is a list of texts, not %s", v)
	}
	return out
}

var trendStat = regexp.MustCompile(`^(avg|min|med|max|count|p\((100|\d{1,2}(\.\d+)?)\))$`)

func (p *parser) trendStats(v json.RawMessage) []string {
	list := p.list(v)
	for _, name := range list {
		if !trendStat.MatchString(name) {
			p.fault("%q is no figure of a trend; there are avg, min, med, max, count, and p(N) as p(95)", name)
		}
	}
	return list
}

// certificates reads tlsAuth. Nothing of a key comes into an error.
func (p *parser) certificates(v json.RawMessage) {
	var list []map[string]json.RawMessage
	if json.Unmarshal(v, &list) != nil {
		p.fault("is a list of {domains, cert, key}")
		return
	}
	at := p.at
	for i, raw := range list {
		var c Certificate
		var cert, key string
		for _, k := range keys(raw) {
			p.at = at + "[" + itoa(i) + "]." + k
			switch k {
			case "domains":
				c.Domains = p.list(raw[k])
			case "cert":
				cert = p.secret(raw[k])
			case "key":
				key = p.secret(raw[k])
			case "password":
				p.fault("a key with a password is not read: take it off first, as with openssl pkey -in KEY -out PLAIN")
			default:
				p.fault("there is no such key; there are domains, cert, key")
			}
		}
		p.at = at + "[" + itoa(i) + "]"
		var err error
		if c.Pair, err = tls.X509KeyPair([]byte(cert), []byte(key)); err != nil {
			p.fault("cert and key are texts in PEM form, as open(\"cert.pem\") returns: %v", err)
			continue
		}
		p.o.Certificates = append(p.o.Certificates, c)
	}
	p.at = at
}

// secret reads a text that must not be shown.
func (p *parser) secret(v json.RawMessage) (s string) {
	if json.Unmarshal(v, &s) != nil {
		p.fault("is a text")
	}
	return s
}
