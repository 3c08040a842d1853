// Package packagestest is GitHub's Packages API in memory, as far as it is about the versions of container packages: what it
// keeps, refuses and answers is docs/facts.md 39 and 40.
package packagestest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Hub is such an API. Its fields are set before the first request, or with Let; its methods may be called from many goroutines at
// once.
type Hub struct {
	Token   string                       // whoever has another one gets 401
	Now     func() time.Time             // the date of what is pushed; time.Now if nil
	May     func(method, id string) bool // what the token may do with a version, or with the list, whose id is empty; all if nil
	Deleted func(pkg, digest string)     // is told of each deletion before it is answered; may be nil

	mu     sync.Mutex
	mux    *http.ServeMux
	owners map[string]string     // login to type; a user's is not in it
	all    map[string][]*version // by OWNER/NAME, the oldest first
	newest int64                 // id
}

// Let sets what the token may do, also between requests.
func (h *Hub) Let(may func(method, id string) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.May = may
}

// The types of an owner.
const (
	organization = "Organization"
	user         = "User"
)

type version struct {
	id        int64
	digest    string
	tags      []string // the newest first
	pushed    time.Time
	downloads int
}

// Organization lets a login be an organisation's. Every other one is a user's.
func (h *Hub) Organization(login string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.owners == nil {
		h.owners = map[string]string{}
	}
	h.owners[login] = organization
}

// Push puts a manifest into the package OWNER/NAME and moves tags to it. It gives the version's id. A tag is no event of a
// version: its times stay.
func (h *Hub) Push(pkg, digest string, tags ...string) int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	v := h.find(pkg, digest)
	if v == nil {
		now := time.Now
		if h.Now != nil {
			now = h.Now
		}
		h.newest++
		v = &version{id: h.newest, digest: digest, pushed: now().UTC().Truncate(time.Second)}
		if h.all == nil {
			h.all = map[string][]*version{}
		}
		h.all[pkg] = append(h.all[pkg], v)
	}
	for _, tag := range tags {
		for _, other := range h.all[pkg] {
			other.tags = slices.DeleteFunc(other.tags, func(t string) bool { return t == tag })
		}
		v.tags = slices.Insert(v.tags, 0, tag)
	}
	return v.id
}

// Download has a version downloaded n more times.
func (h *Hub) Download(pkg, digest string, n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.find(pkg, digest).downloads += n
}

// Versions are the sorted tags of each digest of a package.
func (h *Hub) Versions(pkg string) map[string][]string {
	h.mu.Lock()
	defer h.mu.Unlock()
	found := map[string][]string{}
	for _, v := range h.all[pkg] {
		found[v.digest] = slices.Sorted(slices.Values(v.tags))
	}
	return found
}

// find is the version of a digest; nil for none.
func (h *Hub) find(pkg, digest string) *version {
	i := slices.IndexFunc(h.all[pkg], func(v *version) bool { return v.digest == digest })
	if i < 0 {
		return nil
	}
	return h.all[pkg][i]
}

// The base of the API of a GitHub Enterprise Server. On github.com there is none.
const enterprise = "/api/v3"

// ServeHTTP answers below the root, as api.github.com does, and below /api/v3.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.mux == nil {
		h.mux = h.routes()
	}
	if r.Header.Get("Authorization") != "Bearer "+h.Token {
		refuse(w, http.StatusUnauthorized, "Bad credentials")
		return
	}
	h.mux.ServeHTTP(w, r)
}

func (h *Hub) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for _, base := range []string{"", enterprise} {
		mux.HandleFunc("GET "+base+"/users/{owner}", h.owner)
		for path, kind := range map[string]string{"/orgs": organization, "/users": user} {
			versions := base + path + "/{owner}/packages/container/{name}/versions"
			mux.HandleFunc("GET "+versions, h.of(kind, h.list))
			mux.HandleFunc("GET "+versions+"/{id}", h.of(kind, h.one))
			mux.HandleFunc("DELETE "+versions+"/{id}", h.of(kind, h.remove))
		}
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { refuse(w, http.StatusNotFound, "Not Found") })
	return mux
}

