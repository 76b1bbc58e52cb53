package scenarios

import (
	"fmt"
	"os"
)

// maxFile bounds a file that a setting names, in bytes: what is longer was not
// written by hand.
const maxFile = 1 << 20

// ReadFile reads a file that a setting names.
func ReadFile(path string) ([]byte, error) { return ReadUpTo(path, maxFile) }

// ReadUpTo reads a file of at most so many bytes.
func ReadUpTo(path string, most int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > most || info.IsDir() {
		return nil, fmt.Errorf("%s is no file of at most %d bytes", path, most)
	}
	return os.ReadFile(path)
}
