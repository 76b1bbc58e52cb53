package targets

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// Config reads the files. host is the name that the server's certificate must be
// for where ServerName is empty. Its error names the file.
func (t *TLSFiles) Config(host string) (*tls.Config, error) {
	c := &tls.Config{ServerName: orElse(t.ServerName, host), MinVersion: tls.VersionTLS12}
	if t.CA != "" {
		pem, err := os.ReadFile(t.CA) //nolint:forbidigo // an authority is named by its file
		if err != nil {
			return nil, fmt.Errorf("read the authority's certificate: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate in PEM form", t.CA)
		}
	}
	switch {
	case t.Cert != "" && t.Key != "":
		pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		if err != nil {
			return nil, fmt.Errorf("read the client's certificate: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	case t.Cert != "" || t.Key != "":
		return nil, errors.New("a client's certificate needs both files, the certificate and its key")
	}
	switch {
	case t.Insecure:
		c.InsecureSkipVerify = true //nolint:gosec // the user asked for no check
	case t.AnyName:
		c.InsecureSkipVerify = true //nolint:gosec // the chain is checked below, the name is not by the user's wish
		c.VerifyConnection = func(s tls.ConnectionState) error { return verifyChain(c.RootCAs, s) }
	}
	return c, nil
}

// verifyChain checks that a certificate is signed by an authority and valid now.
func verifyChain(roots *x509.CertPool, s tls.ConnectionState) error {
	if len(s.PeerCertificates) == 0 {
		return errors.New("the server showed no certificate")
	}
	o := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
	for _, c := range s.PeerCertificates[1:] {
		o.Intermediates.AddCert(c)
	}
	_, err := s.PeerCertificates[0].Verify(o)
	return err
}
