package terminal

import (
	"errors"
	"os"
	"testing"
)

func TestAReaderThatGoesAwayIsNoError(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	out := UntilGone(w)
	if n, err := out.Write([]byte("read")); n != 4 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	_ = r.Close()
	for range 2 {
		if n, err := out.Write([]byte("not read")); n != 8 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	}
	broken := UntilGone(failing{})
	if _, err := broken.Write([]byte("x")); err == nil {
		t.Error("another error is none")
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("full") }
