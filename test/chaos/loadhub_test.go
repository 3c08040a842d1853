package chaos

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// loadCommit is a commit of a history that is one line with branches of one commit.
type loadCommit struct {
	sha           string
	parent        *loadCommit
	height        int // how many commits lead to it, itself included
	created       time.Time
	content, bump string
}

func (c *loadCommit) contains(other *loadCommit) bool {
	for ; c != nil; c = c.parent {
		if c == other {
			return true
		}
	}
	return false
}

// loadHub is a GitHub that tells the order of commits, if it may, and the statuses that a cluster posted.
type loadHub struct {
	*httptest.Server
	secret   bool // the token may not read the history
	mu       sync.Mutex
	commits  map[string]*loadCommit
	statuses map[string][]loadStatus
}

type loadStatus struct {
	ID      int       `json:"id"`
	Context string    `json:"context"`
	State   string    `json:"state"`
	Words   string    `json:"description"`
	Updated time.Time `json:"updated_at"`
}

const loadToken = "ghs_load"

func startLoadHub(t *testing.T, secret bool) *loadHub {
	t.Helper()
	h := &loadHub{secret: secret, commits: map[string]*loadCommit{}, statuses: map[string][]loadStatus{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /repos/acme/fleet/compare/{range}", h.compare)
	mux.HandleFunc("GET /repos/acme/fleet/commits/{sha}/status", h.status)
	mux.HandleFunc("GET /repos/acme/fleet/commits/{sha}/statuses", h.history)
	h.Server = httptest.NewServer(mux)
	t.Cleanup(h.Close)
	return h
}

func (h *loadHub) compare(w http.ResponseWriter, r *http.Request) {
	base, head, _ := strings.Cut(r.PathValue("range"), "...")
	h.mu.Lock()
	defer h.mu.Unlock()
	from, to := h.commits[base], h.commits[head]
	status := "diverged"
	switch {
	case h.secret:
		hubSays(w, http.StatusForbidden, message("Resource not accessible by integration"))
		return
	case from == nil || to == nil:
		hubSays(w, http.StatusNotFound, message("Not Found"))
		return
	case from == to:
		status = "identical"
	case to.contains(from):
		status = "ahead"
	case from.contains(to):
		status = "behind"
	}
	hubSays(w, http.StatusOK, map[string]string{"status": status})
}

func (h *loadHub) status(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	sha := r.PathValue("sha")
	hubSays(w, http.StatusOK, map[string]any{"sha": sha, "statuses": append([]loadStatus{}, h.statuses[sha]...)})
}

func (h *loadHub) history(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := append([]loadStatus{}, h.statuses[r.PathValue("sha")]...)
	slices.Reverse(all)
	hubSays(w, http.StatusOK, all)
}

func (h *loadHub) post(sha, context, state string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.statuses[sha] = append(h.statuses[sha], loadStatus{len(h.statuses[sha]) + 1, context, state, "reconciliation succeeded", time.Now().UTC()})
}

func (h *loadHub) add(c *loadCommit) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.commits[c.sha] = c
}
