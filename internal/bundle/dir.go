package bundle

import (
	"cmp"
	"io/fs"
	"os"
	"slices"
	"syscall"
)

// Dir is a directory to pack. Nothing leads out of it, and opening a name never waits, also where a pipe
// has taken the place of a file.
type Dir struct{ root *os.Root }

// OpenDir opens the directory name, or the one that the symlink name leads to.
func OpenDir(name string) (Dir, error) {
	root, err := os.OpenRoot(name)
	return Dir{root}, err
}

// Close lets go of the directory.
func (d Dir) Close() error { return d.root.Close() }

// Open opens a file or directory for reading.
func (d Dir) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	f, err := d.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err // not a nil *os.File in an fs.File
	}
	return f, nil
}

// ReadDir reads a directory, in lexical order.
func (d Dir) ReadDir(name string) ([]fs.DirEntry, error) {
	f, err := d.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	if info, err := d.Lstat(name); err != nil || !info.IsDir() { // no symlink that has taken its place
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: syscall.ENOTDIR}
	}
	entries, err := f.(fs.ReadDirFile).ReadDir(-1)
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	return entries, err
}

// Stat follows symlinks, inside the directory only.
func (d Dir) Stat(name string) (fs.FileInfo, error) { return fs.Stat(d.root.FS(), name) }

// Lstat follows no symlink at the end of name.
func (d Dir) Lstat(name string) (fs.FileInfo, error) { return fs.Lstat(d.root.FS(), name) }

// ReadLink makes Dir an fs.ReadLinkFS, of which Lstat is the other half.
func (d Dir) ReadLink(name string) (string, error) { return fs.ReadLink(d.root.FS(), name) }
