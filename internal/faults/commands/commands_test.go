package commands

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/perfctl/perfctl/internal/faults"
)

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func TestWhatIsBrokenIsMendedAndForgotten(t *testing.T) {
	dir, mark := filepath.Join(t.TempDir(), "records"), filepath.Join(t.TempDir(), "broken")
	f := &faults.Fault{Name: "own", Target: "http", Run: `echo "$PERFCTL_FAULT" > ` + mark, Undo: "rm " + mark}
	b, err := Break(t.Context(), dir, "r1", f)
	if err != nil || !exists(mark) {
		t.Fatal("it is not broken", err)
	}
	if left, err := Find(dir); err != nil || len(left) > 0 {
		t.Errorf("what a run still holds is found as left: %v, %v", left, err)
	}
	if err := b.Mend(t.Context()); err != nil || exists(mark) {
		t.Error("it is not mended", err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		t.Errorf("a record is left: %v, %v", files, err)
	}
}

func TestWhatAKilledRunLeftIsMendedLater(t *testing.T) {
	dir, mark := filepath.Join(t.TempDir(), "records"), filepath.Join(t.TempDir(), "broken")
	b, err := Break(t.Context(), dir, "r1", &faults.Fault{Name: "own", Target: "http", Run: "touch " + mark, Undo: "rm " + mark})
	if err != nil {
		t.Fatal(err)
	}
	_ = b.lock.Close() // as the kernel does with the process
	left, err := Find(dir)
	if err != nil || len(left) != 1 || left[0].String() != "the fault own of the run r1" {
		t.Fatalf("%v, %v", left, err)
	}
	if again, _ := Find(dir); len(again) > 0 {
		t.Error("two find it at the same time")
	}
	if err := left[0].Mend(t.Context()); err != nil || exists(mark) {
		t.Error("it is not mended", err)
	}
	left[0].Close()
	if again, _ := Find(dir); len(again) > 0 {
		t.Error("it is found when it is mended")
	}
}

func TestACommandThatFailsIsUndone(t *testing.T) {
	dir, mark := filepath.Join(t.TempDir(), "records"), filepath.Join(t.TempDir(), "broken")
	_, err := Break(t.Context(), dir, "r1", &faults.Fault{Name: "own", Run: "touch " + mark + "; echo no such host >&2; exit 3", Undo: "rm " + mark})
	if err == nil || !strings.Contains(err.Error(), "no such host") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("the error is %v", err)
	}
	if exists(mark) {
		t.Error("what half of it did is not undone")
	}
}

func TestARecordStaysWhereNothingMends(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "records")
	b, err := Break(t.Context(), dir, "r1", &faults.Fault{Name: "own", Run: "true", Undo: "false"})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Mend(t.Context()); err == nil || !strings.Contains(err.Error(), "perfctl reset") {
		t.Errorf("the error is %v", err)
	}
	if left, err := Find(dir); err != nil || len(left) != 1 {
		t.Errorf("%v, %v", left, err)
	}
}

func TestARecordThatOthersMayHaveWrittenIsNotFollowed(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "fault-1.json")
	if err := os.WriteFile(path, []byte(`{"run":"r","fault":"f","undo":"true"}`), 0o666); err != nil { //nolint:gosec // the point of it
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o666); err != nil { //nolint:gosec // as above
		t.Fatal(err)
	}
	if left, _ := Find(dir); len(left) > 0 {
		t.Error("it is")
	}
}

// A record is read or left alone, whatever it holds; nothing of it runs.
func FuzzRecord(f *testing.F) {
	f.Add([]byte(`{"run":"r","fault":"f","target":"http","undo":"true","folder":"/","begun":"2026-01-02T03:04:05Z"}`))
	f.Add([]byte(`{"undo":""}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "fault-1.json"), text, 0o600); err != nil {
			t.Fatal(err)
		}
		left, err := Find(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range left {
			if l.Undo == "" {
				t.Error("a record without a command is found")
			}
			l.Close()
		}
	})
}
