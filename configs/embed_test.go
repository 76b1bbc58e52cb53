package configs

import (
	"errors"
	"io/fs"
	"testing"
)

func TestEveryListedProfileIsEmbedded(t *testing.T) {
	for _, name := range Profiles() {
		if file, data, err := Profile(name); err != nil || len(data) == 0 || file == "" {
			t.Errorf("%s: %q, %d bytes, %v", name, file, len(data), err)
		}
	}
	if _, _, err := Profile("none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v for a profile that is not there", err)
	}
	if _, data, err := SLA(); err != nil || len(data) == 0 {
		t.Errorf("the SLA tables: %d bytes, %v", len(data), err)
	}
}
