package build

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"

	"github.com/oci-promote/oci-promote/internal/bundle"
)

// uploader is a repository that begins an upload before anybody knows whether it is needed.
type uploader interface {
	Upload(ctx context.Context, desc ocispec.Descriptor, content func() (io.ReadSeekCloser, error)) error
}

// upload is that of the layer, which goes on while the run still looks.
type upload struct {
	done   chan struct{}
	err    error
	cancel context.CancelFunc
}

// begin starts the upload of the layer. An upload that nobody needs in the end leaves a blob
// that nothing names, for the registry to clear away.
func (r *run) begin(ctx context.Context) *upload {
	ctx, cancel := context.WithCancel(ctx)
	u := &upload{done: make(chan struct{}), cancel: cancel}
	go func() {
		defer close(u.done)
		u.err = r.send(ctx, r.packed.Layer, func() io.ReadSeekCloser {
			return counted{r.packed.Open(), r.Upload, r.packed.Layer.Size}
		})
	}()
	return u
}

func (u *upload) wait() error {
	<-u.done
	return u.err
}

func (u *upload) stop() {
	u.cancel()
	<-u.done
}

// send uploads a blob, unless the registry has it.
func (r *run) send(ctx context.Context, desc ocispec.Descriptor, open func() io.ReadSeekCloser) (err error) {
	if u, ok := r.Repo.(uploader); ok {
		err = u.Upload(ctx, desc, func() (io.ReadSeekCloser, error) { return open(), nil })
	} else {
		err = r.Repo.Push(ctx, desc, open())
	}
	if err != nil && !errors.Is(err, errdef.ErrAlreadyExists) {
		return fmt.Errorf("uploading %s to %s: %w", desc.Digest, r.Name, err)
	}
	return nil
}

// config uploads the config blob, which is the same for every artifact, so that mostly the
// manifest of another one proves that it is there, or one request. Where that has another config, ours
// is hardly there, and the upload asks; where the registry does not tell, it is sent.
func (r *run) config(ctx context.Context, proven digest.Digest) error {
	desc, blob := bundle.Config()
	if proven == desc.Digest {
		return nil
	}
	if proven == "" {
		if there, err := r.store.Exists(ctx, desc); err == nil && there {
			return nil
		}
	}
	return r.send(ctx, desc, func() io.ReadSeekCloser { return nopCloser{bytes.NewReader(blob)} })
}

type nopCloser struct{ io.ReadSeeker }

func (nopCloser) Close() error { return nil }

// counted tells how far a layer has been read. It can seek, so that it can be sent again.
type counted struct {
	io.ReadSeekCloser
	tell  func(sent, total int64)
	total int64
}

func (c counted) Read(b []byte) (int, error) {
	n, err := c.ReadSeekCloser.Read(b)
	if at, seekErr := c.Seek(0, io.SeekCurrent); c.tell != nil && seekErr == nil {
		c.tell(at, c.total)
	}
	return n, err
}
