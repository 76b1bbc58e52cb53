// Package tlstest makes certificates for tests: an authority, and what it signs.
package tlstest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Files are the PEM files of an authority.
type Files struct {
	CA   string
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// New makes an authority.
func New(t *testing.T) *Files {
	t.Helper()
	key := newKey(t)
	f := &Files{dir: t.TempDir(), key: key, cert: &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "perfctl test authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}}
	// Servers that run as another user read what is in here.
	if err := os.Chmod(f.dir, 0o755); err != nil { //nolint:gosec,forbidigo // certificates of a test
		t.Fatal(err)
	}
	f.CA = f.sign(t, "ca.pem", f.cert, key)
	return f
}

// Issue makes a certificate for 127.0.0.1 and the names, to be used by a server or
// a client until that time, and returns the files of it and of its key.
func (f *Files) Issue(t *testing.T, name string, until time.Time, names ...string) (cert, key string) {
	t.Helper()
	k := newKey(t)
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: names,
		NotBefore: until.Add(-24 * time.Hour), NotAfter: until,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if len(names) == 0 {
		c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return f.sign(t, name+".pem", c, k), f.write(t, name+".key", "PRIVATE KEY", der)
}

// Serve listens with a certificate until the test ends, shakes hands with whoever comes
// and says nothing more. It returns host and port.
func Serve(t *testing.T, cert, key string) string {
	t.Helper()
	return serve(t, cert, key, nil)
}

// ServePostgres does so for clients that ask for TLS as PostgreSQL's do (SSLRequest).
func ServePostgres(t *testing.T, cert, key string) string {
	t.Helper()
	return serve(t, cert, key, func(c net.Conn) {
		_, _ = io.ReadFull(c, make([]byte, 8))
		_, _ = c.Write([]byte("S"))
	})
}

func serve(t *testing.T, cert, key string, before func(net.Conn)) string {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.SetDeadline(time.Now().Add(2 * time.Second))
			if before != nil {
				before(c)
			}
			// A client that does not trust it ends it.
			_ = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}).HandshakeContext(t.Context())
			_ = c.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return l.Addr().String()
}

func (f *Files) sign(t *testing.T, file string, c *x509.Certificate, key *ecdsa.PrivateKey) string {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, f.cert, &key.PublicKey, f.key)
	if err != nil {
		t.Fatal(err)
	}
	return f.write(t, file, "CERTIFICATE", der)
}

func (f *Files) write(t *testing.T, file, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(f.dir, file)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o644); err != nil { //nolint:gosec,forbidigo // keys of a test
		t.Fatal(err)
	}
	return path
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}
