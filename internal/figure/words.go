package figure

import (
	"strings"
	"time"
)

// Duration prints a length of time as people say it: 4m, 1h30m, without the zero
// parts.
func Duration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
