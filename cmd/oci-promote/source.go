package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/oci-promote/oci-promote/internal/action"
	"github.com/oci-promote/oci-promote/internal/bundle"
)

// source opens the directory to pack as a file system that nothing leads out of, and gives its place
// on disk and its path in the git repository. Without a workspace any directory will do.
func (c *command) source(r *action.Reader, workspace string) (fsys fs.FS, dir, rel string) {
	fsys = action.Get(r, "path", func(name string) (fs.FS, error) {
		full, inside, err := resolveBelow(workspace, name)
		if err != nil {
			return nil, err
		}
		dir, rel = full, filepath.ToSlash(inside)
		root, err := bundle.OpenDir(dir)
		if err != nil {
			return nil, err
		}
		return root, nil
	})
	return fsys, dir, rel
}

// resolveBelow finds the directory behind name, and its path inside workspace. It refuses
// one outside, also where a symlink leads there.
func resolveBelow(workspace, name string) (dir, inside string, err error) {
	dir, inside, err = below(workspace, name, "a directory")
	if errors.Is(err, fs.ErrNotExist) {
		return "", "", &hinted{fmt.Errorf("%q does not exist; expected a directory", name),
			"in a workflow put an actions/checkout step before this one; by hand give path a directory that exists"}
	}
	if err != nil {
		return "", "", err
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return "", "", errors.Join(fmt.Errorf("%q is not a directory", name), err)
	}
	return dir, inside, nil
}

// below resolves a name in workspace, and its path inside. It refuses one outside, also where
// a symlink leads there. Without a workspace any name will do.
func below(workspace, name, what string) (full, inside string, err error) {
	full = name
	if !filepath.IsAbs(full) {
		full = filepath.Join(workspace, full)
	}
	if full, err = filepath.EvalSymlinks(full); err != nil {
		return "", "", err
	}
	if workspace == "" {
		return full, filepath.Clean(name), nil
	}
	base, err := filepath.EvalSymlinks(workspace)
	if err != nil {
		return "", "", fmt.Errorf("resolving the workspace: %w", err)
	}
	inside, err = filepath.Rel(base, full)
	if err != nil || !filepath.IsLocal(inside) {
		return "", "", fmt.Errorf("%q is outside the workspace %s; expected %s in it", name, workspace, what)
	}
	return full, inside, nil
}
