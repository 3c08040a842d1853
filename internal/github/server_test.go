package github

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

const (
	older = "1111111111111111111111111111111111111111"
	newer = "2222222222222222222222222222222222222222"
	token = "ghs_secret"
)

// server is a GitHub Enterprise Server that remembers what it was asked.
type server struct {
	*httptest.Server
	mu    sync.Mutex
	asked []*http.Request
}

func serve(t *testing.T, answer http.HandlerFunc) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked = append(s.asked, r)
		s.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// requests are what was asked, as "/path?query".
func (s *server) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, r := range s.asked {
		all = append(all, r.URL.RequestURI())
	}
	return all
}

// open opens acme/fleet on s.
func (s *server) open(t *testing.T) *Repository {
	t.Helper()
	r, err := Open(Options{Repository: "acme/fleet", APIURL: s.URL + "/api/v3", Token: token, UserAgent: "oci-promote/test"})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// says answers with a status and a body.
func says(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

// a commit in GitHub's documented form, shortened.
type commit struct{ sha, message, date string }

func (c commit) json() map[string]any {
	who := map[string]string{"name": "Mona Lisa", "email": "mona@example.com"}
	if c.date != "" {
		who["date"] = c.date
	}
	return map[string]any{
		"sha": c.sha, "node_id": "C_kwDO", "url": "https://api.github.com/repos/acme/fleet/commits/" + c.sha,
		"commit":  map[string]any{"message": c.message, "author": who, "committer": who, "comment_count": 0},
		"parents": []any{},
	}
}

// pageOf is one page of a list. The next one is in the header Link, as GitHub has it; key is its number's.
func pageOf[T any](w http.ResponseWriter, r *http.Request, key string, all []T) []T {
	n, size := 1, 30
	_, _ = fmt.Sscan(r.FormValue(key), &n)
	_, _ = fmt.Sscan(r.FormValue("per_page"), &size)
	if n*size < len(all) {
		q := r.URL.Query()
		q.Set(key, fmt.Sprint(n+1))
		w.Header().Set("Link", fmt.Sprintf(`<http://%s%s?%s>; rel="next", <http://%[1]s%[2]s?%s=99>; rel="last"`, r.Host, r.URL.Path, q.Encode(), key))
	}
	return append([]T{}, all[min((n-1)*size, len(all)):min(n*size, len(all))]...)
}

// page writes one page of commits, alone or in a comparison.
func page(w http.ResponseWriter, r *http.Request, all []commit, status string) {
	commits := []any{}
	for _, c := range pageOf(w, r, "page", all) {
		commits = append(commits, c.json())
	}
	var body any = commits
	if status != "" {
		body = map[string]any{"status": status, "ahead_by": len(all), "behind_by": 0, "total_commits": len(all), "commits": commits, "files": []any{}}
	}
	_ = json.NewEncoder(w).Encode(body)
}

// explained checks an error of the package: what was asked, what came back, what to do.
func explained(t *testing.T, err error, hint string, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range append(parts, "acme/fleet") {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error %q does not say %q", err, part)
		}
	}
	if strings.Contains(err.Error(), token) {
		t.Errorf("the error %q holds the token", err)
	}
	var e *Error
	switch {
	case !errors.As(err, &e):
		if hint != "" {
			t.Errorf("the error %v (%T) has no hint", err, err)
		}
	case hint == "" && !slices.Contains([]string{"", busy, unreachable, notGitHub}, e.Hint()) || !strings.Contains(e.Hint(), hint):
		t.Errorf("the hint is %q, want %q", e.Hint(), hint)
	case e.Unwrap() == nil:
		t.Errorf("the error %q has no cause", err)
	}
}

func same(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
