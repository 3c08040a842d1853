// Package packages is ghcr.io with its GitHub, in memory: a registry that deletes nothing, and the Packages API that deletes a
// manifest there with all its tags. What is pushed to the one is a version of the other.
package packages

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/packagestest"
	"github.com/oci-promote/oci-promote/test/internet"
	"github.com/oci-promote/oci-promote/test/registrytest"
	"github.com/oci-promote/oci-promote/test/registrytest/vendors"
)

// The user and the token that both halves take: GITHUB_ACTOR and GITHUB_TOKEN, or username and password.
const (
	Actor = vendors.Robot
	Token = vendors.Password
)

// GitHub is both. Its methods may be called from many goroutines at once.
type GitHub struct {
	Registry *registrytest.Server // at Registry.Host, over plain HTTP
	API      *registrytest.Server // at APIURL
	Hub      *packagestest.Hub

	store   *vendors.Registry
	writing sync.Mutex // held while both halves change, so that they agree
}

// Start runs both halves until the test ends, each with a log and interceptors of its own. The owner acme is an organisation,
// every other one a user. now dates what is pushed; nil for the clock's time.
func Start(t testing.TB, now func() time.Time) *GitHub {
	t.Helper()
	i := slices.IndexFunc(vendors.Table, func(v vendors.Vendor) bool { return v.Name == "GHCR" })
	g := &GitHub{Hub: &packagestest.Hub{Token: Token, Now: now}, store: vendors.New(vendors.Table[i], vendors.Options{})}
	g.Hub.Organization("acme")
	g.Hub.Deleted = g.store.Remove
	g.Registry = registrytest.Front(t, http.HandlerFunc(g.serveRegistry))
	g.API = registrytest.Front(t, http.HandlerFunc(g.serveAPI))
	return g
}

// APIURL is what GITHUB_API_URL says on a GitHub Enterprise Server. The API answers below the root, too.
func (g *GitHub) APIURL() string { return "http://" + g.API.Host + "/api/v3" }

// Play lets both halves be github.com's on an internet, and gives the environment that leads the program to them: to it the
// repository ghcr.io/acme/fleet is this registry's.
func (g *GitHub) Play(n *internet.Internet) []string {
	n.Play("ghcr.io", g.Registry)
	n.Play("api.github.com", g.API)
	return append(n.Env(), "GITHUB_ACTOR="+Actor, "GITHUB_TOKEN="+Token, "GITHUB_API_URL=https://api.github.com")
}

// Put writes a manifest, and moves tags to it, past all that a client is refused. What it names is not looked for.
func (g *GitHub) Put(repo string, manifest []byte, tags ...string) (id string) {
	g.writing.Lock()
	defer g.writing.Unlock()
	g.store.Put(repo, manifest, tags...)
	id = digest.FromBytes(manifest).String()
	g.Hub.Push(repo, id, tags...)
	return id
}

// Tags is what each tag of a repository names.
func (g *GitHub) Tags(repo string) map[string]string { return g.store.Tags(repo) }

// Manifest is the body of what a tag names; nil for nothing.
func (g *GitHub) Manifest(repo, tag string) []byte { return g.store.Manifest(repo, tag) }

// serveRegistry makes a version of each manifest that is written, and tells its tag.
func (g *GitHub) serveRegistry(w http.ResponseWriter, r *http.Request) {
	repo, reference, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v2/"), "/manifests/")
	if r.Method != http.MethodPut || !ok {
		g.store.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body) // before the lock: a client may send it slowly
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := httptest.NewRecorder()
	g.write(answer, r, repo, reference)
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = answer.Body.WriteTo(w)
}

func (g *GitHub) write(answer *httptest.ResponseRecorder, r *http.Request, repo, reference string) {
	g.writing.Lock()
	defer g.writing.Unlock()
	g.store.ServeHTTP(answer, r)
	if answer.Code != http.StatusCreated {
		return
	}
	var tags []string
	id := answer.Header().Get("Docker-Content-Digest")
	if reference != id {
		tags = []string{reference}
	}
	g.Hub.Push(repo, id, tags...)
}

func (g *GitHub) serveAPI(w http.ResponseWriter, r *http.Request) {
	g.writing.Lock()
	defer g.writing.Unlock()
	g.Hub.ServeHTTP(w, r)
}
