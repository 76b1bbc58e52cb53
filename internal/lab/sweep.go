package lab

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
)

// ownerFile says in a lab's folder whose it is.
const ownerFile = "owner.json"

// owner is the process that started a lab.
type owner struct {
	Pid  int    `json:"pid"`
	Born string `json:"born"`
}

// own notes in a lab's folder that it is this process's.
func own(dir string) error {
	text, err := json.Marshal(owner{os.Getpid(), born(os.Getpid())})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, ownerFile), text, 0o600)
}

// Sweep removes what labs left in the system's folder for temporary files that nobody
// took down. A lab that starts does so, too.
func Sweep() { sweep(os.TempDir()) }

// sweep removes the folders of labs that nobody took down, as of a perfctl that was
// killed: those whose owner has ended and in which nothing runs. A folder that does not
// say whose it is stays.
func sweep(parent string) {
	dirs, err := filepath.Glob(filepath.Join(parent, dirPrefix+"*"))
	if err != nil {
		return
	}
	for _, dir := range dirs {
		if abandoned(dir) {
			_ = unmountBelow(dir)
			_ = os.RemoveAll(dir) // what cannot be removed is somebody else's
		}
	}
}

// abandoned says whether a folder is that of a lab that is over.
func abandoned(dir string) bool {
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() || !strings.HasPrefix(filepath.Base(dir), dirPrefix) {
		return false
	}
	text, err := os.ReadFile(filepath.Join(dir, ownerFile))
	var o owner
	if err != nil || json.Unmarshal(text, &o) != nil || o.Pid <= 1 || o.Born == "" || born(o.Pid) == o.Born {
		return false
	}
	return !inhabited(dir)
}
