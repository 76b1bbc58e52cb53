package targets

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// The places of the pieces of an address, in the order of parts.names.
const (
	pieceHost = iota
	piecePort
	pieceUser
	piecePassword
	piecePath
)

// names are the settings of the pieces; empty for a piece that has none.
func (p parts) names() [5]string { return [5]string{p.host, p.port, p.user, p.pass, p.path} }

// nameList are all settings of an address, its URL among them.
func (p parts) nameList() []string {
	return []string{p.urlName, p.host, p.port, p.user, p.pass, p.path}
}

// override changes an address that came as a URL by the pieces that the same or a
// stronger source sets, and lists them. An empty piece changes nothing. notes name
// pieces that contradict a URL of their own source.
func (p parts) override(a Address, look Lookup, urlOrigin string) (list []Setting, notes []string, err error) {
	for i, name := range p.names() {
		if name == "" {
			continue
		}
		v, origin, ok := look(name)
		switch {
		case !ok && origin == "":
			continue
		case !ok:
			list = append(list, Setting{name, "(overridden by " + p.urlName + ")", origin})
			continue
		}
		v, note := tidy(name, origin, v, i)
		notes = append(notes, note...)
		switch {
		case v == "", i == piecePort && ServiceLink(v):
			list = append(list, Setting{name, "(names nothing: that of " + p.urlName + " counts)", origin})
			continue
		}
		before := a.URL.String()
		if err := p.replace(a.URL, i, v); err != nil {
			return list, notes, fmt.Errorf("%s (from %s): %w", name, origin, err)
		}
		shown := v
		if i == piecePassword {
			shown = "xxx"
		}
		if a.URL.String() != before {
			shown += ", in place of the one in " + p.urlName
			if origin == urlOrigin {
				notes = append(notes, fmt.Sprintf("%s and %s, both of %s, do not say the same: %s counts", p.urlName, name, origin, name))
			}
		}
		list = append(list, Setting{name, shown, origin})
	}
	return list, notes, nil
}

// replace puts a piece into an address, in place of the one that is there, and of the
// parameters that would say it again.
func (p parts) replace(u *url.URL, piece int, v string) error {
	switch piece {
	case pieceHost:
		if err := p.checkHost(v); err != nil {
			return err
		}
		if strings.HasPrefix(v, "/") {
			p.setSocket(u, v, u.Port())
			return nil
		}
		port := u.Port()
		if strings.Contains(u.Host, ",") {
			port = "" // each of several hosts had its own
		}
		if redisSchemes[u.Scheme].socket {
			u.Scheme, u.Path = "redis", ""
		}
		u.Host = joinHosts(v, port)
		dropParameters(u, "host", "hostaddr")
	case piecePort:
		if err := checkPort(v); err != nil {
			return err
		}
		if u.Host == "" && p.kind == Postgres {
			return parameter("port")(u, v)
		}
		if u.Host == "" {
			return errors.New("the URL leads to a socket, which has no port: set the host, too")
		}
		var hosts []string
		for h := range strings.SplitSeq(u.Host, ",") {
			hosts = append(hosts, (&url.URL{Host: h}).Hostname())
		}
		u.Host = joinHosts(strings.Join(hosts, ","), v)
		dropParameters(u, "port")
	case pieceUser:
		dropParameters(u, "user", "username")
		return userName(u, v)
	case piecePassword:
		dropParameters(u, "password", "pwd")
		p.setPassword(u, v)
	case piecePath:
		dropParameters(u, "dbname", "database")
		p.setPath(u, v)
	}
	return nil
}

// setPassword sets the password. Without a user beside it PostgreSQL's driver would
// take the user's name for empty, and not for the one that it knows otherwise.
func (p parts) setPassword(u *url.URL, v string) {
	name := u.User.Username()
	switch {
	case name == "" && p.kind == Postgres:
		_ = parameter("password")(u, v)
		return
	case name == "" && p.kind == RabbitMQ:
		name = p.defaults[pieceUser]
	}
	u.User = url.UserPassword(name, v)
}

