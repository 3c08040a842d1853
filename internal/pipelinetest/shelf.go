// Package pipelinetest has what the tests of all modes need: real stores whose artifacts
// have one letter each, a linear history, and stores that are slow or lose a connection.
package pipelinetest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content/oci"

	"github.com/oci-promote/oci-promote/internal/bundle"
	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/version"
)

// Name is that of the repository in reports.
const Name = "registry.test/acme/fleet"

// Epoch is when the history began.
var Epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Commit is the n-th commit of a linear history, whose height is n, committed n minutes
// after Epoch.
func Commit(n int) string { return strings.Repeat(fmt.Sprintf("%08x", 0xa0000000+n<<12), 5) }

// Number is the n of a letter: a is the first commit, b the second.
func Number(letter string) int { return int(letter[0]-'a') + 1 }

// CommitOf is the commit of a letter.
func CommitOf(letter string) string { return Commit(Number(letter)) }

// Tag is a tag of the commit of a letter.
func Tag(prefix, letter string) string { return prefix + CommitOf(letter)[:7] }

// Clusters select as the README has it.
func Clusters() pipeline.Clusters {
	return pipeline.Clusters{Integration: Must(version.ParseConstraint(">= 0.0.0-0")), Live: Must(version.ParseConstraint(">= 0.0.0"))}
}

// Must is v, where there cannot be an error.
func Must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Tree is a directory with one file.
func Tree(text string) fs.FS {
	return fstest.MapFS{"app.yaml": {Data: []byte(text), Mode: 0o644}}
}

// Line is a linear history of numbered commits, or one that cannot be asked.
type Line struct {
	Err  error
	Said []string // messages of the commits since the stable
}

// Compare tells the order of two commits.
func (l Line) Compare(_ context.Context, commit, base string) (string, error) {
	return []string{"behind", "identical", "ahead"}[strings.Compare(commit, base)+1], l.Err
}

// Messages are what the history says.
func (l Line) Messages(context.Context, string, string, string) ([]string, error) {
	return l.Said, l.Err
}

// Store is a real store, a layout on disk, that lets a test act around each tag.
type Store struct {
	*oci.Store
	Before func(tag string) error // of writing it; an error is a lost connection
	After  func(tag string)
	Dir    string
}

// NewStore makes an empty one.
func NewStore(t testing.TB) *Store {
	t.Helper()
	return OpenStore(t, t.TempDir())
}

// OpenStore opens one.
func OpenStore(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := oci.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	s.AutoSaveIndex = false // it would be written with every tag; Lose saves it
	return &Store{Store: s, Dir: dir}
}

// Tag names what the store has.
func (s *Store) Tag(ctx context.Context, desc ocispec.Descriptor, tag string) error {
	if s.Before != nil {
		if err := s.Before(tag); err != nil {
			return err
		}
	}
	err := s.Store.Tag(ctx, desc, tag)
	if err == nil && s.After != nil {
		s.After(tag)
	}
	return err
}

// Lose deletes content behind the store's back, which has to be opened again.
func (s *Store) Lose(t testing.TB, d digest.Digest) {
	t.Helper()
	if err := s.SaveIndex(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(s.Dir, "blobs", d.Algorithm().String(), d.Encoded())); err != nil {
		t.Fatal(err)
	}
}

