// Package starter writes the files that a user starts from: the commented examples, and
// what a k6 script becomes. A file that is there is left as it is. What is in them is
// decided in configs, schema and scripts.
package starter

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/perfctl/perfctl/configs"
	"github.com/perfctl/perfctl/internal/schema"
	"github.com/perfctl/perfctl/internal/scripts"
)

// Folder is where files are written to, and made where it is not there.
type Folder struct {
	Dir string
	// Wrote is told of each file; kept says that it was there and was left.
	Wrote func(path string, kept bool)
}

// Examples writes the commented files, each with the schema by which editors complete it.
func (f *Folder) Examples(schemaText []byte) error {
	if err := f.write(schema.File, schemaText); err != nil {
		return err
	}
	head := "# yaml-language-server: $schema=" + schema.File + "\n"
	for _, name := range configs.Starters() {
		text, err := configs.Starter(name)
		if err != nil {
			return err
		}
		if err := f.write(name, append([]byte(head), text...)); err != nil {
			return err
		}
	}
	return nil
}

// Script writes what a k6 script becomes, and returns it: it says what was left out.
// lookup finds what its __ENV holds.
func (f *Folder) Script(ctx context.Context, path string, lookup func(name string) (string, bool)) (*scripts.Carried, error) {
	o, err := scripts.Load(ctx, path, lookup, scripts.Flags{})
	if err != nil {
		return nil, err
	}
	c, err := scripts.Carry(path, f.Dir, o)
	if err != nil {
		return nil, err
	}
	if err := f.write(c.Name+".yaml", []byte(c.Profile)); err != nil {
		return nil, err
	}
	if c.Flow != "" {
		err = f.write(c.Name+"-flow.yaml", []byte(c.Flow))
	}
	return c, err
}

func (f *Folder) write(name string, text []byte) error {
	if err := os.MkdirAll(f.Dir, 0o755); err != nil {
		return fmt.Errorf("make the folder: %w", err)
	}
	path := filepath.Join(f.Dir, name)
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		f.Wrote(path, true)
		return nil
	}
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	f.Wrote(path, false)
	return nil
}
