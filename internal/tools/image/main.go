// Command image writes an OCI archive of a static binary, for one or several processors,
// without a container engine. It knows nothing of perfctl but where the binary goes.
package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

func main() {
	out := flag.String("o", "image.tar", "the archive to write")
	name := flag.String("name", "perfctl:latest", "the image's name")
	authorities := flag.String("ca", "/etc/ssl/certs/ca-certificates.crt", "the certificates of authorities to put in, where the file is there")
	flag.Parse()
	if err := write(*out, *name, *authorities, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

// user owns what may be written to in the image, and is who its program runs as.
const user = 65532

// write writes the archive of binaries, each given as PROCESSOR=FILE.
func write(out, name, authorities string, binaries []string) (err error) {
	if len(binaries) == 0 {
		return errors.New("usage: image -o ARCHIVE -name NAME PROCESSOR=FILE…")
	}
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, b := range binaries {
		arch, file, ok := strings.Cut(b, "=")
		if !ok {
			return fmt.Errorf("%q: want PROCESSOR=FILE, as in amd64=bin/perfctl", b)
		}
		img, err := image(arch, file, authorities)
		if err != nil {
			return err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{
			MediaType: types.OCIManifestSchema1, Platform: &v1.Platform{OS: "linux", Architecture: arch},
		}})
	}
	dir, err := os.MkdirTemp(filepath.Dir(out), ".image-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	_, tag, _ := strings.Cut(name[strings.LastIndex(name, "/")+1:], ":")
	err = path.AppendIndex(index, layout.WithAnnotations(map[string]string{
		"io.containerd.image.name": name, "org.opencontainers.image.ref.name": tag,
	}))
	if err != nil {
		return err
	}
	return archive(dir, out)
}

// image makes the image of a binary for one processor.
func image(arch, file, authorities string) (v1.Image, error) {
	binary, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	files := []entry{
		{name: "usr/bin/perfctl", mode: 0o755, data: binary},
		{name: "etc/passwd", mode: 0o644, data: fmt.Appendf(nil, "root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:%d:%d:nonroot:/runs:/sbin/nologin\n", user, user)},
		{name: "tmp/", mode: 0o1777},
		{name: "runs/", mode: 0o755, owner: user},
	}
	certs, err := os.ReadFile(authorities)
	switch {
	case err == nil:
		files = append(files, entry{name: "etc/ssl/certs/ca-certificates.crt", mode: 0o644, data: certs})
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	text, err := tarOf(files)
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil }, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	if img, err = mutate.Append(img, mutate.Addendum{Layer: layer, History: v1.History{CreatedBy: "make image"}}); err != nil {
		return nil, err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", arch
	config.Config = v1.Config{
		User: fmt.Sprint(user), WorkingDir: "/", Entrypoint: []string{"/usr/bin/perfctl"}, Cmd: []string{"--help"}, Volumes: map[string]struct{}{"/runs": {}},
	}
	return mutate.ConfigFile(img, config)
}

// entry is a file or, with a slash behind its name, a folder of an image.
type entry struct {
	name  string
	mode  int64
	owner int
	data  []byte
}

// tarOf returns a layer. The same files make the same bytes.
func tarOf(files []entry) ([]byte, error) {
	var b bytes.Buffer
	t := tar.NewWriter(&b)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Mode: f.mode, Uid: f.owner, Gid: f.owner, Size: int64(len(f.data)), Typeflag: tar.TypeReg, ModTime: time.Unix(0, 0)}
		if strings.HasSuffix(f.name, "/") {
			h.Typeflag = tar.TypeDir
		}
		if err := t.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := t.Write(f.data); err != nil {
			return nil, err
		}
	}
	err := t.Close()
	return b.Bytes(), err
}

// archive writes a folder as a tar file.
func archive(dir, out string) (err error) {
	f, err := os.Create(out + ".new")
	if err != nil {
		return err
	}
	t := tar.NewWriter(f)
	err = errors.Join(t.AddFS(os.DirFS(dir)), t.Close(), f.Close())
	if err != nil {
		return errors.Join(err, os.Remove(out+".new"))
	}
	return os.Rename(out+".new", out)
}
