package prune

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/errdef"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
)

// store is a layout on disk whose requests are told, and that deletes as a registry does: the manifest, with all its tags.
type store struct {
	*pipelinetest.Shelf
	api     bool // it has a referrers API; else referrers are listed by a tag
	tells   bool // it knows the tags of what it deletes, as GitHub does
	written map[digest.Digest]time.Time

	around   func(request string, do func() error) error // may be nil
	mu       sync.Mutex
	deletes  *sync.Mutex // one at a time, of all that look at this layout
	requests []string
}

func newStore(t testing.TB, words string) *store {
	t.Helper()
	s := &store{Shelf: pipelinetest.NewShelf(t, words), deletes: &sync.Mutex{}}
	s.AutoGC = false // or a deletion takes untagged children and referrers with it
	return s
}

func (s *store) request(request string, do func() error) error {
	s.mu.Lock()
	s.requests = append(s.requests, request)
	s.mu.Unlock()
	if s.around == nil {
		return do()
	}
	return s.around(request, do)
}

// sent are the requests so far.
func (s *store) sent() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

func (s *store) Tags(ctx context.Context, last string, fn func([]string) error) error {
	return s.request("list", func() error { return s.Store.Tags(ctx, last, fn) })
}

func (s *store) Resolve(ctx context.Context, reference string) (desc ocispec.Descriptor, err error) {
	err = s.request("head "+reference, func() error { desc, err = s.Store.Resolve(ctx, reference); return err })
	return desc, err
}

// FetchReference reads in one request, as a registry does.
func (s *store) FetchReference(ctx context.Context, reference string) (desc ocispec.Descriptor, r io.ReadCloser, err error) {
	err = s.request("get "+reference, func() error {
		if desc, err = s.Store.Resolve(ctx, reference); err == nil {
			r, err = s.Fetch(ctx, desc)
		}
		return err
	})
	return desc, r, err
}

func (s *store) Referrers(ctx context.Context, d digest.Digest) (all []ocispec.Descriptor, ok bool, err error) {
	err = s.request("referrers "+d.String(), func() error {
		if !s.api {
			return nil
		}
		found, err := s.Predecessors(ctx, ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: d})
		for _, desc := range found {
			if subject(ctx, s.Shelf, desc) == d {
				all = append(all, desc)
			}
		}
		return err
	})
	return all, s.api, err
}

func subject(ctx context.Context, from content.Fetcher, desc ocispec.Descriptor) digest.Digest {
	var m ocispec.Manifest
	if blob, err := content.FetchAll(ctx, from, desc); err != nil || json.Unmarshal(blob, &m) != nil || m.Subject == nil {
		return ""
	}
	return m.Subject.Digest
}

func (s *store) Written(context.Context) (map[digest.Digest]time.Time, error) {
	return s.written, s.request("written", func() error { return nil })
}

func (s *store) Delete(ctx context.Context, d digest.Digest, tags []string) (gone bool, err error) {
	err = s.request("delete "+d.String(), func() error {
		s.deletes.Lock()
		defer s.deletes.Unlock()
		desc, err := s.Store.Resolve(ctx, d.String())
		if gone = errors.Is(err, errdef.ErrNotFound); gone {
			return nil
		}
		if now := s.tagsOf(ctx, d); s.tells && !slices.Equal(now, slices.Sorted(slices.Values(tags))) {
			return fmt.Errorf("%w: %q, not %q", ErrChanged, now, tags)
		}
		return errors.Join(err, s.Store.Delete(ctx, ocispec.Descriptor{MediaType: mediaType(ctx, s, desc), Digest: d, Size: desc.Size}))
	})
	return gone, err
}

// mediaType is that of a manifest that was resolved by its digest, which a layout does not tell.
func mediaType(ctx context.Context, s *store, desc ocispec.Descriptor) string {
	var m struct {
		MediaType string `json:"mediaType"`
	}
	blob := pipelinetest.Must(content.FetchAll(ctx, s.Shelf, desc))
	if json.Unmarshal(blob, &m) != nil || m.MediaType == "" {
		return ocispec.MediaTypeImageManifest
	}
	return m.MediaType
}

