package rundir

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Free returns the name of a directory below runs that is not there yet: what began
// when, as in runs/load-20260102-150405, with a number behind it where another one
// began in the same second.
func Free(what string, at time.Time) string {
	name := filepath.Join("runs", what+"-"+at.Format("20060102-150405"))
	free := name
	for i := 2; ; i++ {
		if _, err := os.Lstat(free); err != nil {
			return free
		}
		free = fmt.Sprintf("%s-%d", name, i)
	}
}
