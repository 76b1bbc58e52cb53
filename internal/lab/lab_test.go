package lab

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
)

// leaveRunning makes the test binary start a Redis and wait to be killed.
const leaveRunning = "PERFCTL_TEST_LAB_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(leaveRunning); dir != "" {
		if _, err := Start(context.Background(), Options{Dir: dir}); err != nil {
			os.Exit(1)
		}
		_, _ = os.Stdout.WriteString("up\n")
		select {}
	}
	os.Exit(m.Run())
}

func needServers(t *testing.T) {
	t.Helper()
	if os.Getenv("PERFCTL_TEST_SERVERS") != "1" {
		t.Skip("needs servers: run make test")
	}
}

// openFolder returns a folder that every user may pass through, as servers need
// it that refuse to run as root; t.TempDir lies in one that only its owner may.
func openFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "perfctl-lab-test-") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	return dir
}

// inFolder returns the command lines of the processes that mention the folder.
func inFolder(t *testing.T, dir string) []string {
	t.Helper()
	dirs, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, d := range dirs {
		for _, f := range []string{"cmdline", "environ"} {
			data, err := os.ReadFile(filepath.Join("/proc", d.Name(), f))
			if err == nil && strings.Contains(string(data), dir) && d.Name() != "self" {
				out = append(out, d.Name()+" "+strings.ReplaceAll(string(data), "\x00", " "))
				break
			}
		}
	}
	return out
}

// eventually waits for a condition that processes make true in their own time.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for !ok() {
		select {
		case <-ctx.Done():
			t.Fatalf("never: %s", what)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func settingsOf(l *Lab) map[string]string {
	out := map[string]string{}
	for _, s := range l.Settings() {
		out[s.Name] = s.Value
	}
	return out
}

func TestALabAnswersIsRememberedAndLeavesNothing(t *testing.T) {
	needServers(t)
	dir := openFolder(t)
	l, err := Start(t.Context(), Options{Dir: dir, Detached: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Stop(context.Background()) })

	file := filepath.Join(t.TempDir(), "lab.json")
	if err := l.Save(file); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file with the passwords is %v (%v)", info.Mode(), err)
	}
	again, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(again.Pids()); n != 3 {
		t.Errorf("%d services run, want 3", n)
	}

	s := settingsOf(again)
	if err := askRabbitMQ(t.Context(), s["RABBITMQ_URL"]); err != nil {
		t.Errorf("RabbitMQ: %v", err)
	}
	for _, u := range []string{s["RABBITMQ_MANAGEMENT_URL"] + "/api/overview", s["RABBITMQ_PROMETHEUS_URL"] + "/metrics"} {
		checkPage(t, u, s["RABBITMQ_USER"], s["RABBITMQ_PASSWORD"])
	}
	checkHidden(t, l.dir, s)
	db, err := pgx.Connect(t.Context(), s["DATABASE_URL"])
	if err != nil {
		t.Fatal(err)
	}
	var fsync string
	if err := db.QueryRow(t.Context(), "SHOW fsync").Scan(&fsync); err != nil || fsync != "on" {
		t.Errorf("fsync is %q (%v): a benchmark without it is worth nothing", fsync, err)
	}
	_ = db.Close(t.Context())
	opts, err := redis.ParseURL(s["REDIS_URL"])
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(opts)
	if err := c.Ping(t.Context()).Err(); err != nil {
		t.Errorf("Redis: %v", err)
	}
	_ = c.Close()
	wrong := redis.NewClient(&redis.Options{Addr: opts.Addr, MaxRetries: -1})
	if err := wrong.Ping(t.Context()).Err(); err == nil {
		t.Error("Redis answers without a password")
	}
	_ = wrong.Close()

	if err := again.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := inFolder(t, l.dir); len(left) > 0 {
		t.Errorf("processes are left:\n%s", strings.Join(left, "\n"))
	}
	if _, err := os.Stat(l.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the lab's folder is still there: %v", err)
	}
	if _, err := Open(file); !errors.Is(err, ErrGone) {
		t.Errorf("opening a lab that was stopped: %v, want ErrGone", err)
	}
	if err := again.Stop(t.Context()); !errors.Is(err, ErrGone) {
		t.Errorf("stopping it again: %v, want ErrGone", err)
	}
}