// tagsOf are the tags that name a digest, sorted.
func (s *store) tagsOf(ctx context.Context, d digest.Digest) []string {
	var all []string // and then they are asked: a layout that lists is locked
	_ = s.Store.Tags(ctx, "", func(tags []string) error { all = append(all, tags...); return nil })
	slices.Sort(all)
	return slices.DeleteFunc(all, func(tag string) bool {
		desc, err := s.Store.Resolve(ctx, tag)
		return err != nil || desc.Digest != d
	})
}

// has reports whether a manifest is there.
func (s *store) has(t testing.TB, d digest.Digest) bool {
	t.Helper()
	_, err := s.Store.Resolve(t.Context(), d.String())
	if err != nil && !errors.Is(err, errdef.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}

// attach makes a manifest that has d for its subject, which a store without an API lists by a tag too.
func (s *store) attach(t testing.TB, d digest.Digest, text string) digest.Digest {
	t.Helper()
	r := s.manifest(t, text, d)
	if !s.api {
		s.listReferrers(t, d, append(s.listed(t, d), r))
	}
	return r.Digest
}

// listed are what the fallback tag of d lists.
func (s *store) listed(t testing.TB, d digest.Digest) []ocispec.Descriptor {
	t.Helper()
	desc, err := s.Store.Resolve(t.Context(), fallback(d))
	if errors.Is(err, errdef.ErrNotFound) {
		return nil
	}
	var index ocispec.Index
	if err := errors.Join(err, json.Unmarshal(pipelinetest.Must(content.FetchAll(t.Context(), s.Shelf, desc)), &index)); err != nil {
		t.Fatal(err)
	}
	return index.Manifests
}

func (s *store) listReferrers(t testing.TB, d digest.Digest, all []ocispec.Descriptor) {
	t.Helper()
	s.index(t, fallback(d), all...)
}

// fallback is the tag that lists what refers to d where a registry has no API for it.
func fallback(d digest.Digest) string { return "sha256-" + d.Encoded() }

// sign has a manifest without a subject there, by one of cosign's tags of d.
func (s *store) sign(t testing.TB, d digest.Digest, suffix, text string) digest.Digest {
	t.Helper()
	desc := s.manifest(t, text, "")
	s.tag(t, desc.Digest, fallback(d)+"."+suffix)
	return desc.Digest
}

func (s *store) tag(t testing.TB, d digest.Digest, tag string) {
	t.Helper()
	s.Name(t, d.String(), tag)
}

// manifest pushes one that is not of Flux's format.
func (s *store) manifest(t testing.TB, text string, of digest.Digest) ocispec.Descriptor {
	t.Helper()
	layer := s.pushBytes(t, "application/octet-stream", []byte(text))
	m := ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
		Config: layer, Layers: []ocispec.Descriptor{layer},
	}
	if of != "" {
		m.Subject = &ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: of, Size: pipelinetest.Must(s.Store.Resolve(t.Context(), of.String())).Size}
	}
	return s.push(t, m.MediaType, m)
}

// index pushes one, and names it.
func (s *store) index(t testing.TB, tag string, children ...ocispec.Descriptor) ocispec.Descriptor {
	t.Helper()
	desc := s.push(t, ocispec.MediaTypeImageIndex, ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: append([]ocispec.Descriptor{}, children...),
	})
	if tag != "" {
		s.tag(t, desc.Digest, tag)
	}
	return desc
}

// desc is the descriptor of a letter's artifact.
func (s *store) desc(t testing.TB, letter string) ocispec.Descriptor {
	t.Helper()
	s.Put(t, letter)
	return ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: s.Digests[letter], Size: pipelinetest.Must(s.Store.Resolve(t.Context(), s.Digests[letter].String())).Size}
}

