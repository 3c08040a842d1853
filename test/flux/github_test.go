package flux

import (
	"crypto/sha1"
	"encoding/hex"
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

const (
	fleet    = "acme/fleet"
	apiToken = "ghs_secrettoken" // notification-controller's and the workflows'
)

// gitHub stands in for GitHub: one branch of commits, their statuses, and no workflow run or issue. It refuses what GitHub
// refuses: another token, an unknown commit, a description of more than 140 characters.
type gitHub struct {
	*httptest.Server

	mu         sync.Mutex
	commits    []commit // the oldest first
	statuses   []status // in the order in which they came
	dispatches []object
	outage     int // the status that everything is answered with; 0 for none
}

type commit struct {
	sha, message string
	at           time.Time
}

type status struct {
	ID          int       `json:"id"`
	SHA         string    `json:"-"`
	State       string    `json:"state"`
	Context     string    `json:"context"`
	Description string    `json:"description"`
	Updated     time.Time `json:"updated_at"`
}

func startGitHub(t *testing.T) *gitHub {
	t.Helper()
	g := &gitHub{}
	const repo = "/repos/" + fleet
	mux := http.NewServeMux()
	handle := func(pattern string, answer func(*http.Request) (int, any)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			g.mu.Lock()
			code, body := answer(r)
			g.mu.Unlock()
			if link, ok := body.(page); ok {
				w.Header().Set("Link", fmt.Sprintf(`<%s/x?page=%d>; rel="last"`, g.URL, link.last))
				body = link.items
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(code)
			_ = json.NewEncoder(w).Encode(body)
		})
	}
	handle("GET "+repo, func(*http.Request) (int, any) {
		return http.StatusOK, object{"full_name": fleet, "default_branch": "main"}
	})
	handle("GET "+repo+"/git/commits/{sha}", g.gitCommit)
	handle("GET "+repo+"/commits", g.list)
	handle("GET "+repo+"/commits/{sha}", g.one)
	handle("GET "+repo+"/compare/{range}", g.compare)
	handle("GET "+repo+"/commits/{sha}/status", g.combined)
	handle("GET "+repo+"/commits/{sha}/statuses", g.history)
	handle("POST "+repo+"/statuses/{sha}", g.post)
	handle("POST "+repo+"/dispatches", g.dispatch)
	handle("GET "+repo+"/issues", func(*http.Request) (int, any) { return http.StatusOK, []any{} })
	handle("GET "+repo+"/actions/runs", func(*http.Request) (int, any) {
		return http.StatusOK, object{"total_count": 0, "workflow_runs": []any{}}
	})
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		outage := g.outage
		g.mu.Unlock()
		switch api, ok := strings.CutPrefix(r.URL.Path, "/api/v3"); {
		case outage != 0:
			http.Error(w, outages[outage], outage)
		case !ok:
			http.NotFound(w, r)
		case r.Header.Get("Authorization") != "Bearer "+apiToken:
			http.Error(w, `{"message":"Bad credentials"}`, http.StatusUnauthorized)
		default:
			r.URL.Path = api
			mux.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(g.Close)
	return g
}

// page is one page of a list, and the number of the last.
type page struct {
	items any
	last  int
}

var (
	notFound = object{"message": "Not Found"}
	noCommit = object{"message": "No commit found for SHA"}
)

// push makes the newest commit of the branch.
func (g *gitHub) push(message string) commit {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := commit{shaOf(len(g.commits), message), message, time.Now().UTC().Truncate(time.Second)}
	g.commits = append(g.commits, c)
	return c
}

// next is what push will make of the message.
func (g *gitHub) next(message string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return shaOf(len(g.commits), message)
}

func shaOf(n int, message string) string {
	sum := sha1.Sum(fmt.Appendf(nil, "%d %s", n, message))
	return hex.EncodeToString(sum[:])
}

// fail has everything answered with a status of outages, or with 0 as it should be.
func (g *gitHub) fail(status int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.outage = status
}

// outages are what GitHub says with a status.
var outages = map[int]string{
	http.StatusForbidden:  `{"message":"Resource not accessible by personal access token"}`,
	http.StatusBadGateway: `{"message":"unicorn"}`,
}

// status is the newest of a commit and a context; the zero status where there is none.
func (g *gitHub) status(sha, context string) status {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, s := range slices.Backward(g.statuses) {
		if s.SHA == sha && strings.EqualFold(s.Context, context) {
			return s
		}
	}
	return status{}
}

func (g *gitHub) index(sha string) int {
	return slices.IndexFunc(g.commits, func(c commit) bool { return c.sha == sha })
}

func (c commit) json() object {
	return object{"sha": c.sha, "committer": object{"date": c.at}, "commit": object{"message": c.message, "committer": object{"date": c.at}}}
}

func (g *gitHub) gitCommit(r *http.Request) (int, any) {
	i := g.index(r.PathValue("sha"))
	if i < 0 {
		return http.StatusNotFound, notFound
	}
	return http.StatusOK, g.commits[i].json()
}

func (g *gitHub) one(r *http.Request) (int, any) {
	i := g.index(r.PathValue("sha"))
	if i < 0 {
		return http.StatusUnprocessableEntity, noCommit
	}
	return http.StatusOK, g.commits[i].json()
}

// list is the first page, of one commit, of those that lead to a commit, or to the newest. The number of pages is how many
// lead to it. All touch all paths.
func (g *gitHub) list(r *http.Request) (int, any) {
	i := len(g.commits) - 1
	if sha := r.FormValue("sha"); sha != "" {
		i = g.index(sha)
	}
	if i < 0 {
		return http.StatusNotFound, notFound
	}
	c := g.commits[i].json()
	c["parents"] = []any{}
	if i == 0 {
		return http.StatusOK, []any{c}
	}
	c["parents"] = []any{object{"sha": g.commits[i-1].sha}}
	return http.StatusOK, page{[]any{c}, i + 1}
}

func (g *gitHub) compare(r *http.Request) (int, any) {
	base, head, _ := strings.Cut(r.PathValue("range"), "...")
	from, to := g.index(base), g.index(head)
	switch {
	case from < 0 || to < 0:
		return http.StatusNotFound, notFound
	case from > to:
		return http.StatusOK, object{"status": "behind", "behind_by": from - to}
	case from == to:
		return http.StatusOK, object{"status": "identical"}
	default:
		return http.StatusOK, object{"status": "ahead", "ahead_by": to - from}
	}
}

// of are a commit's statuses, the newest first.
func (g *gitHub) of(sha string) []status {
	found := []status{}
	for _, s := range slices.Backward(g.statuses) {
		if s.SHA == sha {
			found = append(found, s)
		}
	}
	return found
}

func (g *gitHub) combined(r *http.Request) (int, any) {
	sha := r.PathValue("sha")
	if g.index(sha) < 0 {
		return http.StatusUnprocessableEntity, noCommit
	}
	newest := []status{}
	for _, s := range g.of(sha) {
		if !slices.ContainsFunc(newest, func(n status) bool { return strings.EqualFold(n.Context, s.Context) }) {
			newest = append(newest, s)
		}
	}
	return http.StatusOK, object{"sha": sha, "statuses": newest, "total_count": len(newest)}
}

func (g *gitHub) history(r *http.Request) (int, any) {
	return http.StatusOK, g.of(r.PathValue("sha"))
}

func (g *gitHub) post(r *http.Request) (int, any) {
	s := status{ID: len(g.statuses) + 1, SHA: r.PathValue("sha"), Updated: time.Now().UTC().Truncate(time.Second)}
	updated := s.Updated
	if err := json.NewDecoder(r.Body).Decode(&s); err != nil {
		return http.StatusBadRequest, object{"message": err.Error()}
	}
	s.Updated = updated
	switch {
	case g.index(s.SHA) < 0:
		return http.StatusUnprocessableEntity, noCommit
	case len(s.Description) > 140:
		return http.StatusUnprocessableEntity, object{"message": "Validation Failed: description is too long (maximum is 140 characters)"}
	}
	g.statuses = append(g.statuses, s)
	return http.StatusCreated, s
}

func (g *gitHub) dispatch(r *http.Request) (int, any) {
	var d object
	if err := json.NewDecoder(r.Body).Decode(&d); err != nil {
		return http.StatusBadRequest, object{"message": err.Error()}
	}
	g.dispatches = append(g.dispatches, d)
	return http.StatusNoContent, nil
}
