package report

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/summary"
)

// issue is an entry of GitLab's code-quality report.
type issue struct {
	Description string   `json:"description"`
	CheckName   string   `json:"check_name"`
	Fingerprint string   `json:"fingerprint"`
	Severity    string   `json:"severity"`
	Location    location `json:"location"`
}

type location struct {
	Path  string `json:"path"`
	Lines struct {
		Begin int `json:"begin"`
	} `json:"lines"`
}

// severities are the words of annotations as GitLab says them.
var severities = map[string]string{"error": "critical", "warning": "minor", "notice": "info"}

// CodeQuality writes what annotations tell as GitLab's code-quality report, which a merge
// request compares with that of its target branch: what stays as it was has the same
// fingerprint, whatever its figure. The profile stands where GitLab wants a file.
func CodeQuality(w io.Writer, s *summary.Summary) error {
	issues := []issue{}
	seen := map[string]int{}
	tell(s, func(command, title, text string) {
		seen[title]++
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d", s.Run.Profile, title, seen[title]))
		x := issue{Description: figure.Line(title + ": " + text), CheckName: figure.Line(title), Fingerprint: hex.EncodeToString(sum[:16]), Severity: severities[command]}
		x.Location.Path, x.Location.Lines.Begin = figure.Line(s.Run.Profile), 1
		issues = append(issues, x)
	})
	out, err := json.MarshalIndent(issues, "", "  ")
	if err == nil {
		_, err = w.Write(append(out, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write the code-quality report: %w", err)
	}
	return nil
}
