package rabbitmq

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"
	"syscall"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/perfctl/perfctl/internal/targets"
)

const (
	setPort = "RABBITMQ_HOST and RABBITMQ_PORT (or RABBITMQ_URL)"
	setUser = "RABBITMQ_USER and RABBITMQ_PASSWORD (or the user and password in RABBITMQ_URL)"
)

// explainDial turns the error of a dial into one that a user can act on. seen
// is what the transport met: the driver reports every silent end of the
// handshake as a refused password, a stalled broker included.
func explainDial(a targets.Address, err, seen error) error {
	if errors.Is(seen, context.Canceled) || errors.Is(seen, context.DeadlineExceeded) || timedOut(seen) {
		return targets.Unreachable(a, "connect", seen, "")
	}
	if next := tlsStep(a, err); next != "" {
		return targets.Unreachable(a, "set up TLS", err, next)
	}
	if errors.Is(err, amqp.ErrCredentials) {
		if errors.Is(seen, syscall.ECONNRESET) {
			return targets.Unreachable(a, "log in", fmt.Errorf("%w (%w)", err, seen), credentialStep(a))
		}
		return targets.Unreachable(a, "log in", err, credentialStep(a))
	}
	if e, ok := errors.AsType[*amqp.Error](err); ok && !e.Server && seen != nil {
		return targets.Unreachable(a, "speak AMQP 0-9-1", seen, protocolStep(a))
	}
	if errors.Is(err, net.ErrClosed) {
		// Who listens there hung up so soon that the driver had closed its end
		// before it was done with setting it up.
		if seen == nil {
			seen = io.EOF
		}
		return targets.Unreachable(a, "speak AMQP 0-9-1", seen, protocolStep(a))
	}
	return Explain(a, "connect", err)
}

// Explain turns an error of the broker into a *targets.UnreachableError whose
// next step fits the cause. tried is what was being done. nil stays nil.
func Explain(a targets.Address, tried string, err error) error {
	e, ok := errors.AsType[*amqp.Error](err)
	if !ok {
		return targets.Unreachable(a, tried, err, "")
	}
	return targets.Unreachable(a, tried, err, step(a, e))
}

func step(a targets.Address, e *amqp.Error) string {
	user, vhost := a.URL.User.Username(), vhostOf(a)
	grant := fmt.Sprintf("grant the rights with: rabbitmqctl set_permissions -p %q %q '.*' '.*' '.*', or set another user in %s", vhost, user, setUser)
	switch {
	case e == amqp.ErrCredentials:
		return credentialStep(a)
	case e.Code == amqp.NotAllowed && strings.Contains(e.Reason, "not found"):
		return fmt.Sprintf("create the virtual host with: rabbitmqctl add_vhost %q, or set RABBITMQ_VHOST (or the path of RABBITMQ_URL) to one that exists", vhost)
	case e.Code == amqp.NotAllowed && strings.Contains(e.Reason, "limit"):
		return "the broker allows no more connections: close some, or raise the limit of the user or the virtual host"
	case e.Code == amqp.NotAllowed, e.Code == amqp.AccessRefused:
		return grant
	case e.Code == amqp.PreconditionFailed:
		return "a queue of that name exists with other properties: remove it with perfctl reset"
	case e.Code == amqp.FrameError, e.Code == amqp.SyntaxError:
		return protocolStep(a)
	}
	return ""
}

func credentialStep(a targets.Address) string {
	s := "check " + setUser
	if a.URL.User.Username() == "guest" && !loopbackHost(a.Host()) {
		s += "; RabbitMQ lets guest in from its own machine only: add a user of your own"
	}
	return s
}

func protocolStep(a targets.Address) string {
	s := "something else than AMQP 0-9-1 may listen there: check " + setPort
	if a.URL.Scheme == "amqp" {
		return s + ", and use amqps:// in RABBITMQ_URL if the port is for TLS"
	}
	return s
}

// tlsStep returns the next step for a failed TLS handshake, empty if err is
// something else.
func tlsStep(a targets.Address, err error) string {
	if a.URL.Scheme != "amqps" {
		return ""
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "the port does not speak TLS: use amqp:// in RABBITMQ_URL or the TLS port, usually 5671"
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "the broker's certificate is signed by an unknown authority: name it with ?cacertfile=FILE in RABBITMQ_URL"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "the broker's certificate is for another name: correct the host in RABBITMQ_URL or add ?server_name_indication=NAME"
	}
	if _, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		return "the broker's certificate is not valid: renew it"
	}
	if _, ok := errors.AsType[tls.AlertError](err); ok {
		return "the broker refused the TLS handshake: it may want a client's certificate, named with ?certfile=FILE&keyfile=FILE in RABBITMQ_URL"
	}
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
		return "the port closed the TLS handshake: use amqp:// in RABBITMQ_URL or the TLS port, usually 5671"
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return "check the files named in the query of RABBITMQ_URL"
	}
	return ""
}

func timedOut(err error) bool {
	n, ok := errors.AsType[net.Error](err)
	return ok && n.Timeout()
}

func loopbackHost(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// vhostOf returns the address's virtual host; an empty path means "/".
func vhostOf(a targets.Address) string {
	if v := strings.TrimPrefix(a.URL.Path, "/"); v != "" {
		return v
	}
	return "/"
}
