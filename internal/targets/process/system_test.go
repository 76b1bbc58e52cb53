package process

import "testing"

func TestWhatAProgramIsGoesByItsName(t *testing.T) {
	for name, want := range map[string]string{"postgres": "postgres", "redis-server": "redis", "valkey": "redis", "beam.smp": "rabbitmq", "rabbitmq": "rabbitmq", "orders": "api"} {
		if got := (Watch{Name: name, Command: name}).System(); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if got := (Watch{Name: "db", Command: "postgres"}).System(); got != "postgres" {
		t.Errorf("db=postgres: %s", got)
	}
}
