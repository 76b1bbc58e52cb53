package cli

import (
	"io"

	"github.com/perfctl/perfctl/internal/report"
	"github.com/perfctl/perfctl/internal/report/document"
	"github.com/perfctl/perfctl/internal/summary"
)

// suiteFormats are the views of a suite.
var suiteFormats = []string{"text", "json", "html", "markdown", "junit", "github"}

// suiteView writes one view of a suite.
func (a *app) suiteView(o output, s *summary.Suite) error {
	return a.toFile(o, func(w io.Writer) error {
		switch o.Format {
		case "json":
			text, err := s.Encode()
			if err == nil {
				_, err = w.Write(text)
			}
			return err
		case "junit":
			return report.JUnitSuite(w, s)
		case "github":
			return report.AnnotationsSuite(w, s)
		}
		return a.writeDocument(w, o.Format, document.Suite(s))
	})
}

// reportSuite shows a suite again.
func (a *app) reportSuite(s *summary.Suite, o output) error {
	if err := a.suiteView(o, s); err != nil {
		return err
	}
	return verdict(s.ExitCode)
}
