package probe

import (
	"bufio"
	"bytes"
	"io"
	"strings"
)

// maxLine bounds one line of an answer, in bytes.
const maxLine = 256 << 10

// linesOf reads an answer in Prometheus's text format and keeps the lines of the
// metrics of those names; those of histograms and summaries have endings.
func linesOf(r io.Reader, names map[string]bool) (io.Reader, error) {
	var kept bytes.Buffer
	s := bufio.NewScanner(r)
	s.Buffer(nil, maxLine)
	for s.Scan() {
		if wanted(s.Bytes(), names) {
			kept.Write(s.Bytes())
			kept.WriteByte('\n')
		}
	}
	return &kept, s.Err()
}

func wanted(line []byte, names map[string]bool) bool {
	line = bytes.TrimLeft(line, " \t")
	if len(line) > 0 && line[0] == '#' {
		f := bytes.Fields(line[1:])
		return len(f) > 1 && (string(f[0]) == "TYPE" || string(f[0]) == "HELP") && names[string(f[1])]
	}
	end := bytes.IndexAny(line, "{ \t")
	if end == 0 {
		// The form {"name",label="value"}.
		line = bytes.TrimLeft(line[1:], " \t\"")
		end = bytes.IndexByte(line, '"')
	}
	if end < 0 {
		return len(line) > 0 // not a line of the format: the parser says so
	}
	name := string(line[:end])
	if names[name] {
		return true
	}
	for _, ending := range []string{"_sum", "_count", "_bucket"} {
		if base, ok := strings.CutSuffix(name, ending); ok && names[base] {
			return true
		}
	}
	return false
}