func refuse(w http.ResponseWriter, status int, message string) {
	answer(w, status, map[string]string{"message": message, "documentation_url": "https://docs.github.com/rest", "status": strconv.Itoa(status)})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func (h *Hub) kind(login string) string { return cmp.Or(h.owners[strings.ToLower(login)], user) }

func (h *Hub) owner(w http.ResponseWriter, r *http.Request) {
	login := r.PathValue("owner")
	answer(w, http.StatusOK, map[string]any{"login": login, "id": 1, "type": h.kind(login), "site_admin": false})
}

// of serves what is asked of a package with an owner of this kind. Only a slash that is escaped once is one of the name.
func (h *Hub) of(kind string, serve func(w http.ResponseWriter, r *http.Request, pkg string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		pkg := strings.ToLower(r.PathValue("owner")) + "/" + r.PathValue("name")
		switch {
		case h.kind(r.PathValue("owner")) != kind:
			refuse(w, http.StatusNotFound, "Not Found")
		case len(h.all[pkg]) == 0 || h.May != nil && !h.May(r.Method, r.PathValue("id")):
			refuse(w, http.StatusNotFound, "Package not found.")
		default:
			serve(w, r, pkg)
		}
	}
}

func (h *Hub) list(w http.ResponseWriter, r *http.Request, pkg string) {
	n, size := 1, 30
	_, _ = fmt.Sscan(r.FormValue("page"), &n)
	_, _ = fmt.Sscan(r.FormValue("per_page"), &size)
	size = min(size, 100)
	all := slices.Clone(h.all[pkg])
	slices.Reverse(all)
	if n*size < len(all) {
		q := maps.Clone(r.URL.Query())
		q.Set("page", strconv.Itoa(n+1))
		w.Header().Set("Link", fmt.Sprintf(`<http://%s%s?%s>; rel="next"`, r.Host, r.URL.EscapedPath(), q.Encode()))
	}
	page := []any{}
	for _, v := range all[min((n-1)*size, len(all)):min(n*size, len(all))] {
		page = append(page, v.json(pkg))
	}
	answer(w, http.StatusOK, page)
}

func (v *version) json(pkg string) map[string]any {
	return map[string]any{
		"id": v.id, "name": v.digest, "created_at": v.pushed, "updated_at": v.pushed, "package_html_url": "https://github.com/" + pkg,
		"metadata": map[string]any{"package_type": "container", "container": map[string]any{"tags": append([]string{}, v.tags...)}},
	}
}

func (h *Hub) place(r *http.Request, pkg string) int {
	return slices.IndexFunc(h.all[pkg], func(v *version) bool { return strconv.FormatInt(v.id, 10) == r.PathValue("id") })
}

func (h *Hub) one(w http.ResponseWriter, r *http.Request, pkg string) {
	i := h.place(r, pkg)
	if i < 0 {
		refuse(w, http.StatusNotFound, "Package version not found.")
		return
	}
	answer(w, http.StatusOK, h.all[pkg][i].json(pkg))
}

func (h *Hub) remove(w http.ResponseWriter, r *http.Request, pkg string) {
	i := h.place(r, pkg)
	if i < 0 {
		refuse(w, http.StatusNotFound, "Package version not found.")
		return
	}
	v, others := h.all[pkg][i], 0
	for _, other := range h.all[pkg] {
		if other != v && len(other.tags) > 0 {
			others++
		}
	}
	switch {
	case len(v.tags) > 0 && others == 0:
		refuse(w, http.StatusBadRequest, "You cannot delete the last tagged version of a package. You must delete the package instead.")
	case v.downloads > 5000:
		refuse(w, http.StatusBadRequest, "Publicly visible package versions with more than 5000 downloads cannot be deleted. Contact GitHub support for further assistance.")
	default:
		h.all[pkg] = slices.Delete(h.all[pkg], i, i+1)
		if h.Deleted != nil {
			h.Deleted(pkg, v.digest)
		}
		w.WriteHeader(http.StatusNoContent)
	}
}
