package outputs

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/perfctl/perfctl/internal/figure"
)

// WriteOwn writes what a script made of the summary: by the name of a file, or "stdout"
// or "stderr". It returns true where the script printed a summary of its own, in place of
// perfctl's; the report has that one.
func (w *Writer) WriteOwn(own map[string]string, stderr io.Writer, asJSON bool) (printed bool) {
	for _, name := range slices.Sorted(maps.Keys(own)) {
		switch name {
		case "stdout":
			if !asJSON {
				fmt.Fprintln(w.Stdout, strings.TrimRight(figure.Lines(own[name]), "\n"))
				printed = true
			}
		case "stderr":
			fmt.Fprintln(stderr, figure.Lines(own[name]))
		default:
			if err := os.WriteFile(name, []byte(own[name]), 0o600); err != nil {
				fmt.Fprintln(stderr, "warning: the summary of the script: "+figure.Lines(err.Error()))
			}
		}
	}
	return printed
}
