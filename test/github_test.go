package test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content/oci"

	"github.com/oci-promote/oci-promote/test/programtest"
)

// gitHub is a GitHub API with one linear history, newest commit last.
type gitHub struct {
	*httptest.Server
	commits []gitCommit
	down    bool
}

type gitCommit struct {
	sha, message, touches string
}

const apiToken = "ghs_secrettoken"

func startGitHub(t *testing.T, commits ...gitCommit) *gitHub {
	t.Helper()
	g := &gitHub{commits: commits}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /repos/acme/fleet/git/commits/{sha}", g.commit)
	mux.HandleFunc("GET /repos/acme/fleet/compare/{range}", g.compare)
	mux.HandleFunc("GET /repos/acme/fleet/commits", g.list)
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Authorization") != "Bearer "+apiToken:
			http.Error(w, `{"message":"Bad credentials"}`, http.StatusUnauthorized)
		case g.down:
			http.Error(w, `{"message":"unicorn"}`, http.StatusBadGateway)
		default:
			mux.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(g.Close)
	return g
}

func (g *gitHub) index(sha string) int {
	for i, c := range g.commits {
		if c.sha == sha {
			return i
		}
	}
	return -1
}

func (g *gitHub) commit(w http.ResponseWriter, r *http.Request) {
	i := g.index(r.PathValue("sha"))
	if i < 0 {
		http.Error(w, `{"message":"Not Found"}`, http.StatusNotFound)
		return
	}
	_, _ = fmt.Fprintf(w, `{"sha":%q,"committer":{"date":"2026-11-01T00:00:%02dZ"}}`, g.commits[i].sha, i)
}

func (g *gitHub) compare(w http.ResponseWriter, r *http.Request) {
	base, head, _ := strings.Cut(r.PathValue("range"), "...")
	from, to := g.index(base), g.index(head)
	switch {
	case from < 0 || to < 0:
		http.Error(w, `{"message":"Not Found"}`, http.StatusNotFound)
	case from > to:
		_, _ = io.WriteString(w, `{"status":"behind"}`)
	case from == to:
		_, _ = io.WriteString(w, `{"status":"identical"}`)
	default:
		_, _ = fmt.Fprintf(w, `{"status":"ahead","commits":[%s]}`, encode(g.commits[from+1:to+1]))
	}
}

func (g *gitHub) list(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("path") == "" {
		g.count(w, r)
		return
	}
	var touching []gitCommit
	for i := g.index(r.FormValue("sha")); i >= 0; i-- {
		if g.commits[i].touches == r.FormValue("path") {
			touching = append(touching, g.commits[i])
		}
	}
	_, _ = fmt.Fprintf(w, `[%s]`, encode(touching))
}

// count is a list of the commits that lead to one, a page each: how many pages there are is its height.
func (g *gitHub) count(w http.ResponseWriter, r *http.Request) {
	i := g.index(r.FormValue("sha"))
	if len(r.Form) != 2 || r.FormValue("per_page") != "1" || i < 0 {
		http.Error(w, `{"message":"Not Found"}`, http.StatusNotFound) // with a filter GitHub's count is not reliable
		return
	}
	parents := "[]"
	if i > 0 {
		parents = fmt.Sprintf(`[{"sha":%q}]`, g.commits[i-1].sha)
		w.Header().Set("Link", fmt.Sprintf(`<%s/x?page=2>; rel="next", <%[1]s/x?page=%d>; rel="last"`, g.URL, i+1))
	}
	_, _ = fmt.Fprintf(w, `[%s,"parents":%s}]`, strings.TrimSuffix(encode(g.commits[i:i+1]), "}"), parents)
}

func encode(commits []gitCommit) string {
	var parts []string
	for _, c := range commits {
		parts = append(parts, fmt.Sprintf(`{"sha":%q,"commit":{"message":%q,"committer":{"date":"2026-11-01T00:00:00Z"}}}`, c.sha, c.message))
	}
	return strings.Join(parts, ",")
}

