package bundle

import (
	"archive/tar"
	"bytes"
	"context"
	_ "crypto/sha256" // the digest algorithm of every artifact
	"errors"
	"io"
	"io/fs"
	"unicode/utf8"

	"github.com/klauspost/pgzip"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// These two decide the bytes of every layer; the number of cores does not. blockSize
// is what pgzip compresses by itself. Level 6 is a third of the standard library's time
// for 3 % more bytes, on manifests.
const (
	blockSize = 1 << 20
	level     = 6
)

// ErrEmpty means that nothing is left to pack.
var ErrEmpty = errors.New("no file is left to pack")

// Contents says what went into a layer and what did not.
type Contents struct {
	Files   int           // regular files packed
	Bytes   int64         // their size, uncompressed
	LeftOut int           // symlinks, devices, sockets and pipes: Flux's format has only files and directories
	Digest  digest.Digest // of the uncompressed tar: it survives a new compressor

	Warnings []string // what is packed, or not, and is hardly meant so; one line each
}

// pack writes the gzip-compressed tar of fsys to w and describes it. The same
// files give the same bytes on any machine: entries in lexical order, directories
// only where a packed file needs them, no times, no owners, mode 0644 or 0755
// by the executable bit. Memory does not grow with the tree.
func pack(ctx context.Context, w io.Writer, fsys fs.FS, o Options) (ocispec.Descriptor, Contents, error) {
	layer, plain := digest.Canonical.Digester(), digest.Canonical.Digester()
	size := &counter{w: io.MultiWriter(w, layer.Hash())}
	zip, err := pgzip.NewWriterLevel(size, level)
	if err != nil {
		return ocispec.Descriptor{}, Contents{}, err
	}
	if err := zip.SetConcurrency(blockSize, concurrency()); err != nil {
		return ocispec.Descriptor{}, Contents{}, err
	}
	p := &packer{ctx: ctx, fsys: fsys, tar: tar.NewWriter(io.MultiWriter(plain.Hash(), zip)),
		ignore: newIgnorer(o.Ignore), progress: o.Progress, buf: make([]byte, 256<<10)}
	if err = p.walk(); err == nil { // a tar that was left in the middle of a file has nothing to add
		err = p.tar.Close()
	}
	if closed := zip.Close(); err == nil { // it repeats the first failed write
		err = closed
	}
	if err == nil && p.contents.Files == 0 {
		err = ErrEmpty
	}
	p.contents.Digest = plain.Digest()
	for _, warning := range []string{comma(o.Ignore), notUTF8(&p.ignore.odd), foldersOpened(&p.ignore.open), pointersWarning(&p.pointers)} {
		if warning != "" {
			p.contents.Warnings = append(p.contents.Warnings, warning)
		}
	}
	return ocispec.Descriptor{MediaType: LayerType, Digest: layer.Digest(), Size: size.n}, p.contents, err
}

type packer struct {
	ctx      context.Context
	fsys     fs.FS
	tar      *tar.Writer
	ignore   *ignorer
	progress func(files int, bytes int64)
	contents Contents
	parents  []string // directories entered that have no tar entry yet
	pointers few      // files
	buf      []byte
	small    bytes.Buffer // the content of a small file
}

func (p *packer) walk() error {
	return fs.WalkDir(p.fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if stop := p.ctx.Err(); stop != nil {
			return stop
		}
		p.ignore.leave(name)
		switch {
		case err != nil:
			return refused(name, p.changed(name, fs.ModeDir, err)) // only directories are read here
		case name != "." && p.ignore.ignored(name, d.IsDir()):
			switch {
			case !d.IsDir():
				return nil
			case isSecret(name) || !p.ignore.negated():
				return fs.SkipDir
			}
			return p.enter(name) // a pattern may take back something in it
		case d.IsDir():
			return p.enter(name)
		case !d.Type().IsRegular():
			p.contents.LeftOut++
			return nil
		}
		return p.file(name)
	})
}

// enter begins a directory. Its entry waits for the first file in it.
func (p *packer) enter(name string) error {
	if !utf8.ValidString(name) { // fs.FS cannot read it
		return checkName(name)
	}
	if name != "." {
		p.parents = append(p.parents, name)
	}
	err := p.ignore.enter(p.fsys, name)
	if err != nil {
		if changed := p.changed(name, fs.ModeDir, nil); changed != nil {
			return refused(name, changed)
		}
	}
	return err
}
