package chaos

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/oci-promote/oci-promote/test/programtest"
)

// GitHub's API of a cell is below this prefix and the cell's name.
const (
	hubPrefix = "/hub/"
	hubToken  = "ghs_secrettoken"
)

// history is all commits of the git repository, the oldest first.
var history = []string{programtest.CommitA, programtest.CommitB, programtest.CommitC}

// hub answers as GitHub does for a git repository with that history, whose commits all touch all directories and have
// the statuses given, by commit. The cell keeps the releases.
func hub(statuses map[string]string) func(c *cell) http.Handler {
	const root = "/repos/acme/fleet/"
	return func(c *cell) http.Handler {
		mux := http.NewServeMux()
		mux.HandleFunc("GET "+root+"compare/{range}", func(w http.ResponseWriter, r *http.Request) {
			base, head, _ := strings.Cut(r.PathValue("range"), "...")
			from, to := slices.Index(history, base), slices.Index(history, head)
			switch {
			case from < 0 || to < 0:
				hubSays(w, http.StatusNotFound, message("Not Found"))
			case from == to:
				hubSays(w, http.StatusOK, map[string]any{"status": "identical", "commits": []any{}})
			case from > to:
				hubSays(w, http.StatusOK, map[string]any{"status": "behind", "commits": []any{}})
			default:
				hubSays(w, http.StatusOK, map[string]any{"status": "ahead", "commits": commits(history[from+1 : to+1])})
			}
		})
		mux.HandleFunc("GET "+root+"commits", func(w http.ResponseWriter, r *http.Request) {
			if query := r.URL.Query(); query.Has("sha") && !query.Has("path") {
				hubCounts(w, query.Get("sha"))
				return
			}
			newest := slices.Clone(history)
			slices.Reverse(newest)
			hubSays(w, http.StatusOK, commits(newest))
		})
		mux.HandleFunc("GET "+root+"commits/{sha}/status", func(w http.ResponseWriter, r *http.Request) {
			list := hubStatuses(statuses, r.PathValue("sha"))
			hubSays(w, http.StatusOK, map[string]any{"sha": r.PathValue("sha"), "total_count": len(list), "statuses": list})
		})
		mux.HandleFunc("GET "+root+"commits/{sha}/statuses", func(w http.ResponseWriter, r *http.Request) {
			hubSays(w, http.StatusOK, hubStatuses(statuses, r.PathValue("sha")))
		})
		mux.HandleFunc("GET "+root+"commits/{ref...}", func(w http.ResponseWriter, r *http.Request) {
			hubSays(w, http.StatusUnprocessableEntity, message("No commit found for SHA: "+r.PathValue("ref")))
		})
		mux.HandleFunc("GET "+root+"actions/runs", func(w http.ResponseWriter, _ *http.Request) {
			hubSays(w, http.StatusOK, map[string]any{"total_count": 0, "workflow_runs": []any{}})
		})
		mux.HandleFunc("GET "+root+"releases/tags/{tag}", c.release)
		mux.HandleFunc("POST "+root+"releases", c.createRelease)
		mux.HandleFunc("POST "+root+"releases/generate-notes", func(w http.ResponseWriter, r *http.Request) {
			hubSays(w, http.StatusOK, map[string]string{"name": "v", "body": "notes"})
		})
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer "+hubToken {
				hubSays(w, http.StatusUnauthorized, message("Bad credentials"))
				return
			}
			http.StripPrefix(hubPrefix+c.repo, mux).ServeHTTP(w, r)
		})
	}
}

// hubStatuses are those of a commit: one, if it has any.
func hubStatuses(statuses map[string]string, sha string) []any {
	list := []any{}
	if context, ok := statuses[sha]; ok {
		list = append(list, map[string]any{"id": 1, "state": "success", "context": context, "description": "reconciliation succeeded", "updated_at": "2026-01-03T00:00:00Z"})
	}
	return list
}

// hubCounts answers the list of the commits that lead to one, of one commit a page: the last page is the height.
func hubCounts(w http.ResponseWriter, sha string) {
	at := slices.Index(history, sha)
	if at < 0 {
		hubSays(w, http.StatusNotFound, message("Not Found"))
		return
	}
	if at > 0 {
		w.Header().Set("Link", fmt.Sprintf(`<https://api.github.com/commits?page=2>; rel="next", <https://api.github.com/commits?page=%d>; rel="last"`, at+1))
	}
	hubSays(w, http.StatusOK, commits(history[at:at+1]))
}

func (c *cell) release(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.releases[r.PathValue("tag")]; !ok {
		hubSays(w, http.StatusNotFound, message("Not Found"))
		return
	}
	hubSays(w, http.StatusOK, map[string]string{"html_url": "https://github.com/acme/fleet/releases/tag/" + r.PathValue("tag")})
}

func (c *cell) createRelease(w http.ResponseWriter, r *http.Request) {
	var release struct {
		Tag    string `json:"tag_name"`
		Commit string `json:"target_commitish"`
	}
	if err := json.NewDecoder(r.Body).Decode(&release); err != nil {
		hubSays(w, http.StatusBadRequest, message("Problems parsing JSON"))
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.releases[release.Tag]; ok {
		hubSays(w, http.StatusUnprocessableEntity, map[string]any{
			"message": "Validation Failed", "errors": []any{map[string]string{"resource": "Release", "code": "already_exists", "field": "tag_name"}},
		})
		return
	}
	c.releases[release.Tag] = release.Commit
	hubSays(w, http.StatusCreated, map[string]string{"html_url": "https://github.com/acme/fleet/releases/tag/" + release.Tag})
}

func hubSays(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}

func message(text string) map[string]string { return map[string]string{"message": text} }

// commits are in the form of the API, dated as programtest.DayOf does.
func commits(shas []string) []any {
	list := []any{}
	for _, sha := range shas {
		at := slices.Index(history, sha)
		parents := []any{}
		for _, parent := range history[max(at-1, 0):at] {
			parents = append(parents, map[string]string{"sha": parent})
		}
		day := fmt.Sprintf("2026-01-%02dT00:00:00Z", at+1)
		list = append(list, map[string]any{
			"sha": sha, "parents": parents, "commit": map[string]any{"message": "fix: " + sha, "committer": map[string]string{"date": day}},
		})
	}
	return list
}