// setSocket lets an address lead to a Unix socket: of PostgreSQL the folder that it is
// in, of Redis its path.
func (p parts) setSocket(u *url.URL, path, port string) {
	u.Host = ""
	if p.kind == Postgres {
		q := u.Query()
		q.Set("host", path)
		if port != "" {
			q.Set("port", port)
		}
		u.RawQuery = q.Encode()
		return
	}
	if db := strings.Trim(u.Path, "/"); db != "" && !redisSchemes[u.Scheme].socket {
		_ = parameter("db")(u, db)
	}
	u.Scheme, u.Path = "unix", path
}

// quoted says whether a value stands in quotes.
func quoted(v string) bool {
	return len(v) > 1 && (v[0] == '"' || v[0] == '\'') && v[len(v)-1] == v[0]
}

// tidy removes the blanks and the line break that a file or a secret leaves around a
// piece. A password is left as it is: they may be its own. notes say what is likely
// no part of the value.
func tidy(name, origin, v string, piece int) (tidied string, notes []string) {
	if quoted(v) {
		notes = append(notes, fmt.Sprintf("%s (from %s) has quotes around it, which are taken for a part of the value: docker run --env-file, for one, keeps them", name, origin))
	}
	if piece != piecePassword {
		return strings.TrimSpace(v), notes
	}
	if strings.TrimSpace(v) != v {
		notes = append(notes, fmt.Sprintf("%s (from %s) begins or ends with a blank or a line break, which is taken for a part of the password", name, origin))
	}
	return v, notes
}

// setPath sets the database or the virtual host.
func (p parts) setPath(u *url.URL, v string) {
	if p.kind == RabbitMQ && strings.EqualFold(v, "%2f") {
		v = "/" // as it is written in a URL
	}
	u.Path, u.RawPath = "/"+v, ""
	if p.kind == RabbitMQ {
		u.RawPath = "/" + url.PathEscape(v)
	}
}

// dropParameters removes what the query says of a piece.
func dropParameters(u *url.URL, names ...string) {
	q := u.Query()
	for _, n := range names {
		q.Del(n)
	}
	if text := q.Encode(); text != u.Query().Encode() { // else the order stays, too
		u.RawQuery = text
	}
}

// joinHosts gives each of several hosts a port, where it has none of its own and port
// is not empty.
func joinHosts(hosts, port string) string {
	var out []string
	for h := range strings.SplitSeq(hosts, ",") {
		h = strings.TrimSpace(h)
		if _, _, err := net.SplitHostPort(h); err == nil {
			out = append(out, h)
			continue
		}
		h = strings.Trim(h, "[]")
		if port != "" {
			h = net.JoinHostPort(h, port)
		} else if strings.Contains(h, ":") {
			h = "[" + h + "]"
		}
		out = append(out, h)
	}
	return strings.Join(out, ",")
}

// checkHost refuses a host that has the port in it; of several, each may.
func (p parts) checkHost(v string) error {
	if strings.HasPrefix(v, "/") && p.kind == RabbitMQ {
		return errors.New("RabbitMQ listens on no Unix socket: name a host")
	}
	if strings.Contains(v, ",") || strings.HasPrefix(v, "/") {
		return nil
	}
	if strings.Contains(v, "://") {
		return fmt.Errorf("a URL stands where a host is wanted: set %s in its place", p.urlName)
	}
	if host, port, err := net.SplitHostPort(v); err == nil && port != "" {
		return fmt.Errorf("%q is a host with a port in it: set %s to %q and %s to %q", v, p.host, host, p.port, port)
	}
	return nil
}

func checkPort(v string) error {
	if n, err := strconv.Atoi(v); err != nil || n < 1 || n > 65535 {
		return fmt.Errorf("%q is not a port, a number from 1 to 65535", v)
	}
	return nil
}
