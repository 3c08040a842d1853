package registries

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"cuelabs.dev/go/oci/ociregistry/ocimem"
	"cuelabs.dev/go/oci/ociregistry/ociserver"
	ggcr "github.com/google/go-containerregistry/pkg/registry"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
	"github.com/oci-promote/oci-promote/test/registrytest/vendors"
)

// kind is a registry that the stories are told on.
type kind struct {
	name  string // of this setting of it
	row   string // of the matrix
	real  bool   // an implementation that others run
	start func(t *testing.T) world
}

// world is a running registry, empty.
type world struct {
	*registrytest.Server
	store store

	// immutable tags never move. first is what a build says before anything was pushed, if it must; create makes the repository
	// where a push does not, else it is nil.
	immutable bool
	first     []string
	create    func()
	deletion  deletes
}

// deletes is what a registry does when it is asked to delete a manifest (docs/facts.md 29 and 36).
type deletes int

const (
	forgets deletes = iota // with its tags
	refuses
	keepsTags // and goes on naming them
)

// store reaches a registry past its front, and past all that a client is refused.
type store interface {
	// Put writes a manifest whose blobs are there, and moves tags to it.
	Put(repo string, manifest []byte, tags ...string)
	// Manifest is what a tag names.
	Manifest(repo, tag string) []byte
	// Tags is what each tag of a repository names.
	Tags(repo string) map[string]string
}

// The repository of all stories, past its front.
func (w world) put(manifest []byte, tags ...string) {
	w.store.Put(programtest.Fleet, manifest, tags...)
}
func (w world) manifest(tag string) []byte { return w.store.Manifest(programtest.Fleet, tag) }
func (w world) tags() map[string]string    { return w.store.Tags(programtest.Fleet) }

func kinds() []kind {
	all := []kind{
		distribution("CNCF Distribution 3", registrytest.Options{Token: true}),
		debian("docker-registry 2.8 of Debian", registrytest.Options{}),
		{"go-containerregistry", "go-containerregistry", true, func(t *testing.T) world {
			h := ggcr.New(ggcr.Logger(log.New(io.Discard, "", 0)))
			return world{Server: registrytest.Front(t, h), store: overHTTP{h}, deletion: keepsTags}
		}},
		cuelabs("cuelabs", ocimem.Config{}, ociserver.Options{}),
		cuelabs("cuelabs, immutable tags", ocimem.Config{ImmutableTags: true}, ociserver.Options{}),
		cuelabs("cuelabs, pages of 300", ocimem.Config{}, ociserver.Options{MaxListPageSize: 300}),
		cuelabs("cuelabs, no optional headers", ocimem.Config{}, ociserver.Options{OmitLinkHeaderFromResponses: true, OmitDigestFromTagGetResponse: true}),
	}
	for _, v := range vendors.Table {
		all = append(all, inWordsOf(v))
	}
	return all
}

func distribution(name string, o registrytest.Options) kind {
	return kind{name, "CNCF Distribution 3", true, func(t *testing.T) world {
		s := registrytest.Start(t, o)
		return world{Server: s, store: disk{s}}
	}}
}

func debian(name string, o registrytest.Options) kind {
	return kind{name, "docker-registry 2.8 of Debian", true, func(t *testing.T) world {
		binary, err := registrytest.Debian()
		if err != nil {
			t.Skip("NOT RUN on docker-registry 2.8 of Debian: ", err)
		}
		o.Binary = binary
		s := registrytest.Start(t, o)
		return world{Server: s, store: disk{s}}
	}}
}

func cuelabs(name string, config ocimem.Config, options ociserver.Options) kind {
	return kind{name, "cuelabs", true, func(t *testing.T) world {
		m := ocimem.NewWithConfig(&config)
		w := world{Server: registrytest.Front(t, ociserver.New(m, &options)), store: memory{m}, immutable: config.ImmutableTags, deletion: keepsTags}
		if config.ImmutableTags { // then what has a tag stays
			w.deletion = refuses
		}
		return w
	}}
}

