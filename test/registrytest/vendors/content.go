package vendors

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

func mediaTypeOf(body []byte) string {
	var m ocispec.Manifest
	_ = json.Unmarshal(body, &m) // of what is no manifest, there is none
	return m.MediaType
}

// resolve is what a tag or digest names; "" for nothing.
func (r *repository) resolve(reference string) digest.Digest {
	if r == nil {
		return ""
	}
	id := digest.Digest(reference)
	if !strings.Contains(reference, ":") {
		id = r.tags[reference]
	}
	if _, ok := r.manifests[id]; !ok {
		return ""
	}
	return id
}

func (g *Registry) getManifest(w http.ResponseWriter, r request) {
	repo := g.repos[r.repo]
	id := repo.resolve(r.rest)
	if id == "" {
		g.answer(w, r, g.vendor.NoManifest.or(plain.noManifest))
		return
	}
	m, head := repo.manifests[id], r.Method == http.MethodHead
	w.Header().Set("Content-Type", m.mediaType)
	if byTag := id.String() != r.rest; head || !byTag || !g.vendor.Manifests.NoDigestOnGet {
		w.Header().Set("Docker-Content-Digest", id.String())
	}
	if !head || !g.vendor.Manifests.NoLengthHead {
		w.Header().Set("Content-Length", strconv.Itoa(len(m.body)))
	}
	w.WriteHeader(http.StatusOK)
	if !head {
		_, _ = w.Write(m.body)
	}
}

func (g *Registry) putManifest(w http.ResponseWriter, r request) {
	repo, id := g.repos[r.repo], digest.FromBytes(r.body)
	byTag := id.String() != r.rest
	switch {
	case repo == nil || !repo.holds(r.body, r.Header.Get("Content-Type")) || byTag && strings.Contains(r.rest, ":"):
		g.answer(w, r, Answer{Status: http.StatusBadRequest, Code: "MANIFEST_INVALID", Message: "manifest invalid"})
		return
	case byTag && g.refuses(repo.tags[r.rest], id):
		g.answer(w, r, g.vendor.Immutable.Answer)
		return
	}
	repo.manifests[id] = manifest{r.Header.Get("Content-Type"), r.body}
	if byTag {
		repo.tags[r.rest] = id
	}
	w.Header().Set("Docker-Content-Digest", id.String())
	w.Header().Set("Location", "/v2/"+r.repo+manifests+id.String())
	w.WriteHeader(max(g.vendor.Manifests.Put, http.StatusCreated))
}

// refuses reports whether a tag that names one manifest, or none, must not be written with another.
func (g *Registry) refuses(named, id digest.Digest) bool {
	if !g.options.Immutable || g.vendor.Immutable.Status == 0 || named == "" {
		return false
	}
	return named != id || g.vendor.Immutable.Same
}

// holds reports whether body is an index of this type whose manifests are all there, or a manifest whose blobs are.
func (r *repository) holds(body []byte, mediaType string) bool {
	var index ocispec.Index
	if json.Unmarshal(body, &index) == nil && index.MediaType == ocispec.MediaTypeImageIndex {
		return index.MediaType == mediaType && !slices.ContainsFunc(index.Manifests, func(m ocispec.Descriptor) bool {
			_, ok := r.manifests[m.Digest]
			return !ok
		})
	}
	var m ocispec.Manifest
	if json.Unmarshal(body, &m) != nil || m.MediaType != mediaType {
		return false
	}
	for _, blob := range append(m.Layers, m.Config) {
		if content, ok := r.blobs[blob.Digest]; !ok || int64(len(content)) != blob.Size {
			return false
		}
	}
	return true
}

func (g *Registry) deleteManifest(w http.ResponseWriter, r request) {
	repo := g.repos[r.repo]
	id := repo.resolve(r.rest)
	tags := repo.tagsOf(id)
	said := g.deletion(tags)
	switch {
	case id == "":
		said = g.vendor.NoManifest.or(plain.noManifest)
	case said.Status < http.StatusBadRequest && id.String() == r.rest:
		if g.vendor.Delete.KeepsTags {
			delete(repo.manifests, id)
		} else {
			repo.remove(id)
		}
	case said.Status < http.StatusBadRequest:
		delete(repo.tags, r.rest)
	case len(tags) > 0:
		r.rest = tags[0] // of which the answer speaks, if of any
	}
	g.answer(w, r, said)
}

// deletion is the answer to that of a manifest with these tags.
func (g *Registry) deletion(tags []string) Answer {
	d, done := g.vendor.Delete, Answer{Status: http.StatusAccepted}
	switch {
	case d.Immutable && g.options.Immutable && len(tags) > 0:
		return g.vendor.Immutable.Answer
	case d.Tagged && len(tags) == 0:
		return done
	}
	return d.or(done)
}

// tagsOf are the tags that name a manifest.
func (r *repository) tagsOf(id digest.Digest) (tags []string) {
	if r == nil {
		return nil
	}
	for tag, named := range r.tags {
		if named == id {
			tags = append(tags, tag)
		}
	}
	slices.Sort(tags)
	return tags
}

func (g *Registry) getBlob(w http.ResponseWriter, r request) {
	var content []byte
	if repo := g.repos[r.repo]; repo != nil {
		content = repo.blobs[digest.Digest(r.rest)]
	}
	if content == nil {
		g.answer(w, r, plain.noBlob)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Docker-Content-Digest", r.rest)
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(content)
	}
}

// beginUpload begins one, or mounts the blob that is asked for.
func (g *Registry) beginUpload(w http.ResponseWriter, r request) {
	if g.repos[r.repo] == nil && g.vendor.NewUpload.Status != 0 {
		g.answer(w, r, g.vendor.NewUpload)
		return
	}
	repo, query := g.create(r.repo), r.URL.Query()
	id := digest.Digest(query.Get("mount"))
	if from := g.repos[query.Get("from")]; from != nil && from.blobs[id] != nil {
		repo.blobs[id] = from.blobs[id]
		g.created(w, r, id)
		return
	}
	g.begun++
	upload := fmt.Sprintf("upload-%d", g.begun)
	g.uploads[upload] = r.repo
	w.Header().Set("Location", "/v2/"+r.repo+uploads+upload)
	w.Header().Set("Range", "0-0")
	w.WriteHeader(http.StatusAccepted)
}

// endUpload takes the whole blob (PUT), or forgets the upload (DELETE).
func (g *Registry) endUpload(w http.ResponseWriter, r request) {
	id := digest.Digest(r.URL.Query().Get("digest"))
	switch {
	case g.uploads[r.rest] != r.repo:
		g.answer(w, r, Answer{Status: http.StatusNotFound, Code: "BLOB_UPLOAD_UNKNOWN", Message: "blob upload unknown to registry"})
	case r.Method == http.MethodDelete:
		delete(g.uploads, r.rest)
		w.WriteHeader(http.StatusNoContent)
	case digest.FromBytes(r.body) != id:
		g.answer(w, r, Answer{Status: http.StatusBadRequest, Code: "DIGEST_INVALID", Message: "provided digest did not match uploaded content"})
	default:
		delete(g.uploads, r.rest)
		g.repos[r.repo].blobs[id] = r.body
		g.created(w, r, id)
	}
}

func (g *Registry) created(w http.ResponseWriter, r request, id digest.Digest) {
	w.Header().Set("Docker-Content-Digest", id.String())
	w.Header().Set("Location", "/v2/"+r.repo+blobs+id.String())
	w.WriteHeader(http.StatusCreated)
}
