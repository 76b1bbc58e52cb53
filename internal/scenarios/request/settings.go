package request

import (
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/targets/httpapi"
)

// The settings of TLS, by their names.
const (
	keyCA       = "tls_ca"
	keyCert     = "tls_cert"
	keyKey      = "tls_key"
	keyServer   = "tls_server_name"
	keyInsecure = "tls_insecure"
)

// TLSSettings are the settings of every scenario that sends requests.
func TLSSettings() []scenarios.Option {
	return []scenarios.Option{
		{Key: keyCA, Type: scenarios.Text{}, Help: "HTTPS: file of the certificates (PEM) to trust in place of the system's"},
		{Key: keyCert, Type: scenarios.Text{}, Help: "HTTPS: file of the client's own certificate (PEM), for a server that asks for one"},
		{Key: keyKey, Type: scenarios.Text{}, Help: "HTTPS: file of the key (PEM) of tls_cert"},
		{Key: keyServer, Type: scenarios.Text{}, Help: "HTTPS: name expected on the server's certificate, in place of the host's"},
		{Key: keyInsecure, Default: "false", Type: scenarios.Bool{}, Help: "HTTPS: trust any certificate; for test systems only"},
	}
}

// TLS returns what the settings say.
func TLS(v *scenarios.Values) httpapi.TLS {
	return httpapi.TLS{
		CA: v.Text(0, keyCA), Certificate: v.Text(0, keyCert), Key: v.Text(0, keyKey),
		ServerName: v.Text(0, keyServer), Insecure: v.Bool(0, keyInsecure),
	}
}
