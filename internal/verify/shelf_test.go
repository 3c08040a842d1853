package verify

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/content/oci"

	"github.com/oci-promote/oci-promote/internal/bundle"
	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// shelf is a store, a layout on disk, whose artifacts have one letter each: the letter is the
// commit, a is older than b, and a' is other content of a's commit, and a0 does
// not tell its height. That of a is 1. h is
// somebody's artifact without annotations.
type shelf struct {
	*oci.Store
	dir     string
	digests map[string]digest.Digest
	asked   atomic.Int64           // manifests and tags
	before  func(tag string) error // of writing it; an error is a lost connection
	listed  func(*testing.T)       // after the list
	t       *testing.T
}

func newStore(t *testing.T) *shelf {
	t.Helper()
	dir := t.TempDir()
	store := must(oci.New(dir))
	store.AutoSaveIndex = false
	return &shelf{Store: store, dir: dir, digests: map[string]digest.Digest{}, t: t}
}

// newShelf makes a store from words: TAG=LETTER; @LETTER for a's sha- and integration- tags,
// +LETTER for its validated- tag.
func newShelf(t *testing.T, words string) *shelf {
	t.Helper()
	s := newStore(t)
	for word := range strings.FieldsSeq(words) {
		tag, letter, ok := strings.Cut(word, "=")
		switch kind := word[0]; {
		case ok:
			s.put(t, letter, tag)
		case kind == '@':
			s.put(t, word[1:], tagOf(pipeline.SHAPrefix, word[1:]), tagOf(pipeline.IntegrationPrefix, word[1:]))
		case kind == '+':
			s.put(t, word[1:], tagOf(pipeline.ValidatedPrefix, word[1:]))
		default:
			t.Fatalf("word %q", word)
		}
	}
	return s
}

func (s *shelf) put(t *testing.T, letter string, tags ...string) {
	t.Helper()
	if s.digests[letter] == "" {
		s.digests[letter] = s.make(t, letter).Desc.Digest
	}
	desc := must(s.Store.Resolve(t.Context(), s.digests[letter].String()))
	for _, tag := range tags {
		if err := s.Store.Tag(t.Context(), desc, tag); err != nil {
			t.Fatal(err)
		}
	}
}

// make brings an artifact without tags.
func (s *shelf) make(t *testing.T, letter string) *pipeline.Artifact {
	t.Helper()
	if letter == "h" {
		layer := must(oras.PushBytes(t.Context(), s.Store, "application/octet-stream", []byte("by hand")))
		return &pipeline.Artifact{Desc: must(oras.PackManifest(t.Context(), s.Store, oras.PackManifestVersion1_1, "application/vnd.example.foreign",
			oras.PackManifestOptions{Layers: []ocispec.Descriptor{layer}}))}
	}
	n, height := int(letter[0]), uint64(letter[0]-'a'+1)
	if strings.HasSuffix(letter, "0") {
		height = 0
	}
	return s.pack(t, n, height, letter)
}

// pack brings the artifact of the n-th commit, of that height and content.
func (s *shelf) pack(t *testing.T, n int, height uint64, text string) *pipeline.Artifact {
	t.Helper()
	a := must(bundle.Pack(t.Context(), fstest.MapFS{"app.yaml": {Data: []byte(text), Mode: 0o644}}, bundle.Options{}))
	defer func() { _ = a.Close() }()
	if err := a.Seal(bundle.Metadata{Created: timeOf(n), Revision: bundle.Revision{Ref: "main", Commit: commitNumber(n)}, Height: height}); err != nil {
		t.Fatal(err)
	}
	config, blob := bundle.Config()
	s.push(t, config, blob)
	s.push(t, a.Layer, must(content.ReadAll(a.Open(), a.Layer)))
	s.push(t, a.Descriptor, a.Manifest)
	return &pipeline.Artifact{Info: must(bundle.Parse(a.Manifest)), Desc: a.Descriptor, Manifest: a.Manifest}
}

func (s *shelf) push(t *testing.T, desc ocispec.Descriptor, blob []byte) {
	t.Helper()
	if ok := must(s.Exists(t.Context(), desc)); ok {
		return
	}
	if err := s.Push(t.Context(), desc, strings.NewReader(string(blob))); err != nil {
		t.Fatal(err)
	}
}

// lose deletes content behind the store's back.
func (s *shelf) lose(t *testing.T, d digest.Digest) {
	t.Helper()
	if err := os.Remove(filepath.Join(s.dir, "blobs", d.Algorithm().String(), d.Encoded())); err != nil {
		t.Fatal(err)
	}
}

// Resolve counts.
func (s *shelf) Resolve(ctx context.Context, tag string) (ocispec.Descriptor, error) {
	s.asked.Add(1)
	return s.Store.Resolve(ctx, tag)
}

// Tags lets others act after the list.
func (s *shelf) Tags(ctx context.Context, last string, fn func([]string) error) error {
	err := s.Store.Tags(ctx, last, fn)
	if s.listed != nil {
		s.listed(s.t)
	}
	return err
}

// Tag lets a test act before a write.
func (s *shelf) Tag(ctx context.Context, desc ocispec.Descriptor, tag string) error {
	if s.before != nil {
		if err := s.before(tag); err != nil {
			return err
		}
	}
	return s.Store.Tag(ctx, desc, tag)
}

func tagOf(prefix, letter string) string { return prefix + commitNumber(int(letter[0]))[:7] }

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// commitNumber is the n-th commit of a linear history, committed n minutes after epoch.
func commitNumber(n int) string { return strings.Repeat(fmt.Sprintf("%08x", 0xa0000000+n<<12), 5) }

func timeOf(n int) time.Time { return epoch.Add(time.Duration(n) * time.Minute) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
