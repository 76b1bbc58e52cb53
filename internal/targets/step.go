package targets

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"syscall"
)

// Step is what a user can do about one cause of an error. Messages and the table
// in docs/troubleshooting.md are made of the same ones.
type Step struct {
	Kind Kind
	// Sign is how the cause shows: the begin of an answer, a code, or words.
	Sign string
	// Cause is what it means.
	Cause string
	// Next is what to do. Words in braces, as {user}, stand for the address's own.
	Next string
	// Match says whether an error has the cause.
	Match func(error) bool
}

// FindStep returns the first step whose cause an error has.
func FindStep(steps []Step, err error) (Step, bool) {
	for _, s := range steps {
		if s.Match(err) {
			return s, true
		}
	}
	return Step{}, false
}

// TLSWords are what the steps for TLS call things for one kind of target.
type TLSWords struct {
	// Server is what shows the certificate, as in "the broker".
	Server string
	// Plain is how TLS is switched off.
	Plain string
	// CA, Name, Client and Files are where the authority, the name in the
	// certificate, the client's certificate and any file are set.
	CA, Name, Client, Files string
}

// TLSSteps returns the steps for a TLS handshake that failed.
func TLSSteps(k Kind, w TLSWords) []Step {
	step := func(sign, cause, next string, match func(error) bool) Step {
		return Step{Kind: k, Sign: sign, Cause: cause, Next: next, Match: match}
	}
	return []Step{
		step("certificate signed by unknown authority", w.Server+"'s certificate is signed by an authority that this machine does not know",
			w.Server+"'s certificate is signed by an unknown authority: name it with "+w.CA, is[x509.UnknownAuthorityError]),
		step("certificate is valid for …, not …", w.Server+"'s certificate is for another name",
			w.Server+"'s certificate is for another name: correct the host, or "+w.Name, is[x509.HostnameError]),
		step("certificate has expired or is not yet valid", w.Server+"'s certificate is not valid now, or not for a server",
			w.Server+"'s certificate is not valid: renew it, and check the clocks of both machines", is[x509.CertificateInvalidError]),
		step("first record does not look like a TLS handshake", "the port does not speak TLS",
			"the port does not speak TLS: "+w.Plain, is[tls.RecordHeaderError]),
		step("remote error: tls: …", w.Server+" refused the handshake; mostly it wants a certificate from its clients",
			w.Server+" refused the TLS handshake: it may want a client's certificate; "+w.Client, alerted),
		step("no such file, permission denied", "a file named for TLS cannot be read", "check the files named in "+w.Files,
			func(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) }),
		step("TLS handshake: EOF, reset, no answer in time", "the port does not answer a TLS handshake: it speaks no TLS",
			"the port does not answer a TLS handshake, so it may speak none: "+w.Plain, unanswered),
	}
}

// HandshakeError is a TLS handshake that failed. It has no Unwrap on purpose: a
// driver that unwraps what its dialler returns would lose what was being done.
type HandshakeError struct{ cause error }

// Handshake marks the error of a TLS handshake.
func Handshake(err error) error { return &HandshakeError{err} }

// Error returns what was being done and the cause.
func (e *HandshakeError) Error() string { return "TLS handshake: " + e.cause.Error() }

// Is looks into the cause.
func (e *HandshakeError) Is(target error) bool { return errors.Is(e.cause, target) }

// As looks into the cause.
func (e *HandshakeError) As(target any) bool { return errors.As(e.cause, target) }

// unanswered says whether a handshake got no answer of TLS.
func unanswered(err error) bool {
	for _, e := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE, context.DeadlineExceeded, os.ErrDeadlineExceeded} {
		if is[*HandshakeError](err) && errors.Is(err, e) {
			return true
		}
	}
	return false
}

// alerted says whether the other side ended TLS with an alert, which may be as
// late as the first read.
func alerted(err error) bool {
	e, ok := errors.AsType[*net.OpError](err)
	return ok && e.Op == "remote error"
}

// is says whether an error is of a type.
func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
