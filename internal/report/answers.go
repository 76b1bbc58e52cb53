package report

import "github.com/perfctl/perfctl/internal/analysis"

// answers writes what was found beyond the rules; nothing for no analysis.
func (p *page) answers(a *analysis.Analysis) {
	if a == nil {
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
		if f.Severity == analysis.Critical {
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
