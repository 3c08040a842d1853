package bundle

import (
	"archive/tar"
	"errors"
	"io"
	"io/fs"
	"path"
	"strings"
)

// file adds one regular file, and before it the directories above it that the
// archive does not have yet: git knows no empty directories, so neither do we.
func (p *packer) file(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	for _, dir := range p.parents {
		if strings.HasPrefix(name, dir+"/") {
			if err := p.header(&tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755}); err != nil {
				return err
			}
		}
	}
	p.parents = p.parents[:0]
	f, info, err := p.open(name)
	if err != nil {
		return refused(name, err)
	}
	defer func() { _ = f.Close() }()
	mode := int64(0o644)
	if info.Mode()&0o111 != 0 {
		mode = 0o755
	}
	if err := p.header(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: info.Size()}); err != nil {
		return err
	}
	n, err := io.CopyBuffer(p.tar, p.watch(reader{p, f}, info.Size()), p.buf)
	if errors.Is(err, tar.ErrWriteTooLong) || err == nil && n != info.Size() {
		err = errors.New("its size changed while it was packed" + quiet)
	}
	if err != nil {
		return refused(name, err)
	}
	if isPointer(p.small.Bytes()) {
		p.pointers.add(name)
	}
	p.contents.Files++
	p.tell()
	return nil
}

// watch keeps what is read of a small file.
func (p *packer) watch(content io.Reader, size int64) io.Reader {
	p.small.Reset()
	if size >= maxPointer {
		return content
	}
	return io.TeeReader(content, &p.small)
}

// open opens what was listed as a regular file, and sees that it still is one: no symlink that has taken its
// place is followed.
func (p *packer) open(name string) (fs.File, fs.FileInfo, error) {
	f, err := p.fsys.Open(name)
	if err != nil {
		return nil, nil, p.changed(name, 0, err)
	}
	info, err := f.Stat()
	if err == nil {
		err = p.changed(name, 0, nil)
	}
	if err == nil && !info.Mode().IsRegular() {
		err = errStopped
	}
	if err != nil {
		_ = f.Close()
	}
	return f, info, err
}

var errStopped = errors.New("something else took its place while it was packed" + quiet)

// changed is err unless what was listed under that name is gone or of another type: that tells more.
func (p *packer) changed(name string, listed fs.FileMode, err error) error {
	now, look := fs.Lstat(p.fsys, name)
	switch {
	case name == ".":
		return err
	case errors.Is(look, fs.ErrNotExist):
		return errors.New("it vanished while it was packed" + quiet)
	case look == nil && now.Mode().Type() != listed:
		return errStopped
	}
	return err
}

func (p *packer) tell() {
	if p.progress != nil {
		p.progress(p.contents.Files, p.contents.Bytes)
	}
}

func (p *packer) header(h *tar.Header) error {
	if err := p.tar.WriteHeader(h); err != nil {
		return refused(path.Clean(h.Name), err)
	}
	return nil
}

// reader counts what is packed, and stops with the context in the middle of a large
// file too. It hides what else a file can do, so that p.buf is what is copied through.
type reader struct {
	p *packer
	r io.Reader
}

func (r reader) Read(b []byte) (int, error) {
	if err := r.p.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.r.Read(b)
	r.p.contents.Bytes += int64(n)
	r.p.tell()
	return n, err
}

// counter counts the bytes that reach w.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}
