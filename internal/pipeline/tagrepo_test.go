package pipeline

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"

	"github.com/oci-promote/oci-promote/internal/version"
)

// shelf is a store whose artifacts have one letter each: the letter is the commit, a is
// older than b, and a' is other content of a's commit. h is somebody's artifact without
// annotations.
type shelf struct {
	*hooked
	digests map[string]digest.Digest
}

// newShelf makes a store from words: TAG=LETTER; @LETTER for a's sha- and integration- tags,
// +LETTER for its validated- tag.
func newShelf(t *testing.T, words string) *shelf {
	t.Helper()
	s := &shelf{newStore(t), map[string]digest.Digest{}}
	for word := range strings.FieldsSeq(words) {
		tag, letter, ok := strings.Cut(word, "=")
		switch kind := word[0]; {
		case ok:
			s.put(t, letter, tag)
		case kind == '@':
			s.put(t, word[1:], tagOf(shaPrefix, word[1:]), tagOf(integrationPrefix, word[1:]))
		case kind == '+':
			s.put(t, word[1:], tagOf(validatedPrefix, word[1:]))
		default:
			t.Fatalf("word %q", word)
		}
	}
	return s
}

func tagOf(prefix, letter string) string { return prefix + commitNumber(int(letter[0]))[:7] }

func (s *shelf) put(t *testing.T, letter string, tags ...string) {
	t.Helper()
	if s.digests[letter] == "" {
		s.digests[letter] = s.make(t, letter)
	}
	desc, err := s.Resolve(t.Context(), s.digests[letter].String())
	if err != nil {
		t.Fatal(err)
	}
	for _, tag := range tags {
		if err := s.Store.Tag(t.Context(), desc, tag); err != nil {
			t.Fatal(err)
		}
	}
}

// make builds the artifact elsewhere and brings it here without any tag of a build.
func (s *shelf) make(t *testing.T, letter string) digest.Digest {
	t.Helper()
	if letter == "h" {
		layer, err := oras.PushBytes(t.Context(), s.Store, "application/octet-stream", []byte("by hand"))
		if err != nil {
			t.Fatal(err)
		}
		desc, err := oras.PackManifest(t.Context(), s.Store, oras.PackManifestVersion1_1, "application/vnd.example.foreign",
			oras.PackManifestOptions{Layers: []ocispec.Descriptor{layer}})
		if err != nil {
			t.Fatal(err)
		}
		return desc.Digest
	}
	scratch := newStore(t)
	b := buildOf(t, scratch, int(letter[0]))
	b.Source = tree(letter)
	r := mustBuild(t, b)
	if err := oras.CopyGraph(t.Context(), scratch, s.Store, must(scratch.Resolve(t.Context(), r.Candidate)), oras.DefaultCopyGraphOptions); err != nil {
		t.Fatal(err)
	}
	return r.Digest
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// subject reads: "a" (a digest that a cluster proved), "a via TAG" (and told the tag),
// "a of c" (and told another commit), "commit a" (a proof by commit alone), "by hand a",
// "by hand commit a", "latest". What has no letter in the store is not there.
func (s *shelf) subject(t *testing.T, words string) *Subject {
	t.Helper()
	words, byHand := strings.CutPrefix(words, "by hand ")
	letter, commit := strings.CutPrefix(words, "commit ")
	letter, tag, _ := strings.Cut(letter, " via ")
	letter, other, _ := strings.Cut(letter, " of ")
	sub := &Subject{Proven: !byHand, Because: "because"}
	switch {
	case words == "latest":
		return &Subject{Latest: true, Because: "because"}
	case commit:
		sub.Commit, sub.ByCommit = commitNumber(int(letter[0])), true
		return sub
	}
	if sub.Digest, sub.Tag = s.digests[letter], tag; sub.Digest == "" {
		sub.Digest = digest.FromString("not there")
	}
	if sub.Proven {
		sub.Commit = commitNumber(int((other + letter)[0]))
	}
	return sub
}

// manual reads "", "next", "X.Y.Z", each with a "!" to allow what was never validated.
func manual(words string) *Manual {
	if words == "" {
		return nil
	}
	v, unvalidated := strings.CutPrefix(words, "!")
	if v == "next" {
		return &Manual{Next: true, Unvalidated: unvalidated}
	}
	return &Manual{Version: must(version.ParseStable(v)), Unvalidated: unvalidated}
}

func tagFor(t *testing.T, repo Repository, s *Subject, m *Manual) Tag {
	t.Helper()
	return Tag{
		Repo: repo, Name: "registry.test/acme/fleet", Subject: s, Manual: m, SHALength: 7,
		Clusters: Clusters{must(version.ParseConstraint(">= 0.0.0-0")), must(version.ParseConstraint(">= 0.0.0"))},
	}
}

// added are the tags that got a digest, or another one, as TAG=LETTER words, sorted.
func (s *shelf) added(t *testing.T, before map[string]string) string {
	t.Helper()
	var words []string
	for tag, d := range tagsOf(t, s) {
		if before[tag] == d {
			continue
		}
		for letter, known := range s.digests {
			if known.String() == d {
				words = append(words, fmt.Sprintf("%s=%s", tag, letter))
			}
		}
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}
