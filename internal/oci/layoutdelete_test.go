package oci

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/errdef"
)

// cabinet is a layout on disk, which a test can open anew.
type cabinet struct {
	*Layout
	t   *testing.T
	dir string
}

func newCabinet(t *testing.T) *cabinet {
	t.Helper()
	s := &cabinet{t: t, dir: t.TempDir()}
	s.open(false)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func (s *cabinet) open(readOnly bool) {
	s.t.Helper()
	var err error
	if s.Layout, err = OpenLayout(s.t.Context(), s.dir, readOnly); err != nil {
		s.t.Fatal(err)
	}
}

func (s *cabinet) reopen() {
	s.t.Helper()
	if err := s.Close(); err != nil {
		s.t.Fatal(err)
	}
	s.open(false)
}

// put stores content, under these tags if any.
func (s *cabinet) put(mediaType string, blob []byte, tags ...string) ocispec.Descriptor {
	s.t.Helper()
	desc := content.NewDescriptorFromBytes(mediaType, blob)
	err := s.Push(s.t.Context(), desc, bytes.NewReader(blob))
	if errors.Is(err, errdef.ErrAlreadyExists) {
		err = nil
	}
	for _, tag := range tags {
		err = errors.Join(err, s.Tag(s.t.Context(), desc, tag))
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return desc
}

// artifact stores a manifest of a config and a layer, both with types of their own.
func (s *cabinet) artifact(name, config, layer string, subject *ocispec.Descriptor, tags ...string) ocispec.Descriptor {
	s.t.Helper()
	m := ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, Subject: subject,
		Config: s.put("config/"+name, []byte(config)), Layers: []ocispec.Descriptor{s.put("layer/"+name, []byte(layer))},
		Annotations: map[string]string{"name": name},
	}
	return s.put(m.MediaType, asJSON(s.t, m), tags...)
}

func asJSON(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// index stores an index of some manifests.
func (s *cabinet) index(children []ocispec.Descriptor, tags ...string) ocispec.Descriptor {
	s.t.Helper()
	i := ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: children}
	return s.put(i.MediaType, asJSON(s.t, i), tags...)
}

// tags are all tags, as a list.
func (s *cabinet) tags() string {
	s.t.Helper()
	var all []string
	if err := s.Tags(s.t.Context(), "", func(page []string) error { all = append(all, page...); return nil }); err != nil {
		s.t.Fatal(err)
	}
	return strings.Join(all, " ")
}

// files are the digests of all that is stored.
func (s *cabinet) files() []digest.Digest {
	s.t.Helper()
	entries, err := os.ReadDir(filepath.Join(s.dir, "blobs", "sha256"))
	if err != nil {
		s.t.Fatal(err)
	}
	var all []digest.Digest
	for _, e := range entries {
		all = append(all, digest.NewDigestFromEncoded(digest.SHA256, e.Name()))
	}
	return all
}

// delete deletes, and expects exactly these contents to be gone from the disk, now and after the layout was opened anew.
func (s *cabinet) delete(d digest.Digest, gone ...digest.Digest) {
	s.t.Helper()
	want := slices.DeleteFunc(s.files(), func(f digest.Digest) bool { return slices.Contains(gone, f) })
	if err := s.Delete(s.t.Context(), d); err != nil {
		s.t.Fatal(err)
	}
	for range 2 {
		if got := s.files(); !slices.Equal(got, want) {
			s.t.Errorf("stored is %v, want %v", got, want)
		}
		if _, err := s.Resolve(s.t.Context(), d.String()); !errors.Is(err, errdef.ErrNotFound) {
			s.t.Errorf("it is there: %v", err)
		}
		if err := s.Delete(s.t.Context(), d); !errors.Is(err, errdef.ErrNotFound) {
			s.t.Errorf("deleted again: %v", err)
		}
		s.reopen()
	}
}

// readable expects a manifest to be found by its digest, with its blobs.
func (s *cabinet) readable(desc ocispec.Descriptor) {
	s.t.Helper()
	if found, err := s.Resolve(s.t.Context(), desc.Digest.String()); err != nil || found.MediaType != desc.MediaType {
		s.t.Errorf("%s is %v, %v", desc.Digest, found, err)
	}
	named, err := content.Successors(s.t.Context(), s, desc)
	if err != nil {
		s.t.Error(err)
	}
	for _, n := range slices.DeleteFunc(named, isManifest) {
		if _, err := content.FetchAll(s.t.Context(), s, n); err != nil {
			s.t.Errorf("what %s names: %v", desc.Digest, err)
		}
	}
}

const empty = "{}" // the config of many an artifact

// TestLayoutDelete: a manifest goes with all its tags and with what is its alone; what a kept one needs, by whatever type it
// names that, stays.
func TestLayoutDelete(t *testing.T) {
	s := newCabinet(t)
	old := s.artifact("old", empty, "shared", nil, "0.0.1-rc.1", "sha-a", "integration-a")
	alone := s.artifact("alone", "config", "layer", nil, "0.0.1-rc.2")
	kept := s.artifact("kept", empty, "shared", nil, "0.0.1-rc.3", "0.0.1")
	s.delete(old.Digest, old.Digest)
	if got := s.tags(); got != "0.0.1 0.0.1-rc.2 0.0.1-rc.3" {
		t.Errorf("tags %s", got)
	}
	s.delete(alone.Digest, alone.Digest, digest.FromString("config"), digest.FromString("layer"))
	s.readable(kept)
	s.delete(kept.Digest, kept.Digest, digest.FromString(empty), digest.FromString("shared"))
	if got := s.tags(); got != "" || len(s.files()) > 0 {
		t.Errorf("left are the tags %q and %v", got, s.files())
	}
}

// TestLayoutDeletesNoOtherManifest: not the subject, the referrers or the children, with a tag or without, also where the index
// has them by way of what goes alone.
func TestLayoutDeletesNoOtherManifest(t *testing.T) {
	for _, listed := range []bool{true, false} {
		s := newCabinet(t)
		child := s.artifact("child", empty, "child", nil)
		subject := s.artifact("subject", empty, "subject", nil)
		signature := s.artifact("signature", empty, "signature", &subject)
		ofSignature := s.artifact("of signature", empty, "of signature", &signature)
		list := s.index([]ocispec.Descriptor{child}, "list")
		keptList := s.index([]ocispec.Descriptor{child, list}, "kept")
		if !listed {
			s.unlist(child, subject, signature, list)
		}
		s.delete(list.Digest, list.Digest)
		s.delete(signature.Digest, signature.Digest, digest.FromString("signature"))
		for _, m := range []ocispec.Descriptor{child, subject, ofSignature} {
			s.readable(m)
		}
		if _, err := content.FetchAll(t.Context(), s, keptList); err != nil {
			t.Error(err)
		}
		s.delete(keptList.Digest, keptList.Digest)
		s.readable(child)
		s.delete(subject.Digest, subject.Digest, digest.FromString("subject"))
		s.delete(ofSignature.Digest, ofSignature.Digest, digest.FromString("of signature"))
		s.readable(child)
	}
}

// unlist takes some manifests out of the index, as other programs write it: what another manifest names is not in it.
func (s *cabinet) unlist(some ...ocispec.Descriptor) {
	s.t.Helper()
	name := filepath.Join(s.dir, ocispec.ImageIndexFile)
	text, err := os.ReadFile(name)
	if err != nil {
		s.t.Fatal(err)
	}
	var index ocispec.Index
	if err := json.Unmarshal(text, &index); err != nil {
		s.t.Fatal(err)
	}
	index.Manifests = slices.DeleteFunc(index.Manifests, func(desc ocispec.Descriptor) bool {
		return slices.ContainsFunc(some, func(other ocispec.Descriptor) bool { return other.Digest == desc.Digest })
	})
	if err := os.WriteFile(name, asJSON(s.t, index), 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.reopen()
}

// A tag may be written with another type than the manifest's own; it goes all the same.
func TestLayoutDeletesTagsOfAnyForm(t *testing.T) {
	s := newCabinet(t)
	m := s.artifact("a", empty, "layer", nil, "one")
	odd := m
	odd.MediaType = "application/vnd.docker.distribution.manifest.v2+json"
	for _, desc := range []ocispec.Descriptor{odd, m} {
		if err := s.Tag(t.Context(), desc, strings.ReplaceAll(desc.MediaType, "/", "-")); err != nil {
			t.Fatal(err)
		}
	}
	s.delete(m.Digest, m.Digest, digest.FromString(empty), digest.FromString("layer"))
	if got := s.tags(); got != "" {
		t.Errorf("tags %s", got)
	}
}

// A run that was killed between the index and the file is completed; a blob is no manifest.
func TestLayoutDeletesWhatAKilledRunLeft(t *testing.T) {
	s := newCabinet(t)
	m := s.artifact("a", empty, "layer", nil)
	s.unlist(m)
	for _, d := range []digest.Digest{digest.FromString("layer"), digest.FromString(empty), digest.FromString("nothing"), "0.0.1", ""} {
		if err := s.Delete(t.Context(), d); err == nil {
			t.Errorf("%q is deleted", d)
		}
	}
	s.delete(m.Digest, m.Digest, digest.FromString(empty), digest.FromString("layer"))

	m = s.artifact("a", empty, "layer", nil)
	_ = s.Close()
	s.open(true)
	if err := s.Delete(t.Context(), m.Digest); !errors.Is(err, errReadOnly) {
		t.Errorf("a layout opened to read deletes: %v", err)
	}
}

// TestLayoutReferrers are those that name a manifest as their subject, and not the indexes that have it.
func TestLayoutReferrers(t *testing.T) {
	s := newCabinet(t)
	subject := s.artifact("subject", empty, "subject", nil, "1.0.0")
	signature := s.artifact("signature", empty, "signature", &subject)
	report := s.artifact("report", empty, "report", &subject, "sha256-x")
	s.index([]ocispec.Descriptor{subject}, "list")
	for range 2 {
		all, ok, err := s.Referrers(t.Context(), subject.Digest)
		var got []string
		for _, desc := range all {
			got = append(got, desc.Annotations["name"])
		}
		slices.Sort(got)
		if !slices.Equal(got, []string{"report", "signature"}) || !ok || err != nil {
			t.Errorf("%q, %v, %v", got, ok, err)
		}
		s.reopen()
	}
	for _, d := range []digest.Digest{signature.Digest, digest.FromString("nothing"), digest.FromString("subject")} {
		if all, ok, err := s.Referrers(t.Context(), d); len(all) > 0 || !ok || err != nil {
			t.Errorf("%v, %v, %v", all, ok, err)
		}
	}
	s.delete(report.Digest, report.Digest, digest.FromString("report"))
	if all, _, err := s.Referrers(t.Context(), subject.Digest); len(all) != 1 || err != nil {
		t.Errorf("%v, %v", all, err)
	}
}
