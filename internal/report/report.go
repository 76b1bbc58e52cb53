// Package report holds the views of a summary: text, JSON, JUnit XML, Markdown,
// annotations of GitHub, code quality of GitLab, k6's summary, and in html the page. It shows what others found; it
// reads no run directory, judges nothing and knows no target.
package report

import (
	"fmt"
	"io"

	"github.com/perfctl/perfctl/internal/summary"
)

// JSON writes the summary as summary.json holds it.
func JSON(w io.Writer, s *summary.Summary) error {
	text, err := s.Encode()
	if err == nil {
		_, err = w.Write(text)
	}
	if err != nil {
		return fmt.Errorf("write the summary: %w", err)
	}
	return nil
}
