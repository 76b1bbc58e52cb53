package lab

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// What a perfctl left that was killed is gone when the next lab starts; what somebody
// lives in, what is of a living perfctl, and what is of none stay.
func TestSweepRemovesWhatNobodyTookDown(t *testing.T) {
	parent := t.TempDir()
	folder := func(name, owner string) string {
		dir := filepath.Join(parent, name)
		if err := os.MkdirAll(filepath.Join(dir, "postgres"), 0o700); err != nil {
			t.Fatal(err)
		}
		if owner != "" {
			if err := os.WriteFile(filepath.Join(dir, ownerFile), []byte(owner), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	const ended = `{"pid": 4194304, "born": "a boot/12"}`
	killed := folder(dirPrefix+"killed", ended)
	ours := folder(dirPrefix+"ours", "")
	if err := own(ours); err != nil {
		t.Fatal(err)
	}
	lived := folder(dirPrefix+"lived-in", ended)
	server := exec.CommandContext(t.Context(), "/bin/sh", "-c", "read -r x")
	server.Dir = filepath.Join(lived, "postgres")
	in, err := server.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	unknown, other := folder(dirPrefix+"unknown", ""), folder("else", ended)
	sweep(parent)
	for dir, stays := range map[string]bool{killed: false, ours: true, lived: true, unknown: true, other: true} {
		if _, err := os.Stat(dir); (err == nil) != stays {
			t.Errorf("%s: it is there: %t, want %t", filepath.Base(dir), err == nil, stays)
		}
	}
	_ = in.Close()
	_ = server.Wait() // its end is all that matters
	sweep(parent)
	if _, err := os.Stat(lived); err == nil {
		t.Error("the folder stays after the last that lived in it")
	}
}