// Name gives an artifact that the store has one more tag, as a person might.
func (s *Store) Name(t testing.TB, from, tag string) {
	t.Helper()
	desc, err := s.Resolve(t.Context(), from)
	if err == nil {
		err = s.Store.Tag(t.Context(), desc, tag)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Tags maps each tag of a store to its digest.
func Tags(t testing.TB, repo pipeline.Repository) map[string]string {
	t.Helper()
	tags := map[string]string{}
	err := repo.Tags(t.Context(), "", func(page []string) error {
		for _, tag := range page {
			desc, err := repo.Resolve(t.Context(), tag)
			if err != nil {
				return err
			}
			tags[tag] = desc.Digest.String()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return tags
}

// Shelf is a store whose artifacts have one letter each: the letter is the commit, a is the
// first, b the second. a' is other content of a's commit, a* the artifact of a that another
// tool made, without a height, a~ one in Flux's format without any annotation, and a? one whose
// revision is nonsense. 0 is somebody's artifact in no format of Flux's,
// 9 one whose layer begins as gzip.
type Shelf struct {
	*Store
	Digests map[string]digest.Digest
}

// NewShelf makes a store from words: TAG=LETTER; @LETTER for a's sha- and integration- tags,
// +LETTER for its validated- tag.
func NewShelf(t testing.TB, words string) *Shelf {
	t.Helper()
	s := &Shelf{NewStore(t), map[string]digest.Digest{}}
	for word := range strings.FieldsSeq(words) {
		tag, letter, ok := strings.Cut(word, "=")
		switch kind := word[0]; {
		case ok:
			s.Put(t, letter, tag)
		case kind == '@':
			s.Put(t, word[1:], Tag(pipeline.SHAPrefix, word[1:]), Tag(pipeline.IntegrationPrefix, word[1:]))
		case kind == '+':
			s.Put(t, word[1:], Tag(pipeline.ValidatedPrefix, word[1:]))
		default:
			t.Fatalf("word %q", word)
		}
	}
	return s
}

// Put has an artifact there, and names it.
func (s *Shelf) Put(t testing.TB, letter string, tags ...string) {
	t.Helper()
	if s.Digests[letter] == "" {
		s.Digests[letter] = s.make(t, letter)
	}
	desc := Must(s.Resolve(t.Context(), s.Digests[letter].String()))
	for _, tag := range tags {
		if err := s.Store.Store.Tag(t.Context(), desc, tag); err != nil {
			t.Fatal(err)
		}
	}
}

func (s *Shelf) make(t testing.TB, letter string) digest.Digest {
	t.Helper()
	if content, ok := map[string]string{"0": "by hand", "9": "\x1f\x8b\x08 by hand"}[letter]; ok {
		layer := Must(oras.PushBytes(t.Context(), s.Store.Store, "application/octet-stream", []byte(content)))
		return Must(oras.PackManifest(t.Context(), s.Store.Store, oras.PackManifestVersion1_1, "application/vnd.example.foreign",
			oras.PackManifestOptions{Layers: []ocispec.Descriptor{layer}})).Digest
	}
	return s.Pack(t, Number(letter), letter)
}

// Pack has the artifact of the n-th commit there, without a tag. Other text is other content; *, ~ and ? at its end
// mean what they mean behind a letter.
func (s *Shelf) Pack(t testing.TB, n int, text string) digest.Digest {
	t.Helper()
	packed := Must(bundle.Pack(t.Context(), Tree(strings.TrimRight(text, "*~")), bundle.Options{}))
	defer func() { _ = packed.Close() }()
	meta := bundle.Metadata{Created: Epoch.Add(time.Duration(n) * time.Minute), Revision: bundle.Revision{Ref: "main", Commit: Commit(n)}, Height: uint64(n)} //nolint:gosec // a small number
	if strings.HasSuffix(text, "*") {
		meta.Height = 0
	}
	if err := packed.Seal(meta); err != nil {
		t.Fatal(err)
	}
	if strings.HasSuffix(text, "~") {
		bare(packed)
	}
	manifest, desc := packed.Manifest, packed.Descriptor
	if strings.HasSuffix(text, "?") {
		manifest = bytes.Replace(manifest, []byte(meta.Revision.String()), []byte("main@sha1:nonsense"), 1)
		desc.Digest, desc.Size = digest.FromBytes(manifest), int64(len(manifest))
	}
	config, blob := bundle.Config()
	s.push(t, config, bytes.NewReader(blob))
	s.push(t, packed.Layer, packed.Open())
	s.push(t, desc, bytes.NewReader(manifest))
	return desc.Digest
}

func (s *Shelf) push(t testing.TB, desc ocispec.Descriptor, content io.Reader) {
	t.Helper()
	if there := Must(s.Exists(t.Context(), desc)); there {
		return
	}
	if err := s.Push(t.Context(), desc, content); err != nil {
		t.Fatal(err)
	}
}

// bare takes the annotations from an artifact.
func bare(a *bundle.Artifact) {
	var m ocispec.Manifest
	if err := json.Unmarshal(a.Manifest, &m); err != nil {
		panic(err)
	}
	m.Annotations = nil
	a.Manifest = Must(json.Marshal(m))
	a.Descriptor.Digest, a.Descriptor.Size = digest.FromBytes(a.Manifest), int64(len(a.Manifest))
}

// Added are the tags that got a digest, or another one, as TAG=LETTER words, sorted.
func (s *Shelf) Added(t testing.TB, before map[string]string) string {
	t.Helper()
	var words []string
	for tag, d := range Tags(t, s) {
		if before[tag] == d {
			continue
		}
		words = append(words, tag+"="+s.Letter(d))
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

// Letter is that of a digest; the digest itself where it has none.
func (s *Shelf) Letter(d string) string {
	for letter, known := range s.Digests {
		if known.String() == d {
			return letter
		}
	}
	return d
}