// runAction is the program in a job of acme/fleet. It gives what was said and the outputs.
func (g *gitHub) runAction(t *testing.T, workspace, sha string, inputs ...string) (said string, code int) {
	t.Helper()
	output := filepath.Join(t.TempDir(), "output")
	programtest.Write(t, output, "")
	r := programtest.Run(t, append([]string{
		"GITHUB_ACTIONS=true", "GITHUB_REPOSITORY=acme/fleet", "GITHUB_SERVER_URL=https://github.com", "GITHUB_API_URL=" + g.URL,
		"GITHUB_REF_NAME=main", "GITHUB_SHA=" + sha, "GITHUB_WORKSPACE=" + workspace, "GITHUB_OUTPUT=" + output,
		"INPUT_MODE=build", "INPUT_TOKEN=" + apiToken, "INPUT_PATH=platform", "INPUT_RETRY-FOR=0s",
		"INPUT_REPOSITORY=oci-layout:" + filepath.Join(workspace, "layout"),
	}, inputs...))
	outputs, err := os.ReadFile(output)
	if err != nil {
		t.Error(err)
	}
	said = r.Stdout + r.Stderr + string(outputs)
	if strings.Contains(said, apiToken) {
		t.Errorf("the token is in the log or an output:\n%s", said)
	}
	return said, r.Code
}

// TestBuildAsksGitHub runs builds in jobs that have a token: the commit's height and time, the
// order of commits and Conventional Commits come from the API.
func TestBuildAsksGitHub(t *testing.T) {
	history := []gitCommit{
		{strings.Repeat("a", 40), "chore: begin", "platform"},
		{strings.Repeat("b", 40), "feat!: not ours", "docs"},
		{strings.Repeat("c", 40), "feat(ui): ours", "platform"},
		{strings.Repeat("d", 40), "fix: ours too", "platform"},
	}
	g := startGitHub(t, history...)
	workspace := t.TempDir()
	write := func(content string) {
		if err := os.MkdirAll(filepath.Join(workspace, "platform"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(workspace, "platform", "app.yaml"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	build := func(n int, want string, inputs ...string) string {
		t.Helper()
		write(fmt.Sprint("replicas: ", n))
		said, code := g.runAction(t, workspace, history[n].sha, inputs...)
		if code != 0 || !strings.Contains(said, want) {
			t.Fatalf("commit %d: exit status %d, want %q in the outputs\n%s", n, code, want, said)
		}
		return said
	}
	build(0, `"created":"2026-11-01T00:00:00Z"`)
	promote(t, filepath.Join(workspace, "layout"), "0.0.1-rc.1", "0.0.1")
	build(2, "\n0.1.0-rc.3\n", "INPUT_BUMP=auto") // feat; the breaking commit touches docs only
	build(3, "\n0.1.0-rc.4\n", "INPUT_BUMP=auto")
	build(1, "\nsuperseded\n")
	g.down = true
	layout := filepath.Join(workspace, "layout", "index.json")
	before, err := os.ReadFile(layout)
	if err != nil {
		t.Fatal(err)
	}
	said, code := g.runAction(t, workspace, history[1].sha) // no height is guessed
	for _, part := range []string{"::error::finding the height of commit bbbbbbb: ", "502", "the input height", "git rev-list --count", "contents: read"} {
		if code != 1 || !strings.Contains(said, part) {
			t.Errorf("exit status %d, %q is missing in\n%s", code, part, said)
		}
	}
	if after, err := os.ReadFile(layout); err != nil || string(after) != string(before) {
		t.Errorf("%v: a build without a height writes\n%s", err, after)
	}
	// Without GitHub the build is dated now, which is after all others, so that nothing says that it is contained.
	said = build(1, "\n0.1.1-rc.2\n", "INPUT_HEIGHT=2")
	for _, part := range []string{"::warning::", "\ncreated\n", "dated now", "so that their heights decide"} {
		if !strings.Contains(said, part) {
			t.Errorf("%q is missing in\n%s", part, said)
		}
	}
}

// promote names a candidate of a layout with a stable tag, as tag mode will.
func promote(t *testing.T, layout, candidate, stable string) {
	t.Helper()
	store, err := oci.New(layout)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := oras.Tag(t.Context(), store, candidate, stable); err != nil {
		t.Fatal(err)
	}
}
