package cli

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/perfctl/perfctl/internal/cli/terminal"
)

// planted is the middle of every secret that TestSecretsAreWrittenNowhere plants.
const planted = "pl4nted"

// inFolder runs a command line in a folder of its own.
func inFolder(t *testing.T, environ map[string]string, args ...string) (code int, written string) {
	t.Helper()
	var out, errs bytes.Buffer
	width := func() int { return 0 }
	a := &app{args: args, Terminal: &terminal.Terminal{
		Stdout: &out, Stderr: &errs, OutWidth: width, ErrWidth: width, ErrHeight: width, Interrupts: make(chan struct{}),
		LookupEnv: func(name string) (string, bool) { v, ok := environ[name]; return v, ok },
	}}
	code = a.main(t.Context())
	return code, out.String() + errs.String()
}

func TestSecretsAreWrittenNowhere(t *testing.T) {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A server that quotes what it was sent is where secrets come back from.
		http.Error(w, r.Header.Get("Authorization")+" "+r.URL.String(), http.StatusForbidden)
	}))
	defer api.Close()
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"tiny.yaml": "name: tiny\nscenarios: {api: 1}\nsettings:\n  api: {headers: 'X-Mine: in-" + planted + "-profile'}\nstages:\n  - {name: main, burst: 3}\n",
		"a.env":     "DB_PASSWORD=file-" + planted + "-db\nAPI_TOKEN=file-" + planted + "-token\nREDIS_PASSWORD=x\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	host := strings.TrimPrefix(api.URL, "http://")
	environ := map[string]string{
		"RABBITMQ_URL": "amqp://u:env-" + planted + "-mq@localhost/", "REDIS_URL": "redis://localhost?pwd=env-" + planted + "-redis",
		"PGPASSWORD": "env-" + planted + "-pg",
	}
	load := []string{
		"--env-file", "a.env", "-ve", "DB_PASSWORD=flag-" + planted + "-db", "-eRABBITMQ_PASSWORD=flag-" + planted + "-mq",
		"-e", "API_BASE_URL=http://me:url-" + planted + "-user@" + host + "/?access_key=url-" + planted + "-key",
		"--set", "api.headers=Authorization: Bearer 3|header-" + planted + " | Content-Type: text/plain",
		"--set", `api.body={"password":"body-` + planted + `-one","b":"body-` + planted + `-two"}`,
		"--set", "api.path=/a?token=path-" + planted,
		"--scrape", "app=http://me:scrape-" + planted + "@" + host + "/metrics?token=scrape-" + planted + "-two",
	}
	run := append([]string{"run", "tiny.yaml", "--run-dir", "r", "--out", "json=lines.json", "--out", "csv=lines.csv", "--out", "junit=junit.xml",
		"--out", "markdown=a.md", "--out", "html=a.html", "--out", "github=a.txt", "--out", "text=t.txt"}, load...)
	code, written := inFolder(t, environ, run...)
	if code != 99 && code != 111 {
		t.Fatalf("exit code %d: %s", code, written)
	}
	_, quoted := inFolder(t, environ, append([]string{"inspect", "tiny.yaml"}, load...)...)
	if !strings.Contains(quoted, "api.headers") {
		t.Fatalf("inspect: %s", quoted)
	}
	written += quoted
	for _, args := range [][]string{
		{"report", "r"}, {"report", "r", "--format", "json"},
		{"run", "tiny.yaml", "-e", "DB_PASSWORD " + planted},
		{"run", "tiny.yaml", "--set", "api.headers Authorization: " + planted},
		{"run", "tiny.yaml", "--set", "api.headers=Authorization " + planted},
		{"run", "tiny.yaml", "--set", "nothing.headers=Authorization: " + planted},
		{"run", "tiny.yaml", "-e", "DATABASE_URL=postgres://u:" + planted + "@ho st/x"},
		{"run", "smoke", "--scenario", "crud", "-e", "DATABASE_URL=postgres://u:" + planted + "x@localhost:1/x_test?options=-c%20a%3D" + planted + "&sslpassword=" + planted},
		{"run", "smoke", "--scenario", "cache", "--run-dir", "s", "-e", "REDIS_URL=redis://:" + planted + "x@localhost:1?pwd=" + planted},
		{"run", "tiny.yaml", "--out", "otlp=http://u:" + planted + "@otlp.invalid?token=" + planted},
	} {
		code, text := inFolder(t, nil, args...)
		if args[0] == "run" && code == 0 {
			t.Errorf("%q passes", args)
		}
		written += text
	}
	shows := func(where, text string) {
		for line := range strings.SplitSeq(text, "\n") {
			if i := strings.Index(line, planted); i >= 0 {
				t.Errorf("%s shows a secret: …%s…", where, line[max(0, i-80):min(len(line), i+60)])
			}
		}
	}
	shows("the terminal", written)
	err := filepath.Walk(".", func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() || path == "tiny.yaml" || path == "a.env" {
			return err
		}
		data, err := os.ReadFile(path)
		shows(path, string(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
