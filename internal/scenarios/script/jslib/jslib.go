// Package jslib holds perfctl's own versions of helpers that k6 scripts import by
// URL, so that nothing is downloaded. What they need of the runtime comes from the
// modules of k6.
package jslib

import (
	"embed"
	"regexp"
)

//go:embed *.js
var files embed.FS

var known = []struct {
	url  *regexp.Regexp
	file string
}{
	{regexp.MustCompile(`jslib\.k6\.io/k6-utils/`), "k6-utils.js"},
	{regexp.MustCompile(`jslib\.k6\.io/k6-summary/`), "k6-summary.js"},
	{regexp.MustCompile(`jslib\.k6\.io/papaparse/|papaparse(\.min)?\.js`), "papaparse.js"},
	{regexp.MustCompile(`jslib\.k6\.io/formdata/`), "formdata.js"},
	{regexp.MustCompile(`jslib\.k6\.io/url/`), "url.js"},
	{regexp.MustCompile(`jslib\.k6\.io/k6chaijs/`), "k6chaijs.js"},
	{regexp.MustCompile(`jslib\.k6\.io/httpx/`), "httpx.js"},
	{regexp.MustCompile(`k6-reporter/`), "k6-reporter.js"},
}

// Find returns the file that stands in for what a URL leads to.
func Find(url string) (file string, ok bool) {
	for _, k := range known {
		if k.url.MatchString(url) {
			return k.file, true
		}
	}
	return "", false
}

// Source returns a file's text.
func Source(file string) string {
	b, err := files.ReadFile(file)
	if err != nil {
		panic("jslib: " + err.Error()) // Find names only what is there
	}
	return string(b)
}
