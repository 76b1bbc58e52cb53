package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	// Where hang-ups are ignored, as under nohup, programs started here would ignore them,
	// too; what is caught is theirs to decide.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	testscript.Main(m, map[string]func(){"perfctl": main})
}

// serverSettings are the names under which scripts find the servers.
var serverSettings = []string{"RABBITMQ_URL", "DATABASE_URL", "REDIS_URL"}

// params are those of the scripts in a folder, which see some settings of the environment.
func params(dir string, settings ...string) testscript.Params {
	return testscript.Params{
		Dir:                 filepath.Join("testdata", dir),
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			for _, name := range settings {
				if v, ok := os.LookupEnv(name); ok {
					e.Setenv(name, v)
				}
			}
			e.Setenv("NO_COLOR", "1")
			scripts, err := filepath.Abs("../../scripts")
			if err != nil {
				return err
			}
			e.Setenv("SCRIPTS", scripts)
			api := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			e.Defer(api.Close)
			e.Setenv("API", api.URL)
			free, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			_, port, _ := net.SplitHostPort(free.Addr().String()) // an address of a listener
			e.Setenv("PORT", port)
			_ = free.Close() // it is for the script
			if u, err := url.Parse(os.Getenv("REDIS_URL")); err == nil && u.Host != "" {
				u.User = url.UserPassword("", "wr0ng")
				e.Setenv("WRONG_REDIS_URL", u.String())
			}
			if u, err := url.Parse(os.Getenv("DATABASE_URL")); err == nil && u.Host != "" {
				u.Path = "/nowhere_test"
				e.Setenv("MISSING_DATABASE_URL", u.String())
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "figure": equation, "cluster": playCluster, "emptied": emptied, "pods": pods},
	}
}

func TestCommands(t *testing.T) {
	testscript.Run(t, params("script"))
}

func TestRuns(t *testing.T) {
	if os.Getenv("PERFCTL_TEST_SERVERS") != "1" {
		t.Skip("needs servers: run make test")
	}
	testscript.RunT(inTurn{t}, params("servers", serverSettings...))
}
