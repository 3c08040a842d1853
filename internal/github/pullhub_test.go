package github

import (
	"crypto/sha1"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// hub is a GitHub with a history, pull requests and their comments. It keeps what it is told, as GitHub does.
type hub struct {
	keeper
	now     time.Time // an hour passes with each commit
	parents map[string][]string
	dates   map[string]time.Time
	order   []string // commits, parents first
	main    string   // the newest commit of the branch
	pulls   []*hubPull
	ids     int64
	lag     int   // so many comments, the newest of all, are not listed yet
	writer  int64 // the user whose token it is
}

type hubPull struct {
	number          int
	merged, updated time.Time
	commit, base    string // merge_commit_sha
	files           [][2]string
	locked, gone    bool
	comments        []hubComment
}

type hubComment struct {
	id, user int64
	body     string
}

const api = "/api/v3/repos/acme/fleet/"

func startHub(t *testing.T) *hub {
	t.Helper()
	h := &hub{now: time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC), parents: map[string][]string{}, dates: map[string]time.Time{}, writer: 7}
	h.keep(t, api, "/comments", map[string]http.HandlerFunc{
		"GET compare/{range}":         h.compare,
		"GET commits":                 h.head,
		"GET pulls":                   h.closed,
		"GET pulls/{n}/files":         h.files,
		"GET issues/{n}/comments":     h.listComments,
		"POST issues/{n}/comments":    h.comment,
		"DELETE issues/comments/{id}": h.uncomment,
	})
	h.push("first")
	return h
}

func hash(name string) string { return fmt.Sprintf("%x", sha1.Sum([]byte(name))) }

// commit adds a commit of that name, an hour after the last.
func (h *hub) commit(name string, parents ...string) string {
	sha := hash(name)
	h.now = h.now.Add(time.Hour)
	h.parents[sha], h.dates[sha], h.order = parents, h.now, append(h.order, sha)
	return sha
}

// push adds a commit to main, without a pull request.
func (h *hub) push(name string) string {
	if h.main == "" {
		h.main = h.commit(name)
	} else {
		h.main = h.commit(name, h.main)
	}
	return h.main
}

func (h *hub) pull(merge string, files ...string) *hubPull {
	p := &hubPull{number: len(h.pulls) + 1, commit: merge, base: "main", merged: h.now, updated: h.now}
	for _, name := range files {
		p.files = append(p.files, [2]string{name})
	}
	h.pulls = append(h.pulls, p)
	return p
}

func (h *hub) squash(files ...string) *hubPull {
	return h.pull(h.push(fmt.Sprint("squashed ", len(h.pulls))), files...)
}

func (h *hub) rebase(files ...string) *hubPull {
	h.push(fmt.Sprint("rebased ", len(h.pulls)))
	return h.pull(h.push(fmt.Sprint("rebased on top ", len(h.pulls))), files...)
}

// merge merges a branch of two commits that left main at a commit.
func (h *hub) merge(from string, files ...string) *hubPull {
	branch := h.commit(fmt.Sprint("on a branch ", len(h.pulls)), from)
	branch = h.commit(fmt.Sprint("and on ", len(h.pulls)), branch)
	h.main = h.commit(fmt.Sprint("merge ", len(h.pulls)), h.main, branch)
	return h.pull(h.main, files...)
}

// contained are a commit and all before it.
func (h *hub) contained(sha string) map[string]bool {
	all := map[string]bool{}
	for todo := []string{sha}; len(todo) > 0; todo = todo[1:] {
		if sha := todo[0]; !all[sha] {
			all[sha] = true
			todo = append(todo, h.parents[sha]...)
		}
	}
	return all
}

func (h *hub) compare(w http.ResponseWriter, r *http.Request) {
	base, head, _ := strings.Cut(r.PathValue("range"), "...")
	of, to := h.contained(base), h.contained(head)
	common := slices.ContainsFunc(h.order, func(sha string) bool { return of[sha] && to[sha] })
	if h.parents[base] == nil && base != h.order[0] || h.parents[head] == nil && head != h.order[0] || !common {
		says(404, notFound)(w, r)
		return
	}
	var ahead []commit
	behind := 0
	for _, sha := range h.order {
		if to[sha] && !of[sha] {
			ahead = append(ahead, commit{sha, "x", h.dates[sha].Format(time.RFC3339)})
		} else if of[sha] && !to[sha] {
			behind++
		}
	}
	status := "diverged"
	switch {
	case len(ahead) == 0 && behind == 0:
		status = "identical"
	case behind == 0:
		status = "ahead"
	case len(ahead) == 0:
		status = "behind"
	}
	page(w, r, ahead, status)
}