// inWordsOf is the vendor's registry, with tags that do not move if it can.
func inWordsOf(v vendors.Vendor) kind { return inWordsWith(v, vendors.Options{Immutable: true}) }

func inWordsWith(v vendors.Vendor, o vendors.Options) kind {
	return kind{v.Name, v.Name, false, func(t *testing.T) world {
		r := vendors.New(v, o)
		w := world{Server: registrytest.Front(t, r), store: r, immutable: o.Immutable && v.Immutable.Status != 0}
		if s := v.NewList.Status; s == http.StatusUnauthorized && !v.List.Empty || s == http.StatusForbidden {
			w.first = []string{"--first-build"}
		}
		switch d := v.Delete; {
		case d.Status >= http.StatusBadRequest || d.Immutable && o.Immutable:
			w.deletion = refuses
		case d.KeepsTags:
			w.deletion = keepsTags
		}
		if v.NewUpload.Status != 0 {
			w.create = func() { r.Create(programtest.Fleet) }
		}
		return w
	}}
}

// disk is Distribution's storage.
type disk struct{ s *registrytest.Server }

func (d disk) Put(repo string, manifest []byte, tags ...string) {
	d.s.SeedManifest(repo, manifest, tags...)
}
func (d disk) Tags(repo string) map[string]string { return d.s.Tags(repo) }
func (d disk) Manifest(repo, tag string) []byte {
	return d.s.Manifest(repo, digest.Digest(d.s.Named(repo, tag)))
}

// overHTTP is a handler that lets everybody in, moves any tag, and lists all for who asks for no number.
type overHTTP struct{ http.Handler }

func (h overHTTP) do(method, path string, body []byte) []byte {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(method, path, strings.NewReader(string(body)))
	r.Header.Set("Content-Type", ocispec.MediaTypeImageManifest)
	if h.ServeHTTP(w, r); w.Code >= http.StatusBadRequest {
		return nil
	}
	return w.Body.Bytes()
}

func (h overHTTP) Put(repo string, manifest []byte, tags ...string) {
	for _, tag := range tags {
		h.do(http.MethodPut, "/v2/"+repo+"/manifests/"+tag, manifest)
	}
}

func (h overHTTP) Manifest(repo, tag string) []byte {
	return h.do(http.MethodGet, "/v2/"+repo+"/manifests/"+tag, nil)
}

func (h overHTTP) Tags(repo string) map[string]string {
	var list struct{ Tags []string }
	_ = json.Unmarshal(h.do(http.MethodGet, "/v2/"+repo+"/tags/list", nil), &list) // of none there is no list
	tags := map[string]string{}
	for _, tag := range list.Tags {
		tags[tag] = digest.FromBytes(h.Manifest(repo, tag)).String()
	}
	return tags
}

// memory is cuelabs' registry. Where its tags do not move, Put moves none either.
type memory struct{ *ocimem.Registry }

func (m memory) Put(repo string, manifest []byte, tags ...string) {
	for _, tag := range tags {
		if _, err := m.PushManifest(context.Background(), repo, tag, manifest, ocispec.MediaTypeImageManifest); err != nil {
			panic(err)
		}
	}
}

func (m memory) Manifest(repo, tag string) []byte {
	r, err := m.GetTag(context.Background(), repo, tag)
	if err != nil {
		return nil
	}
	defer r.Close()
	body, err := io.ReadAll(r)
	if err != nil {
		panic(err)
	}
	return body
}

func (m memory) Tags(repo string) map[string]string {
	var names []string
	for tag, err := range m.Registry.Tags(context.Background(), repo, "") {
		if err != nil { // of a repository that does not exist there are none
			break
		}
		names = append(names, tag)
	}
	tags := map[string]string{}
	for _, tag := range names {
		tags[tag] = digest.FromBytes(m.Manifest(repo, tag)).String()
	}
	return tags
}
