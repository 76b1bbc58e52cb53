package document

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/perfctl/perfctl/internal/report"
)

// Markdown writes a document for a pull request's comment or a job's summary page, in
// GitHub's dialect.
func Markdown(w io.Writer, d *Document) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "## %s\n\n**%s**\n", strings.TrimSpace(d.Tone.mark()+" "+report.Escape(d.Title)), report.Escape(d.Lead))
	if d.Meta != "" {
		fmt.Fprintf(b, "\n<sub>%s</sub>\n", report.Escape(d.Meta))
	}
	for i := range d.Blocks {
		d.Blocks[i].markdown(b)
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write Markdown: %w", err)
	}
	return nil
}

func (x *Block) markdown(b *bufio.Writer) {
	switch {
	case x.Folded:
		fmt.Fprintf(b, "\n<details><summary>%s</summary>\n", report.Escape(x.Heading))
	case x.Heading != "":
		fmt.Fprintf(b, "\n### %s\n", report.Escape(x.Heading))
	}
	for i, t := range x.Texts {
		if i == 0 {
			fmt.Fprintln(b)
		}
		fmt.Fprintf(b, "- %s\n", strings.TrimSpace(t.Tone.mark()+" "+report.Escape(t.Text)))
	}
	if t := x.Table; t != nil {
		t.markdown(b)
	}
	if x.Folded {
		fmt.Fprint(b, "\n</details>\n")
	}
}

func (t *Table) markdown(b *bufio.Writer) {
	fmt.Fprint(b, "\n|")
	for _, c := range t.Columns {
		fmt.Fprintf(b, " %s |", report.Escape(c.Name))
	}
	fmt.Fprint(b, "\n|")
	for _, c := range t.Columns {
		if c.Right {
			fmt.Fprint(b, " --: |")
		} else {
			fmt.Fprint(b, " --- |")
		}
	}
	fmt.Fprintln(b)
	for _, row := range t.Rows {
		fmt.Fprint(b, "|")
		for _, c := range row {
			text := report.Escape(c.Text)
			if c.Line != nil {
				text = spark(c.Line)
			}
			fmt.Fprintf(b, " %s |", strings.TrimSpace(c.Tone.mark()+" "+text))
		}
		fmt.Fprintln(b)
	}
}
