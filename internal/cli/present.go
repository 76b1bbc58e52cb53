package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/outputs"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/stream"
	"github.com/perfctl/perfctl/internal/summary"
)

// writer writes views as this process's streams show them now.
func (a *app) writer() *outputs.Writer {
	return &outputs.Writer{Stdout: a.Stdout, Color: a.Colour(a.OutTTY), Width: a.OutWidth(), Full: a.verbose}
}

// paintOut gives a text on stdout a colour, where there are any.
func (a *app) paintOut(code, text string) string { return a.Paint(a.OutTTY, code, text) }

// sender opens what a run sends while it goes on.
func (a *app) sender(p *run.Plan) *outputs.Sender {
	return &outputs.Sender{Plan: p, Version: a.version, Stdout: a.Stdout, LookupEnv: a.LookupEnv, Log: a.logger(), Interrupts: a.Interrupts}
}

// openStreams opens the streams of a run. One that goes to a terminal keeps the live
// view away: see run.
func (a *app) openStreams(ctx context.Context, p *run.Plan, all []outputs.Output) (*stream.Set, error) {
	s, err := a.sender(p).Streams(ctx, all)
	if err == nil && outputs.HaveStdout(all) {
		a.YieldStdout()
	}
	return s, err
}

// present prints the summary and turns its exit code, and that for outputs that were
// lost, into the command's.
func (a *app) present(s *summary.Summary, dir string, asJSON bool, lost int) error {
	code := exitcode.Worst(s.ExitCode, lost)
	if err := a.writer().Summary(s, dir, asJSON); err != nil {
		// Who reads stdout may be gone: what the run came to stands above that.
		return exitcode.With(exitcode.Worst(code, exitcode.Unexpected), err)
	}
	return verdict(code)
}

// completions are the choices of an output as a shell completes them, each with end
// behind its name.
func completions(all []outputs.Choice, end string) (out []string) {
	for _, c := range all {
		out = append(out, c.Name+end+"\t"+c.About)
	}
	return out
}

// completeOutputs completes the word before the equals sign of --out.
func completeOutputs(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return completions(outputs.Choices(), "="), cobra.ShellCompDirectiveNoSpace
}
