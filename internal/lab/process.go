package lab

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// process is what the kernel tells about one.
type process struct {
	pid, parent, session int
	start                string // in the kernel's ticks since boot
}

// readProcess returns a process that runs; a zombie does not.
func readProcess(pid int) (process, bool) {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return process{}, false
	}
	// The second field, the name, may hold spaces and brackets; the fields
	// after its last bracket are those of proc(5) from the third on.
	text := string(data)
	f := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(f) < 20 || f[0] == "Z" || f[0] == "X" {
		return process{}, false
	}
	parent, err1 := strconv.Atoi(f[1])
	session, err2 := strconv.Atoi(f[3])
	return process{pid, parent, session, f[19]}, err1 == nil && err2 == nil
}

// born returns when a process began, in the kernel's ticks since boot, with
// the boot's identity; empty if it is gone or a zombie.
func born(pid int) string {
	p, ok := readProcess(pid)
	if !ok {
		return ""
	}
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(boot)) + "/" + p.start
}

// family returns the processes of a session and their descendants, whatever
// session these made for themselves, as far as they live in the lab's folder
// dir. The folder's name is random, so that a number which the kernel gave to
// somebody else's session in the meantime is never taken for ours.
func family(session int, dir string) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil || session <= 1 {
		return nil
	}
	children := map[int][]int{}
	var todo, out []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if p, ok := readProcess(pid); ok {
			children[p.parent] = append(children[p.parent], pid)
			if p.session == session {
				todo = append(todo, pid)
			}
		}
	}
	seen := map[int]bool{os.Getpid(): true}
	for len(todo) > 0 {
		pid := todo[0]
		todo = todo[1:]
		if seen[pid] {
			continue
		}
		seen[pid] = true
		if livesIn(pid, dir) {
			out = append(out, pid)
			todo = append(todo, children[pid]...)
		}
	}
	return out
}

// inhabited says whether any process lives in the folder. One that cannot be looked at
// may.
func inhabited(dir string) bool {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return true
	}
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil && livesIn(pid, dir) {
			return true
		}
	}
	return false
}

// livesIn says whether a process works in the folder or was told about it in
// its environment.
func livesIn(pid int, dir string) bool {
	proc := "/proc/" + strconv.Itoa(pid)
	if cwd, err := os.Readlink(proc + "/cwd"); err == nil {
		cwd = strings.TrimSuffix(cwd, " (deleted)")
		if cwd == dir || strings.HasPrefix(cwd, dir+string(filepath.Separator)) {
			return true
		}
	}
	environ, err := os.ReadFile(proc + "/environ")
	return err == nil && strings.Contains(string(environ), dir+string(filepath.Separator))
}
