//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

type object = map[string]any

// gitHub is the part of GitHub's API that the modes ask: one branch, statuses, workflow runs, one list of issues.
type gitHub struct {
	*httptest.Server

	mu       sync.Mutex
	commits  []string // the oldest first
	times    map[string]time.Time
	statuses map[string][]object // of each commit, the newest first
	issues   []object
}

func startGitHub(t *testing.T) *gitHub {
	t.Helper()
	g := &gitHub{times: map[string]time.Time{}, statuses: map[string][]object{}}
	const repo = "/repos/" + repository
	mux := http.NewServeMux()
	handle := func(pattern string, answer func(*http.Request) (int, any)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			g.mu.Lock()
			defer g.mu.Unlock()
			status, body := answer(r)
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(body)
		})
	}
	handle("GET "+repo+"/git/commits/{sha}", g.commit)
	handle("GET "+repo+"/compare/{range}", g.compare)
	mux.HandleFunc("GET "+repo+"/commits", g.list)
	handle("GET "+repo+"/commits/{sha}/status", g.combined)
	handle("GET "+repo+"/commits/{sha}/statuses", func(r *http.Request) (int, any) {
		return http.StatusOK, append([]object{}, g.statuses[r.PathValue("sha")]...)
	})
	handle("GET "+repo+"/actions/runs", func(*http.Request) (int, any) {
		return http.StatusOK, object{"total_count": 0, "workflow_runs": []any{}}
	})
	handle("GET "+repo+"/issues", g.open)
	handle("POST "+repo+"/issues", g.openIssue)
	handle("POST "+repo+"/issues/{n}/comments", func(*http.Request) (int, any) { return http.StatusCreated, object{"id": 1} })
	handle("PATCH "+repo+"/issues/{n}", g.edit)
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+apiToken {
			http.Error(w, `{"message":"Bad credentials"}`, http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(g.Close)
	return g
}

func (g *gitHub) push(sha string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.commits = append(g.commits, sha)
	g.times[sha] = time.Now().UTC().Truncate(time.Second).Add(time.Duration(len(g.commits)) * time.Second)
}

// backdate makes a commit older than it is.
func (g *gitHub) backdate(sha string, age time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.times[sha] = time.Now().UTC().Truncate(time.Second).Add(-age)
}

func (g *gitHub) time(sha string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.times[sha].Format(time.RFC3339)
}

func (g *gitHub) status(sha, state, context string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.statuses[sha] = append([]object{{
		"id": 1, "state": state, "context": context, "description": "reconciliation succeeded", "updated_at": time.Now().UTC().Format(time.RFC3339),
	}}, g.statuses[sha]...)
}

// titles are those of the issues that are open.
func (g *gitHub) titles() (open []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, issue := range g.issues {
		if issue["state"] == "open" {
			open = append(open, fmt.Sprint(issue["title"]))
		}
	}
	return open
}

func (g *gitHub) commit(r *http.Request) (int, any) {
	sha := r.PathValue("sha")
	at, ok := g.times[sha]
	if !ok {
		return http.StatusNotFound, object{"message": "Not Found"}
	}
	return http.StatusOK, object{"sha": sha, "committer": object{"date": at}}
}

func (g *gitHub) compare(r *http.Request) (int, any) {
	base, head, _ := strings.Cut(r.PathValue("range"), "...")
	from, to := slices.Index(g.commits, base), slices.Index(g.commits, head)
	switch {
	case from < 0 || to < 0:
		return http.StatusNotFound, object{"message": "Not Found"}
	case from > to:
		return http.StatusOK, object{"status": "behind"}
	case from == to:
		return http.StatusOK, object{"status": "identical"}
	default:
		return http.StatusOK, object{"status": "ahead"}
	}
}

// list is the first page, of one commit, of those that lead to a commit, or to the branch's newest. How many pages there are
// is the commit's height.
func (g *gitHub) list(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	i := len(g.commits) - 1
	if sha := r.FormValue("sha"); len(sha) == 40 {
		i = slices.Index(g.commits, sha)
	}
	switch {
	case len(g.commits) == 0:
		w.WriteHeader(http.StatusConflict)
		_ = json.NewEncoder(w).Encode(object{"message": "Git Repository is empty."})
		return
	case i < 0:
		w.WriteHeader(http.StatusNotFound)
		_ = json.NewEncoder(w).Encode(object{"message": "Not Found"})
		return
	}
	sha, parents := g.commits[i], []object{}
	if i > 0 {
		parents = append(parents, object{"sha": g.commits[i-1]})
		w.Header().Set("Link", fmt.Sprintf(`<%s%s?page=2>; rel="next", <%[1]s%[2]s?page=%[3]d>; rel="last"`, g.URL, r.URL.Path, i+1))
	}
	_ = json.NewEncoder(w).Encode([]object{{"sha": sha, "commit": object{"committer": object{"date": g.times[sha]}}, "parents": parents}})
}

func (g *gitHub) combined(r *http.Request) (int, any) {
	sha := r.PathValue("sha")
	statuses := append([]object{}, g.statuses[sha]...)
	return http.StatusOK, object{"sha": sha, "state": "success", "total_count": len(statuses), "statuses": statuses}
}

func (g *gitHub) open(*http.Request) (int, any) {
	open := []object{}
	for _, issue := range g.issues {
		if issue["state"] == "open" {
			open = append(open, issue)
		}
	}
	return http.StatusOK, open
}

func (g *gitHub) openIssue(r *http.Request) (int, any) {
	issue := object{}
	if err := json.NewDecoder(r.Body).Decode(&issue); err != nil {
		return http.StatusBadRequest, object{"message": "Problems parsing JSON"}
	}
	n := len(g.issues) + 1
	issue["number"], issue["state"] = n, "open"
	issue["html_url"] = fmt.Sprintf("https://github.com/%s/issues/%d", repository, n)
	issue["labels"] = []object{{"name": "oci-promote"}}
	g.issues = append(g.issues, issue)
	return http.StatusCreated, issue
}

func (g *gitHub) edit(r *http.Request) (int, any) {
	for _, issue := range g.issues {
		if fmt.Sprint(issue["number"]) != r.PathValue("n") {
			continue
		}
		change := object{}
		if err := json.NewDecoder(r.Body).Decode(&change); err != nil {
			return http.StatusBadRequest, object{"message": "Problems parsing JSON"}
		}
		for key, value := range change {
			if key != "labels" {
				issue[key] = value
			}
		}
		return http.StatusOK, issue
	}
	return http.StatusNotFound, object{"message": "Not Found"}
}
