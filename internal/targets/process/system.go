package process

import "strings"

// The targets that a watched program can be.
const (
	Postgres = "postgres"
	Redis    = "redis"
	RabbitMQ = "rabbitmq"
	API      = "api"
)

// System says which target a program is: by the name that it was given, or its own. The
// user chose the name, so that this is the one place where a name decides.
func (w Watch) System() string {
	if system := SystemNamed(w.Name); system != API {
		return system
	}
	return SystemNamed(w.Command)
}

// SystemNamed says which target a program of a name is; one of the user's own is the API.
func SystemNamed(name string) string {
	switch name = strings.ToLower(name); {
	case strings.Contains(name, "postgres"):
		return Postgres
	case strings.Contains(name, "redis"), strings.Contains(name, "valkey"):
		return Redis
	case strings.Contains(name, "rabbit"), strings.HasPrefix(name, "beam"):
		return RabbitMQ
	}
	return API
}
