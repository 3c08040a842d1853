package vendors

import (
	"cmp"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/opencontainers/go-digest"
)

// Options say how a registry is set up.
type Options struct {
	Immutable bool // no tag moves, if the vendor can do that
}

// Registry is a registry in the words of a vendor. Its methods may be called from many goroutines at once.
type Registry struct {
	vendor  Vendor
	options Options

	mu        sync.Mutex
	repos     map[string]*repository
	uploads   map[string]string // the repository of each that was begun
	tokens    map[string]token
	throttled int
	begun     int
}

// repository is what one holds.
type repository struct {
	blobs     map[digest.Digest][]byte
	manifests map[digest.Digest]manifest
	tags      map[string]digest.Digest
}

type manifest struct {
	mediaType string
	body      []byte
}

// New makes an empty registry.
func New(v Vendor, o Options) *Registry {
	return &Registry{
		vendor: v, options: o,
		repos: map[string]*repository{}, uploads: map[string]string{}, tokens: map[string]token{},
	}
}

// Create makes a repository, as its owner does where the first push does not.
func (g *Registry) Create(repo string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.create(repo)
}

func (g *Registry) create(repo string) *repository {
	r := g.repos[repo]
	if r == nil {
		r = &repository{map[digest.Digest][]byte{}, map[digest.Digest]manifest{}, map[string]digest.Digest{}}
		g.repos[repo] = r
	}
	return r
}

// Put writes a manifest, and moves tags to it, past all that a client is refused. What it names is not looked for.
func (g *Registry) Put(repo string, body []byte, tags ...string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r, id := g.create(repo), digest.FromBytes(body)
	r.manifests[id] = manifest{mediaTypeOf(body), body}
	for _, tag := range tags {
		r.tags[tag] = id
	}
}

// Remove takes a manifest away, with all its tags, past all that a client is refused.
func (g *Registry) Remove(repo, id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if r := g.repos[repo]; r != nil {
		r.remove(digest.Digest(id))
	}
}

func (r *repository) remove(id digest.Digest) {
	delete(r.manifests, id)
	maps.DeleteFunc(r.tags, func(_ string, named digest.Digest) bool { return named == id })
}

// Manifest is the body of what a tag names; nil for nothing.
func (g *Registry) Manifest(repo, tag string) []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	if r := g.repos[repo]; r != nil {
		return slices.Clone(r.manifests[r.tags[tag]].body)
	}
	return nil
}

// Tags is what each tag of a repository names.
func (g *Registry) Tags(repo string) map[string]string {
	g.mu.Lock()
	defer g.mu.Unlock()
	tags := map[string]string{}
	if r := g.repos[repo]; r != nil {
		for tag, id := range r.tags {
			tags[tag] = id.String()
		}
	}
	return tags
}

// Throttle has the next n requests with a good login answered that they are too many.
func (g *Registry) Throttle(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.throttled = n
}

// request is one, taken apart.
type request struct {
	*http.Request
	repo, kind, rest string // "acme/fleet", one of the kinds below, and a tag, a digest or an upload
	body             []byte
}

// The kinds of a request.
const (
	tagList   = "/tags/list"
	manifests = "/manifests/"
	uploads   = "/blobs/uploads/"
	blobs     = "/blobs/"
	ping      = ""
)

func parse(r *http.Request, body []byte) request {
	path := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/v2"), "/")
	for _, kind := range []string{tagList, uploads, manifests, blobs} {
		if i := strings.LastIndex(path, kind); i >= 0 {
			return request{r, path[:i], kind, path[i+len(kind):], body}
		}
	}
	return request{r, path, ping, "", body}
}

func (g *Registry) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body) // which a client may send slowly
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	req := parse(r, body)
	switch {
	case g.login().Token != "" && r.URL.Path == g.login().Token:
		g.giveToken(w, r)
	case !g.authorized(w, req):
	case g.throttled > 0:
		g.throttled--
		g.answer(w, req, g.vendor.Throttled.or(plain.throttled))
	default:
		g.serve(w, req)
	}
}

func (g *Registry) serve(w http.ResponseWriter, r request) {
	handlers := map[string]func(http.ResponseWriter, request){
		http.MethodGet + tagList:      g.listTags,
		http.MethodGet + manifests:    g.getManifest,
		http.MethodHead + manifests:   g.getManifest,
		http.MethodPut + manifests:    g.putManifest,
		http.MethodDelete + manifests: g.deleteManifest,
		http.MethodPost + uploads:     g.beginUpload,
		http.MethodPut + uploads:      g.endUpload,
		http.MethodDelete + uploads:   g.endUpload,
		http.MethodGet + blobs:        g.getBlob,
		http.MethodHead + blobs:       g.getBlob,
		http.MethodGet + ping:         g.ping,
	}
	if handle := handlers[r.Method+r.kind]; handle != nil {
		handle(w, r)
		return
	}
	g.answer(w, r, plain.unsupported)
}

// ping answers at the root, and 404 to all that is not known, such as referrers.
func (g *Registry) ping(w http.ResponseWriter, r request) {
	if r.repo != "" {
		g.answer(w, r, Answer{Status: http.StatusNotFound, Text: "404 page not found"})
	}
}

// answer writes one of the vendor's words. A 401 has a challenge.
func (g *Registry) answer(w http.ResponseWriter, r request, a Answer) {
	if a.Status == http.StatusUnauthorized {
		g.challenge(w, r)
	}
	if a.Text != "" {
		http.Error(w, a.Text, a.Status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.Status)
	if a.Code == "" {
		return
	}
	said := map[string]any{"code": a.Code, "message": r.fill(a.Message, "")}
	if a.Detail != "" {
		said["detail"] = json.RawMessage(r.fill(a.Detail, ""))
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []any{said}})
}

// fill puts the request's own into a text.
func (r request) fill(text, action string) string {
	if action == "" {
		action = r.action()
	}
	return strings.NewReplacer(
		"{origin}", cmp.Or(r.URL.Scheme, "http")+"://"+r.Host, "{host}", r.Host, "{repo}", r.repo, "{name}", r.repo[strings.LastIndex(r.repo, "/")+1:],
		"{tag}", r.rest, "{action}", action,
	).Replace(text)
}
