package lab

import (
	"context"
	"errors"
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
		if _, err := Start(context.Background(), Options{Services: []string{Redis}, Dir: dir}); err != nil {
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
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for p := dir; p != "/"; p = filepath.Dir(p) {
		_ = os.Chmod(p, 0o755) // the test's folder must be open to the servers' users
		if p == os.TempDir() {
			break
		}
	}
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
	eventually(t, "every process of the lab is gone", func() bool { return len(inFolder(t, l.dir)) == 0 })
	if _, err := os.Stat(l.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the lab's folder is still there: %v", err)
	}
	if _, err := Open(file); !errors.Is(err, ErrGone) {
		t.Errorf("opening a lab that was stopped: %v, want ErrGone", err)
	}
}

func TestServersDieWithPerfctl(t *testing.T) {
	needServers(t)
	dir := t.TempDir()
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
	if len(inFolder(t, dir)) == 0 {
		t.Fatal("no server runs")
	}
	_ = child.Process.Signal(syscall.SIGKILL)
	_ = child.Wait()
	eventually(t, "the server is gone", func() bool { return len(inFolder(t, dir)) == 0 })
}

func TestMissingProgramsAreNamedAtOnce(t *testing.T) {
	saved := finders
	defer func() { finders = saved }()
	none := func(pkg string) func() (maker, string) { return func() (maker, string) { return nil, pkg } }
	finders = map[string]func() (maker, string){RabbitMQ: none("rabbitmq-server"), Postgres: none("postgresql"), Redis: findRedis}
	_, err := Start(t.Context(), Options{Services: []string{RabbitMQ, Postgres}, Dir: t.TempDir()})
	for _, want := range []string{"rabbitmq, postgres", "apt-get install rabbitmq-server postgresql", "configs/compose.yaml"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
}

func TestUnknownServiceIsRefused(t *testing.T) {
	if _, err := Start(t.Context(), Options{Services: []string{"mongo"}}); err == nil || !strings.Contains(err.Error(), "mongo") {
		t.Errorf("got %v", err)
	}
}

func TestARecycledPidIsNotOurs(t *testing.T) {
	s := &server{Name: Redis, Pid: os.Getpid(), Born: "another boot/1"}
	if s.running() {
		t.Fatal("a process that began at another time was taken for the server")
	}
	if err := s.stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Born = born(os.Getpid())
	if !s.running() {
		t.Error("the very process is not recognised")
	}
}

func TestAServerThatFailsShowsItsLog(t *testing.T) {
	needServers(t)
	dir := t.TempDir()
	s := &server{Name: "broken", Log: filepath.Join(dir, "log"), dir: dir, Quit: syscall.SIGTERM,
		args: []string{"/bin/sh", "-c", "echo the disk is on fire; exit 1"}, ready: func(context.Context) error { return errors.New("no") }}
	if err := s.start(false); err != nil {
		t.Fatal(err)
	}
	if err := s.await(t.Context()); err == nil {
		t.Fatal("a server that ended is ready")
	}
	if tail := s.logTail(); !strings.Contains(tail, "the disk is on fire") {
		t.Errorf("log tail %q", tail)
	}
}

func TestNewestTakesTheHighestVersion(t *testing.T) {
	dir := t.TempDir()
	for _, v := range []string{"9.6", "15", "9"} {
		if err := os.MkdirAll(filepath.Join(dir, "pg", v, "bin"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if got := newest(filepath.Join(dir, "pg", "*", "bin")); !strings.HasSuffix(got, "15/bin") {
		t.Errorf("got %s", got)
	}
}
