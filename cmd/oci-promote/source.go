package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/oci-promote/oci-promote/internal/action"
)

// source opens the directory to pack as a file system that nothing leads out of, and
// gives its path in the git repository. Without a workspace any directory will do.
func (c *command) source(r *action.Reader, workspace string) (fs.FS, string) {
	var rel string
	fsys := action.Get(r, "path", func(name string) (fs.FS, error) {
		dir, inside, err := resolveBelow(workspace, name)
		if err != nil {
			return nil, err
		}
		rel = filepath.ToSlash(inside)
		root, err := os.OpenRoot(dir)
		if err != nil {
			return nil, err
		}
		return root.FS(), nil
	})
	return fsys, rel
}

// resolveBelow finds the directory behind name, and its path inside workspace. It refuses
// one outside, also where a symlink leads there.
func resolveBelow(workspace, name string) (dir, inside string, err error) {
	dir = name
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(workspace, dir)
	}
	dir, err = filepath.EvalSymlinks(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", "", fmt.Errorf("%q does not exist; expected a directory, is there an actions/checkout step before this one?", name)
	case err != nil:
		return "", "", err
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return "", "", errors.Join(fmt.Errorf("%q is not a directory", name), err)
	}
	if workspace == "" {
		return dir, filepath.Clean(name), nil
	}
	base, err := filepath.EvalSymlinks(workspace)
	if err != nil {
		return "", "", fmt.Errorf("resolving the workspace: %w", err)
	}
	inside, err = filepath.Rel(base, dir)
	if err != nil || !filepath.IsLocal(inside) {
		return "", "", fmt.Errorf("%q is outside the workspace %s; expected a directory in it", name, workspace)
	}
	return dir, inside, nil
}