func (h *hub) head(w http.ResponseWriter, r *http.Request) {
	page(w, r, []commit{{h.main, "x", h.dates[h.main].Format(time.RFC3339)}}, "")
}

func (h *hub) closed(w http.ResponseWriter, r *http.Request) {
	if q := r.URL.Query(); q.Get("state") != "closed" || q.Get("sort") != "updated" || q.Get("direction") != "desc" || q.Has("base") {
		panic("other pull requests are asked for: " + r.URL.RawQuery)
	}
	sorted := slices.SortedStableFunc(slices.Values(h.pulls), func(a, b *hubPull) int { return b.updated.Compare(a.updated) })
	listed := []any{}
	for _, p := range sorted {
		var merged any
		if !p.merged.IsZero() {
			merged = p.merged
		}
		listed = append(listed, map[string]any{
			"number": p.number, "state": "closed", "locked": p.locked, "title": "x", "merged_at": merged, "updated_at": p.updated,
			"merge_commit_sha": p.commit, "base": map[string]any{"ref": p.base},
		})
	}
	_ = json.NewEncoder(w).Encode(pageOf(w, r, "page", listed))
}

func (h *hub) files(w http.ResponseWriter, r *http.Request) {
	p, ok := h.numbered(w, r)
	if !ok {
		return
	}
	listed := []any{}
	for _, f := range p.files {
		file := map[string]any{"filename": f[0], "status": "modified"}
		if f[1] != "" {
			file["status"], file["previous_filename"] = "renamed", f[1]
		}
		listed = append(listed, file)
	}
	_ = json.NewEncoder(w).Encode(pageOf(w, r, "page", listed))
}

func (h *hub) listComments(w http.ResponseWriter, r *http.Request) {
	p, ok := h.numbered(w, r)
	if !ok {
		return
	}
	listed := []any{}
	for _, c := range p.comments {
		if c.id <= h.ids-int64(h.lag) {
			listed = append(listed, c.json())
		}
	}
	_ = json.NewEncoder(w).Encode(pageOf(w, r, "page", listed))
}

func (c hubComment) json() map[string]any {
	return map[string]any{"id": c.id, "body": c.body, "user": map[string]any{"login": "x", "id": c.user}, "html_url": "x"}
}

func (h *hub) numbered(w http.ResponseWriter, r *http.Request) (*hubPull, bool) {
	n, _ := strconv.Atoi(r.PathValue("n"))
	p := h.pulls[n-1]
	if p.gone {
		says(410, `{"message":"This issue was deleted","documentation_url":"https://docs.github.com/v3/issues/","status":"410"}`)(w, r)
	}
	return p, !p.gone
}

func (h *hub) comment(w http.ResponseWriter, r *http.Request) {
	p, ok := h.numbered(w, r)
	switch {
	case !ok:
		return
	case p.locked:
		says(403, `{"message":"Unable to create comment because issue is locked.","documentation_url":"https://docs.github.com/articles/locking-conversations/","status":"403"}`)(w, r)
		return
	}
	var asked struct{ Body string }
	_ = json.NewDecoder(r.Body).Decode(&asked)
	c := h.say(p, h.writer, strings.ReplaceAll(asked.Body, "\n", "\r\n"))
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(c.json())
}

// say lets somebody comment. That is an update of the pull request, too.
func (h *hub) say(p *hubPull, user int64, body string) hubComment {
	h.ids++
	c := hubComment{h.ids, user, body}
	p.comments, p.updated = append(p.comments, c), h.now.Add(time.Hour)
	return c
}

func (h *hub) uncomment(w http.ResponseWriter, r *http.Request) {
	id, _ := strconv.ParseInt(r.PathValue("id"), 10, 64)
	for _, p := range h.pulls {
		if i := slices.IndexFunc(p.comments, func(c hubComment) bool { return c.id == id }); i >= 0 {
			p.comments = slices.Delete(p.comments, i, i+1)
			w.WriteHeader(http.StatusNoContent)
			return
		}
	}
	says(404, notFound)(w, r)
}

// asked is how many requests there were with that beginning.
func (h *hub) asked(prefix string) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, line := range h.requests {
		if strings.HasPrefix(line, prefix) {
			n++
		}
	}
	return n
}

// marked is how many comments of a pull request have the marker of what they are about.
func (p *hubPull) marked(about string) (n int) {
	for _, c := range p.comments {
		if isMarked(c.body, marker(about)) {
			n++
		}
	}
	return n
}
