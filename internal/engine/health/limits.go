package health

import "runtime"

// Limits is what the system allows this process. A field that it does not tell
// is 0 or empty.
type Limits struct {
	// OpenFiles is the soft limit on open files.
	OpenFiles int64
	// PortLow and PortHigh bound the local ports of outgoing connections.
	PortLow, PortHigh int64
	// ClockSource is what the kernel reads time from; Synchronised says whether
	// its wall clock is disciplined.
	ClockSource  string
	Synchronised bool
	// CPUs is how many processors the process may use, Load the machine's load
	// average of the last minute.
	CPUs int
	Load float64
}

// ReadLimits asks the system.
func ReadLimits() Limits {
	l := readLimits()
	l.CPUs = runtime.GOMAXPROCS(0)
	return l
}