func (s *store) push(t testing.TB, mediaType string, m any) ocispec.Descriptor {
	t.Helper()
	return s.pushBytes(t, mediaType, pipelinetest.Must(json.Marshal(m)))
}

func (s *store) pushBytes(t testing.TB, mediaType string, blob []byte) ocispec.Descriptor {
	t.Helper()
	desc := content.NewDescriptorFromBytes(mediaType, blob)
	if there := pipelinetest.Must(s.Exists(t.Context(), desc)); there {
		return desc
	}
	return pipelinetest.Must(oras.PushBytes(t.Context(), s.Store.Store, mediaType, blob))
}

// live is a row of commits that were each built and promoted: "a b" is 0.0.1-rc.1=a 0.0.1=a 0.0.2-rc.2=b 0.0.2=b with the
// tags of the commits.
func live(letters string) (words string) {
	for i, letter := range strings.Fields(letters) {
		words += fmt.Sprintf(" 0.0.%d=%s", i+1, letter) + built(fmt.Sprintf("0.0.%d", i+1), letter) + " +" + letter
	}
	return words
}

// built is a complete build of one commit.
func built(base, letter string) string {
	return fmt.Sprintf(" %s-rc.%d=%s @%[3]s", base, pipelinetest.Number(letter), letter)
}

// keeping is a run that keeps one stable, and nothing for its age.
func keeping(s *store) Prune {
	return Prune{
		Repo: s, Deleter: s, Name: pipelinetest.Name, Clusters: pipelinetest.Clusters(), History: pipelinetest.Line{}, NoHistory: "input github-token",
		KeepStables: 1, KeepFor: time.Hour, MaxDeletes: 100, Now: pipelinetest.Epoch.Add(1000 * time.Hour),
	}
}

func applying(s *store) Prune {
	p := keeping(s)
	p.Apply = true
	return p
}

// mustRun prunes, and wants what is there afterwards, as letters in their order.
func mustRun(t *testing.T, s *store, p Prune, want string) pipeline.Report {
	t.Helper()
	r, err := p.Run(t.Context())
	if err != nil {
		t.Fatal(pipeline.WithHint(err))
	}
	if got := s.letters(t); got != want {
		t.Errorf("%s (%s): there is %q, not %q; %+v", r.Outcome, r.Reason, got, want, r.Retention)
	}
	return r
}

// letters are those of the artifacts that are there.
func (s *store) letters(t testing.TB) string {
	t.Helper()
	var there []string
	for _, letter := range slices.Sorted(maps.Keys(s.Digests)) {
		if s.has(t, s.Digests[letter]) {
			there = append(there, letter)
		}
	}
	return strings.Join(there, " ")
}

// planned makes the plan of a run.
func planned(t testing.TB, p Prune, change func(*facts)) (*facts, plan, error) {
	t.Helper()
	r := &run{Prune: p, report: &pipeline.Report{}, looked: map[digest.Digest]*attachment{}}
	r.store = &pipeline.Store{Repo: p.Repo, Name: p.Name, History: p.History, Warn: t.Logf}
	f, err := r.read(t.Context())
	if err != nil {
		return nil, plan{}, err
	}
	if change != nil {
		change(f)
	}
	made, err := r.plan(t.Context(), f)
	return f, made, err
}

// fates are the letters of a plan, each with the rule that keeps it, "goes" or "left".
func (s *store) fates(f *facts, p plan) string {
	goes := map[digest.Digest]bool{}
	for _, it := range p.goes {
		goes[it.Digest] = true
	}
	var words []string
	for d := range f.items {
		fate := "left"
		if r, ok := p.keeps[d]; ok {
			fate = string(r.rule)
		} else if goes[d] {
			fate = "goes"
		}
		letter := s.Letter(d.String())
		if len(letter) > 3 {
			letter = s.tagsOf(context.Background(), d)[0]
		}
		words = append(words, letter+":"+fate)
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

// past is a history that has one answer to everything.
type past string

func (p past) Compare(context.Context, string, string) (string, error) { return string(p), nil }
