package cluster

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Manifest is what a shard is told of its run besides secrets.
type Manifest struct {
	Run    string `json:"run"`
	Shards int    `json:"shards"`
	// Version is that of the perfctl that made it.
	Version string `json:"version"`
	// Args are the profile and the flags of perfctl run, those with secrets excepted.
	Args []string `json:"args"`
	// Folder is the working folder, to which paths in the arguments are relative.
	Folder string `json:"folder"`
	// Hold is how long a shard whose run is over waits to be collected, and Barrier how
	// long one that is ready waits for its start.
	Hold    time.Duration `json:"hold"`
	Barrier time.Duration `json:"barrier"`
}

// File is a file that a plan is made of.
type File struct {
	// Path is where it is on the machine of the command; it is absolute.
	Path string `json:"path"`
	Data []byte `json:"data"`
}

// Private is what a shard is told that is secret: it travels in the Secret.
type Private struct {
	// Args are arguments of perfctl run.
	Args []string `json:"args,omitempty"`
	// Files are files that hold secrets.
	Files []File `json:"files,omitempty"`
	// Key encrypts what the first shard hands over to the others.
	Key []byte `json:"key"`
}

// MostPrivate bounds what is private, in bytes: it is one variable of the environment.
const MostPrivate = 120 << 10

// manifestName is the manifest's name in a parcel; files lie below filesFolder, at the
// paths that they had.
const (
	manifestName = "manifest.json"
	filesFolder  = "files"
)

// MostParcel bounds a parcel, in bytes: the API server takes objects of 1 MiB.
const MostParcel = 900 << 10

// Pack makes a parcel of a manifest and files. The same ones make the same bytes.
func Pack(m *Manifest, files []File) ([]byte, error) {
	head, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	t := tar.NewWriter(z)
	add := func(name string, data []byte) error {
		if err := t.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(data))}); err != nil {
			return err
		}
		_, err := t.Write(data)
		return err
	}
	if err := add(manifestName, head); err != nil {
		return nil, err
	}
	files = slices.Clone(files)
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	for _, f := range files {
		if err := add(filesFolder+filepath.ToSlash(filepath.Clean(f.Path)), f.Data); err != nil {
			return nil, fmt.Errorf("pack %s: %w", f.Path, err)
		}
	}
	if err := errors.Join(t.Close(), z.Close()); err != nil {
		return nil, err
	}
	if out.Len() > MostParcel {
		return nil, &ParcelError{Size: out.Len()}
	}
	return out.Bytes(), nil
}

// ParcelError says that files do not fit into an object.
type ParcelError struct{ Size int }

// Error says how large they are.
func (e *ParcelError) Error() string {
	return fmt.Sprintf("the profile and the files that it reads take %d KiB packed, and an object in a cluster holds %d: put large files into the image and name them by their path there",
		e.Size>>10, MostParcel>>10)
}

// ParcelHash returns the hash by which a command and its shards know that they have one
// plan.
func ParcelHash(parcel []byte) string {
	sum := sha256.Sum256(parcel)
	return hex.EncodeToString(sum[:16])
}

// Unpack writes a parcel's files below a folder, and returns the manifest and the
// folder that stands for the root of the machine they came from.
func Unpack(parcel []byte, into string) (m *Manifest, root string, err error) {
	z, err := gzip.NewReader(bytes.NewReader(parcel))
	if err != nil {
		return nil, "", fmt.Errorf("unpack the plan: %w", err)
	}
	if err := os.MkdirAll(into, 0o700); err != nil {
		return nil, "", err
	}
	place, err := os.OpenRoot(into)
	if err != nil {
		return nil, "", err
	}
	defer func() { err = errors.Join(err, place.Close()) }()
	t := tar.NewReader(io.LimitReader(z, 1<<30))
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, "", fmt.Errorf("unpack the plan: %w", err)
		}
		data, err := io.ReadAll(t)
		if err != nil {
			return nil, "", fmt.Errorf("unpack the plan: %w", err)
		}
		if h.Name == manifestName {
			m = &Manifest{}
			if err := json.Unmarshal(data, m); err != nil {
				return nil, "", fmt.Errorf("unpack the plan: %w", err)
			}
			continue
		}
		name := filepath.FromSlash(h.Name)
		if err := place.MkdirAll(filepath.Dir(name), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, "", err
		}
		if err := place.WriteFile(name, data, 0o600); err != nil {
			return nil, "", err
		}
	}
	if m == nil {
		return nil, "", errors.New("unpack the plan: it has no manifest")
	}
	return m, filepath.Join(into, filesFolder), nil
}
