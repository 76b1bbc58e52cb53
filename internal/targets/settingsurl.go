package targets

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

func (p parts) build(v [5]string) *url.URL {
	u := &url.URL{Scheme: p.schemes[0]}
	if strings.HasPrefix(v[pieceHost], "/") {
		p.setSocket(u, v[pieceHost], v[piecePort])
	} else {
		u.Host = joinHosts(v[pieceHost], v[piecePort])
	}
	if v[pieceUser] != "" || v[piecePassword] != "" {
		u.User = url.UserPassword(v[pieceUser], v[piecePassword])
	}
	if p.path != "" {
		p.setPath(u, v[piecePath])
	}
	return u
}

// percent says how signs that part a URL are written in a password.
const percent = "in a user's name or a password the signs # ? / @ % ^ : are written %23 %3F %2F %40 %25 %5E %3A"

// parse checks a URL. The text of its error never quotes the URL, which may
// hold a password.
func (p parts) parse(raw string) (Address, error) {
	if p.kind == Postgres {
		raw = postgresText(raw)
	}
	if rest, ok := strings.CutPrefix(raw, "pyamqp://"); ok && p.kind == RabbitMQ { // Celery's
		raw = "amqp://" + rest
	}
	if quoted(raw) {
		return Address{}, errors.New("has quotes around it, which belong to the value here (docker run --env-file keeps them): remove them")
	}
	u, err := url.Parse(withLastPort(raw))
	if err == nil && u.Scheme == "" {
		err = errors.New("no scheme")
	}
	if err != nil {
		return Address{}, fmt.Errorf("is not a URL of the form %s://user:password@host:port/…; %s", p.schemes[0], percent)
	}
	if strings.Contains(u.Path, "@") && u.User != nil {
		return Address{}, errors.New("has an @ in its path, so its password seems to hold a /: " + percent)
	}
	if !slices.Contains(p.schemes, u.Scheme) {
		return Address{}, fmt.Errorf("scheme %q is not one of %s", u.Scheme, strings.Join(p.schemes, ", "))
	}
	return Address{Kind: p.kind, URL: u}, nil
}

// namesHost refuses an address that leads nowhere.
func namesHost(u *url.URL) error {
	if u.Hostname() == "" && u.Query().Get("host") == "" && !redisSchemes[u.Scheme].socket {
		return errors.New("names no host")
	}
	return nil
}

// withLastPort gives the last of several hosts a port: without one the URL could
// not be read.
func withLastPort(raw string) string {
	scheme, rest, ok := strings.Cut(raw, "://")
	if !ok {
		return raw
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	authority := rest[:end]
	hosts := authority[strings.LastIndexByte(authority, '@')+1:]
	i := strings.LastIndexByte(hosts, ',')
	if i < 0 || strings.ContainsRune(hosts[i:], ':') {
		return raw
	}
	return scheme + "://" + authority + ":" + standardPort(scheme) + rest[end:]
}
