package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
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
	for _, e := range []error{err, seen} {
		if next := tlsStep(a, e); next != "" {
			return targets.Unreachable(a, "set up TLS", e, next)
		}
	}
	if r, ok := errors.AsType[*targets.RefusedError](err); ok {
		return targets.Unreachable(a, "connect", errors.New(r.Target+": "+r.Reason), r.Next)
	}
	if errors.Is(seen, context.Canceled) || errors.Is(seen, context.DeadlineExceeded) || timedOut(seen) {
		return targets.Unreachable(a, "connect", seen, "")
	}
	if errors.Is(err, amqp.ErrSASL) {
		return targets.Unreachable(a, "log in", err, mechanismStep)
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
	case e == amqp.ErrSASL:
		return mechanismStep
	case e.Code == amqp.NotAllowed && strings.Contains(e.Reason, "not found"):
		return fmt.Sprintf("create the virtual host with: rabbitmqctl add_vhost %q, or set RABBITMQ_VHOST (or the path of RABBITMQ_URL) to one that exists", vhost)
	case e.Code == amqp.NotAllowed && strings.Contains(e.Reason, "limit"):
		return "the broker allows no more connections: close some, or raise the limit of the user or the virtual host"
	case e.Code == amqp.NotAllowed, e.Code == amqp.AccessRefused:
		return grant
	case e.Code == amqp.NotFound:
		return "declare it before the run, or correct its name"
	case e.Code == amqp.ResourceLocked:
		return "the queue is exclusive to another connection: end that one (rabbitmqctl list_queues name exclusive owner_pid), or use another queue"
	case e.Code == amqp.NotImplemented:
		return "the broker's version does not know a property or a type of the queue: use another type, or a newer RabbitMQ"
	case e.Code == amqp.InternalError:
		return "the broker failed: look at its log"
	case e.Code == amqp.PreconditionFailed:
		return "a queue of that name exists with other properties: remove it with perfctl reset"
	case e.Code == amqp.FrameError, e.Code == amqp.SyntaxError:
		return protocolStep(a)
	}
	return ""
}

func credentialStep(a targets.Address) string {
	if slices.Contains(a.URL.Query()["auth_mechanism"], "external") {
		return "the broker must have a user of the name in the client's certificate (its CN, unless ssl_cert_login_from says otherwise): rabbitmqctl add_user NAME, and set_permissions"
	}
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

var tlsSteps = targets.TLSSteps(targets.RabbitMQ, targets.TLSWords{
	Server: "the broker", Plain: "use amqp:// in RABBITMQ_URL or the TLS port, usually 5671",
	CA:     "RABBITMQ_TLS_CA=FILE (or ?cacertfile=FILE in RABBITMQ_URL), or check none with RABBITMQ_TLS_INSECURE=true",
	Name:   "say which with RABBITMQ_TLS_SERVER_NAME=NAME (or ?server_name_indication=NAME in RABBITMQ_URL)",
	Client: "name it with RABBITMQ_TLS_CERT=FILE and RABBITMQ_TLS_KEY=FILE (or ?certfile=FILE&keyfile=FILE in RABBITMQ_URL)",
	Files:  "RABBITMQ_TLS_CA, RABBITMQ_TLS_CERT and RABBITMQ_TLS_KEY (or the query of RABBITMQ_URL)",
})

const (
	filesStep     = "check RABBITMQ_TLS_CA, RABBITMQ_TLS_CERT and RABBITMQ_TLS_KEY (or the query of RABBITMQ_URL)"
	mechanismStep = "the broker offers none of the mechanisms in auth_mechanism (RABBITMQ_AUTH_MECHANISM): for external, enable the plugin rabbitmq_auth_mechanism_ssl and list EXTERNAL in auth_mechanisms of rabbitmq.conf; or leave it out"
)

// tlsStep returns the next step for a failed TLS handshake, empty if err is
// something else.
func tlsStep(a targets.Address, err error) string {
	if a.URL.Scheme != "amqps" || err == nil {
		return ""
	}
	if s, ok := targets.FindStep(tlsSteps, err); ok {
		return s.Next
	}
	return ""
}

// Steps returns what is known of the errors of RabbitMQ.
func Steps() []targets.Step {
	a := targets.Address{Kind: targets.RabbitMQ, URL: &url.URL{Scheme: "amqp", Host: "HOST", User: url.User("USER"), Path: "/VHOST"}}
	var out []targets.Step
	for _, x := range []struct {
		sign, cause string
		err         amqp.Error
	}{
		{"403 username or password not allowed, ACCESS_REFUSED at log-in", "the user or the password is wrong", *amqp.ErrCredentials},
		{"403 ACCESS_REFUSED", "the user lacks a right in the virtual host", amqp.Error{Code: amqp.AccessRefused}},
		{"404 NOT_FOUND", "the broker has no such queue or exchange", amqp.Error{Code: amqp.NotFound}},
		{"405 RESOURCE_LOCKED", "the queue belongs to another connection alone", amqp.Error{Code: amqp.ResourceLocked}},
		{"406 PRECONDITION_FAILED", "a queue exists with other properties", amqp.Error{Code: amqp.PreconditionFailed}},
		{"530 NOT_ALLOWED, vhost not found", "there is no such virtual host", amqp.Error{Code: amqp.NotAllowed, Reason: "vhost VHOST not found"}},
		{"530 NOT_ALLOWED, limit", "the user or the virtual host has no connection left", amqp.Error{Code: amqp.NotAllowed, Reason: "limit"}},
		{"SASL could not negotiate a shared mechanism", "the broker offers no mechanism that auth_mechanism names", *amqp.ErrSASL},
		{"501 FRAME_ERROR, 502 SYNTAX_ERROR", "the port speaks another protocol", amqp.Error{Code: amqp.FrameError}},
		{"540 NOT_IMPLEMENTED", "the broker's version knows no such thing", amqp.Error{Code: amqp.NotImplemented}},
		{"541 INTERNAL_ERROR", "the broker failed", amqp.Error{Code: amqp.InternalError}},
	} {
		out = append(out, targets.Step{Kind: targets.RabbitMQ, Sign: x.sign, Cause: x.cause, Next: step(a, orCredentials(&x.err))})
	}
	return append(out, tlsSteps...)
}

// orCredentials returns the driver's own value of the error of credentials.
func orCredentials(e *amqp.Error) *amqp.Error {
	for _, own := range []*amqp.Error{amqp.ErrCredentials, amqp.ErrSASL} {
		if *e == *own {
			return own
		}
	}
	return e
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