// checkPage fails the test unless a page is there.
func checkPage(t *testing.T, address, user, password string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(user, password)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Error(err)
		return
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("%s answers %s", address, res.Status)
	}
}

// checkHidden fails the test if a process list shows a password.
func checkHidden(t *testing.T, dir string, settings map[string]string) {
	t.Helper()
	for _, p := range inFolder(t, dir) {
		for _, name := range []string{"RABBITMQ_PASSWORD", "DB_PASSWORD", "REDIS_PASSWORD"} {
			if strings.Contains(p, settings[name]) {
				t.Errorf("a process list shows %s", name)
			}
		}
	}
}

func TestATakenPortIsReplacedByAnother(t *testing.T) {
	needServers(t)
	var config net.ListenConfig
	busy, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	taken := busy.Addr().(*net.TCPAddr).Port
	for _, service := range Services() {
		t.Run(service, func(t *testing.T) {
			calls := 0
			choosePorts = func(n int) ([]int, error) {
				calls++
				ports, err := freePorts(n)
				if calls == 1 && err == nil {
					ports[0] = taken
				}
				return ports, err
			}
			defer func() { choosePorts = freePorts }()
			l, err := Start(t.Context(), Options{Services: []string{service}, Dir: openFolder(t)})
			if err != nil {
				t.Fatal(err)
			}
			if err := l.Stop(t.Context()); err != nil {
				t.Error(err)
			}
			if calls != 2 {
				t.Errorf("ports were chosen %d times, want 2", calls)
			}
		})
	}
}

func TestALabWhoseWatchdogWasKilledIsStillStopped(t *testing.T) {
	needServers(t)
	l, err := Start(t.Context(), Options{Services: []string{Redis, Postgres}, Dir: openFolder(t), Detached: true})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "lab.json")
	if err := l.Save(file); err != nil {
		t.Fatal(err)
	}
	for _, pid := range l.Pids() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	eventually(t, "the watchdogs are gone", func() bool { return len(l.Pids()) == 0 })
	again, err := Open(file)
	if err != nil {
		t.Fatalf("servers that run were given up: %v", err)
	}
	if err := again.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := inFolder(t, l.dir); len(left) > 0 {
		t.Errorf("processes are left:\n%s", strings.Join(left, "\n"))
	}
}

func TestStoppingWithoutTimeKillsEverything(t *testing.T) {
	needServers(t)
	l, err := Start(t.Context(), Options{Dir: openFolder(t)})
	if err != nil {
		t.Fatal(err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Stop(over); err != nil {
		t.Fatal(err)
	}
	eventually(t, "every process is gone", func() bool { return len(inFolder(t, l.dir)) == 0 })
	if _, err := os.Stat(l.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the lab's folder is still there: %v", err)
	}
}

func TestAnInterruptedStartLeavesNothing(t *testing.T) {
	needServers(t)
	dir := openFolder(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := Start(ctx, Options{Dir: dir, Progress: func(service, step string) {
		if service == Redis && step == "is ready" {
			cancel() // while RabbitMQ is still starting
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	eventually(t, "every process is gone", func() bool { return len(inFolder(t, dir)) == 0 })
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("the folder still holds %v", left)
	}
}

func TestServersDieWithPerfctl(t *testing.T) {
	needServers(t)
	dir := openFolder(t)
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), leaveRunning+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 3)); err != nil {
		t.Fatalf("the child did not start its lab: %v", err)
	}
	all := strings.Join(inFolder(t, dir), "\n")
	for _, want := range []string{"beam.smp", "epmd", "postgres", "redis-server"} {
		if !strings.Contains(all, want) {
			t.Errorf("no %s runs", want)
		}
	}
	_ = child.Process.Signal(syscall.SIGKILL)
	_ = child.Wait()
	eventually(t, "every server is gone", func() bool { return len(inFolder(t, dir)) == 0 })
}
