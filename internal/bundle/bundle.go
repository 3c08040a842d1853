// Package bundle turns a directory into a Flux artifact, reproducibly, and reads
// such an artifact's manifest back.
//
// The format is Flux's (docs/facts.md 7, fluxcd/pkg oci and tar): an OCI image manifest
// with Flux's config type and one layer, a gzip-compressed tar.
package bundle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"runtime"
	"strconv"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Media types of a Flux artifact.
const (
	ConfigType = "application/vnd.cncf.flux.config.v1+json"
	LayerType  = "application/vnd.cncf.flux.content.v1.tar+gzip"
)

// ContentAnnotation holds the digest of the uncompressed tar, by which two
// artifacts of the same content are recognized whatever compressed them.
const ContentAnnotation = "io.github.oci-promote.content"

// HeightAnnotation holds the height of the commit, in decimal: how many commits lead to it, itself included.
const HeightAnnotation = "io.github.oci-promote.height"

// MaxHeight is the greatest height that is read back: what JSON and JavaScript still count exactly.
const MaxHeight = 1 << 53

// config is the blob that go-containerregistry writes for an image without
// configuration, and so the one of every artifact that flux pushed for years: 115
// bytes, sha256:5b943e2b… Sharing it saves its upload almost everywhere.
const config = `{"architecture":"","created":"0001-01-01T00:00:00Z","os":"","rootfs":{"type":"layers","diff_ids":null},"config":{}}`

// Config is the config blob of every artifact and its descriptor.
func Config() (ocispec.Descriptor, []byte) {
	blob := []byte(config)
	return ocispec.Descriptor{MediaType: ConfigType, Digest: digest.FromBytes(blob), Size: int64(len(blob))}, blob
}

// Options say how a directory is packed.
type Options struct {
	Ignore   []string                     // gitignore lines (ReadIgnore), after Flux's defaults and .sourceignore files
	Progress func(files int, bytes int64) // files done, bytes read; often; may be nil
}

// Metadata goes into the manifest's annotations.
type Metadata struct {
	Created  time.Time // the commit's time, so that the same commit gives the same digest
	Source   string    // URL of the git repository; may be empty
	Revision Revision
	Height   uint64            // of the commit, up to MaxHeight; 0 is left out
	Extra    map[string]string // further annotations; see CheckAnnotation
}

// Artifact is a packed directory that waits in a spool file to be pushed.
type Artifact struct {
	Manifest   []byte             // set by Seal
	Descriptor ocispec.Descriptor // of the manifest, set by Seal: its digest is the artifact's identity
	Layer      ocispec.Descriptor
	Contents   Contents
	spool      *os.File
	named      bool // the spool file still has a name to remove
}

// Pack packs fsys into a temporary file, never beside the source, which may be
// read-only. Close the artifact when done. The error is ErrEmpty when everything
// was ignored. The artifact has its layer, which may be sent, and no manifest before Seal.
func Pack(ctx context.Context, fsys fs.FS, o Options) (_ *Artifact, err error) {
	spool, err := os.CreateTemp("", "oci-promote-*.tar.gz")
	if err != nil {
		return nil, fmt.Errorf("making the spool file: %w", err)
	}
	// Where the system allows it the file loses its name at once: a killed run leaves nothing.
	a := &Artifact{spool: spool, named: os.Remove(spool.Name()) != nil}
	if a.Layer, a.Contents, err = pack(ctx, spool, fsys, o); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

// Seal gives the artifact its manifest, and with it its identity: the same files and the same m always give the same one.
func (a *Artifact) Seal(m Metadata) (err error) {
	a.Manifest, a.Descriptor, err = manifest(a.Layer, a.Contents.Digest, m)
	return err
}

func manifest(layer ocispec.Descriptor, content digest.Digest, m Metadata) ([]byte, ocispec.Descriptor, error) {
	annotations := map[string]string{
		ocispec.AnnotationCreated:  m.Created.UTC().Format(time.RFC3339),
		ocispec.AnnotationRevision: m.Revision.String(),
		ContentAnnotation:          content.String(),
	}
	if m.Source != "" {
		annotations[ocispec.AnnotationSource] = m.Source
	}
	if m.Height != 0 {
		annotations[HeightAnnotation] = strconv.FormatUint(m.Height, 10)
	}
	maps.Copy(annotations, m.Extra)
	cfg, _ := Config()
	blob, err := json.Marshal(ocispec.Manifest{
		Versioned:   specs.Versioned{SchemaVersion: 2},
		MediaType:   ocispec.MediaTypeImageManifest,
		Config:      cfg,
		Layers:      []ocispec.Descriptor{layer},
		Annotations: annotations,
	})
	return blob, ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromBytes(blob), Size: int64(len(blob))}, err
}

// Open gives the layer from its start. The reader can seek, so that a failed upload
// can be sent again; closing it leaves the artifact as it is.
func (a *Artifact) Open() io.ReadSeekCloser {
	return spoolReader{io.NewSectionReader(a.spool, 0, a.Layer.Size)}
}

type spoolReader struct{ *io.SectionReader }

func (spoolReader) Close() error { return nil }

// Close removes the spool file.
func (a *Artifact) Close() error {
	err := a.spool.Close()
	if a.named {
		err = errors.Join(err, os.Remove(a.spool.Name()))
	}
	return err
}

// concurrency is the number of blocks compressed at once. A few more than cores
// would only cost memory.
func concurrency() int { return min(runtime.GOMAXPROCS(0), 16) }
