// Package bundle makes one program of a k6 script and of the files that it
// imports: TypeScript and modules taken away, every import resolved before
// anything runs. What the modules do lives elsewhere; nothing is downloaded.
package bundle

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// Global is the name of the variable that holds what the script exports.
const Global = "__script"

// Modules is the name of the variable that the script takes its modules from.
const Modules = "__modules"

// maxFile bounds a source file, in bytes.
const maxFile = 16 << 20

// Program is a script in one piece.
type Program struct {
	// Name is the script's file, as it was given.
	Name string
	// Dir is the folder that relative names of files are in.
	Dir string
	// Code is the program, with its source map.
	Code string
	// Imports are the modules of k6 that it imports, by name.
	Imports map[string]bool

	source string
}

// Place is where a name stands in the script's own file, as FILE:LINE: the first place
// at which the names follow one another, each before a colon or an equals sign. Where a
// name is not found, as one that comes from another file, it is the place of the one
// before it; empty where there is none at all.
func (p *Program) Place(path []string) string {
	at, found := 0, false
	for _, name := range path {
		re := regexp.MustCompile(`(?:^|[^\w$.])["'` + "`" + `]?(` + regexp.QuoteMeta(name) + `)["'` + "`" + `]?(?:\s*:\s*[\w.]+)?\s*[:=,}]`)
		m := re.FindStringSubmatchIndex(p.source[at:])
		if m == nil {
			break
		}
		at, found = at+m[2], true
	}
	if !found {
		return ""
	}
	return fmt.Sprintf("%s:%d", p.Name, strings.Count(p.source[:at], "\n")+1)
}

// Build reads the script and everything that it imports. All faults are
// returned at once, each with file, line and column.
func Build(path string) (*Program, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	source, err := os.ReadFile(abs)
	if err != nil {
		return nil, fmt.Errorf("read the script: %w", err)
	}
	if len(source) > maxFile {
		return nil, fmt.Errorf("%s is longer than %d bytes: that is no script", path, maxFile)
	}
	p := &Program{Name: path, Dir: filepath.Dir(abs), Imports: map[string]bool{}, source: string(source)}
	r := api.Build(api.BuildOptions{
		EntryPoints: []string{abs}, AbsWorkingDir: p.Dir, Outfile: filepath.Join(p.Dir, "script.js"),
		Bundle: true, Write: false, Format: api.FormatIIFE, GlobalName: Global,
		Platform: api.PlatformNeutral, MainFields: []string{"module", "main"}, Conditions: []string{"k6", "import", "default"},
		Target: api.ES2020, Supported: map[string]bool{"async-generator": false, "for-await": false},
		Sourcemap: api.SourceMapInline, SourcesContent: api.SourcesContentExclude,
		LogLevel: api.LogLevelSilent, Charset: api.CharsetUTF8, LegalComments: api.LegalCommentsNone,
		Loader:  map[string]api.Loader{".js": api.LoaderJS, ".ts": api.LoaderTS, ".json": api.LoaderJSON},
		Plugins: []api.Plugin{p.modules(), p.folders(abs)},
	})
	if len(r.Errors) > 0 {
		return nil, p.faults(r.Errors)
	}
	p.Code = string(r.OutputFiles[0].Contents)
	return p, nil
}

// faults makes one error of esbuild's.
func (p *Program) faults(list []api.Message) error {
	var errs []error
	for _, m := range list {
		place := p.Name
		if l := m.Location; l != nil {
			place = fmt.Sprintf("%s:%d:%d", p.place(l.File), l.Line, l.Column+1)
		}
		errs = append(errs, fmt.Errorf("%s: %s", place, plain(m.Text)))
	}
	return errors.Join(errs...)
}

// place is a file's name as the user would write it: beside the script's own.
func (p *Program) place(file string) string {
	if filepath.IsAbs(file) {
		if rel, err := filepath.Rel(p.Dir, file); err == nil {
			file = rel
		}
	}
	return filepath.Join(filepath.Dir(p.Name), file)
}

var noExport = regexp.MustCompile(`^No matching export in "` + space + `:([^"]+)" for import "([^"]+)"`)
var noFile = regexp.MustCompile(`^Could not resolve "([^"]+)"`)

// plain rewords what a user may meet most.
func plain(text string) string {
	if m := noExport.FindStringSubmatch(text); m != nil {
		return fmt.Sprintf("the module %q has no %q here%s", m[1], m[2], missing(m[1], m[2]))
	}
	if m := noFile.FindStringSubmatch(text); m != nil && strings.HasPrefix(m[1], ".") {
		return fmt.Sprintf("there is no file %q to import; the name must be whole, with its .js or .ts", m[1])
	} else if m != nil {
		return fmt.Sprintf("no module is named %q: put the file beside the script and import it as ./FILE.js", m[1])
	}
	return text
}

var opens = regexp.MustCompile(`\bopen\s*\(`)
var ownOpen = regexp.MustCompile(`function\s+open\b|\b(?:const|let|var)\s+open\b|[{,]\s*open\s*[,}]|import\s+open\b`)

// folders lets files of other folders open what is beside them.
func (p *Program) folders(entry string) api.Plugin {
	return api.Plugin{Name: "folders", Setup: func(b api.PluginBuild) {
		b.OnLoad(api.OnLoadOptions{Filter: `\.[cm]?[jt]s$`, Namespace: "file"}, func(a api.OnLoadArgs) (api.OnLoadResult, error) {
			dir := filepath.Dir(a.Path)
			if a.Path == entry || dir == p.Dir {
				return api.OnLoadResult{}, nil
			}
			data, err := os.ReadFile(a.Path)
			if err != nil {
				return api.OnLoadResult{}, err
			}
			text := string(data)
			if opens.MatchString(text) && !ownOpen.MatchString(text) {
				// On the first line, so that lines keep their numbers.
				text = fmt.Sprintf("const open = (name, mode) => __open(%q, name, mode); ", dir) + text
			}
			loader := api.LoaderJS
			if strings.HasSuffix(a.Path, "ts") {
				loader = api.LoaderTS
			}
			return api.OnLoadResult{Contents: &text, Loader: loader, ResolveDir: dir}, nil
		})
	}}
}
