package rundir_test

import (
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/perfctl/perfctl/internal/rundir"
)

// A reader who has the old file open keeps it whole, and the new one is there at once.
func TestReplaceLeavesReadersWhatTheyRead(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "view.html"), filepath.Join(dir, "link.html")
	if err := os.WriteFile(path, []byte("the old one"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	reader, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if err := rundir.Replace(link, []byte("new")); err != nil {
		t.Fatal(err)
	}
	if old, err := io.ReadAll(reader); err != nil || string(old) != "the old one" {
		t.Errorf("who was reading gets %q, %v", old, err)
	}
	now, err := os.ReadFile(path)
	if err != nil || string(now) != "new" {
		t.Errorf("the file is %q, %v", now, err)
	}
	info, err := os.Lstat(path)
	if err != nil || info.Mode() != 0o640 {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v, %v", info, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.tmp")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// A pipe stays one: whoever reads from it gets the text.
func TestReplaceWritesIntoPipes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 1)
	go func() {
		text, _ := os.ReadFile(path)
		got <- string(text)
	}()
	if err := rundir.Replace(path, []byte("through")); err != nil {
		t.Fatal(err)
	}
	if text := <-got; text != "through" {
		t.Errorf("the reader got %q", text)
	}
	if info, err := os.Lstat(path); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		t.Errorf("the pipe is gone: %v, %v", info, err)
	}
}
