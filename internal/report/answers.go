package report

import (
	"encoding/json"
)

// answers is what the text view shows of a summary's analysis. Its whole form
// belongs to who found it.
type answers struct {
	Sentences []string `json:"sentences"`
	Findings  []struct {
		Severity string `json:"severity"`
		Title    string `json:"title"`
		Sentence string `json:"sentence"`
		Advice   string `json:"advice"`
	} `json:"findings"`
	CannotSay []struct {
		Question string `json:"question"`
		Because  string `json:"because"`
	} `json:"cannot_say"`
}

// answers writes what was found beyond the rules. An analysis of another form,
// or none, is left out.
func (p *page) answers(analysis json.RawMessage) {
	var a answers
	if len(analysis) == 0 || json.Unmarshal(analysis, &a) != nil {
		return
	}
	if len(a.Sentences) > 0 {
		p.head("answers")
		for _, s := range a.Sentences {
			p.wrapped(span{plain, "  "}, plain, s)
		}
	}
	if len(a.Findings) > 0 {
		p.head("red flags")
	}
	for _, f := range a.Findings {
		style := yellow
		if f.Severity == "critical" {
			style = red
		}
		p.wrapped(span{style, "  ! "}, plain, f.Title+": "+f.Sentence)
		if f.Advice != "" {
			p.wrapped(span{dim, "      → "}, style, f.Advice)
		}
	}
	if len(a.CannotSay) > 0 {
		p.head("cannot say")
		for _, u := range a.CannotSay {
			p.wrapped(span{yellow, "  ? "}, plain, u.Question+", because "+u.Because)
		}
	}
}
