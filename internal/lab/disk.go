package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// diskPrefix begins the name of a folder that is a file system of its own.
const diskPrefix = "disk-"

// prepareOn prepares a service in the lab's folder, or, where its disk is to be
// bounded, on a file system of its own below it. Its log stays in the lab's folder: a
// server whose disk is full can still say so.
func prepareOn(ctx context.Context, m maker, dir, service string, o Options, tell func(string)) (*server, error) {
	if !slices.Contains(o.Bounded, service) {
		return m.prepare(ctx, dir, tell)
	}
	disk := filepath.Join(dir, diskPrefix+service)
	if err := os.Mkdir(disk, 0o711); err == nil {
		if err := mountMemory(disk); err != nil {
			return nil, fmt.Errorf("make a disk for %s that can be filled: %w\n  next: it takes root, or the capability CAP_SYS_ADMIN, on Linux; without it, leave the fault disk-full out", service, err)
		}
	} else if !os.IsExist(err) { // it is there when a start is tried again
		return nil, err
	}
	s, err := m.prepare(ctx, disk, tell)
	if err != nil {
		return nil, err
	}
	s.Log = filepath.Join(dir, filepath.Base(s.Log))
	s.trouble(DiskFull, func(ctx context.Context, _ int) (Mend, error) {
		if err := fill(disk); err != nil {
			return nil, fmt.Errorf("fill the disk: %w", err)
		}
		s.diskChanged(ctx)
		return func(ctx context.Context) error {
			err := empty(disk)
			s.diskChanged(ctx)
			return err
		}, nil
	})
	return s, nil
}

// unmountBelow takes away the file systems that a lab's services had of their own.
func unmountBelow(dir string) error {
	disks, err := filepath.Glob(filepath.Join(dir, diskPrefix+"*"))
	if err != nil {
		return err
	}
	for _, d := range disks {
		if err := unmount(d); err != nil {
			return fmt.Errorf("unmount %s: %w", d, err)
		}
	}
	return nil
}

// diskChanged has a server look at its disk that else does so now and then.
func (s *server) diskChanged(ctx context.Context) {
	if s.lookAtDisk != nil {
		_ = s.lookAtDisk(ctx) // it looks by itself within seconds
	}
}
