package lab

import (
	"os"
	"slices"
	"strings"
)

// inherited are the variables that a server takes over from perfctl. All
// others stay out: RABBITMQ_*, ERL_*, PG* and the like configure servers, and
// whoever load-tests them has some of these set for another one; passwords of
// other targets are no business of a throwaway server either.
var inherited = []string{"PATH", "LANG", "LANGUAGE", "TZ", "TMPDIR", "USER", "LOGNAME", "LD_LIBRARY_PATH"}

// systemPath is searched after the PATH: the servers' scripts need its tools
// also where perfctl was started with hardly any environment.
const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// serverEnv returns the environment of a server whose home folder is home, with
// what its maker adds.
func serverEnv(home string, added ...string) []string {
	return append(filterEnv(os.Environ()), append([]string{"HOME=" + home}, added...)...)
}

func filterEnv(environ []string) []string {
	path := systemPath
	var out []string
	for _, kv := range environ {
		name, value, _ := strings.Cut(kv, "=")
		switch {
		case name == "PATH" && value != "":
			path = value + ":" + systemPath
		case name == "PATH":
		case slices.Contains(inherited, name), strings.HasPrefix(name, "LC_"):
			out = append(out, kv)
		}
	}
	return append(out, "PATH="+path)
}
