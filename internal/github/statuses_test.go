package github

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// A posted status in GitHub's documented form, shortened.
type posted struct {
	id                                   int
	context, state, description, updated string
}

func (p posted) json() map[string]any {
	return map[string]any{
		"url": "https://api.github.com/repos/acme/fleet/statuses/" + newer, "avatar_url": "https://github.com/images/error/hubot_happy.gif",
		"id": p.id, "node_id": "MDY6U3RhdHVzMQ==", "state": p.state, "description": p.description, "target_url": nil,
		"context": p.context, "created_at": "2025-12-31T00:00:00Z", "updated_at": p.updated,
	}
}

// listed are the statuses of one page. GitHub numbers the repository in the link to the next; only the page matters.
func listed(w http.ResponseWriter, r *http.Request, all []posted) []any {
	statuses := []any{}
	for _, p := range pageOf(w, r, "page", all) {
		statuses = append(statuses, p.json())
	}
	if link := w.Header().Get("Link"); link != "" {
		w.Header().Set("Link", strings.ReplaceAll(link, r.Host+"/api/v3/repos/acme/fleet", "elsewhere.invalid/repositories/1"))
	}
	return statuses
}

// combined answers as GitHub does for the combined status of newer.
func combined(all []posted) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{
			"state": "success", "sha": newer, "total_count": len(all), "statuses": listed(w, r, all),
			"repository": map[string]any{"full_name": "acme/fleet"}, "commit_url": "x", "url": "x",
		})
	}
}

// onSecond has another answer on the second page.
func onSecond(first, second http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("page") == "2" {
			second(w, r)
			return
		}
		first(w, r)
	}
}

// checkPages checks that so many pages were asked for, each once and with the token.
func (s *server) checkPages(t *testing.T, path string, pages int) {
	t.Helper()
	want := []string{path + "per_page=100"}
	for n := 2; n <= pages; n++ {
		want = append(want, fmt.Sprintf("%spage=%d&per_page=100", path, n))
	}
	same(t, s.requests(), want)
	for _, r := range s.asked {
		if r.Method != http.MethodGet || r.Header.Get("Authorization") != "Bearer "+token {
			t.Errorf("%s with the authorization %q", r.Method, r.Header.Get("Authorization"))
		}
	}
}

// many is n statuses of as many contexts.
func many(n int) []posted {
	all := make([]posted, n)
	for i := range all {
		all[i] = posted{i + 1, fmt.Sprintf("ci/%04d", i), "success", "", day(1)}
	}
	return all
}

func TestStatuses(t *testing.T) {
	const (
		path = "/api/v3/repos/acme/fleet/commits/" + newer + "/status?"
		odd  = "done\n::error::<b>ü</b> ##[x]"
	)
	noon := func(n int) time.Time { return time.Date(2026, 1, n, 12, 0, 0, 0, time.UTC) }
	twice := append(append([]posted{{7, "flux", "failure", "new", day(3)}}, many(100)...), posted{5, "flux", "success", "old", day(2)})
	tests := []struct {
		name  string
		all   []posted
		want  []Status // that begin with "flux"
		count int
		pages int
	}{
		{"none", nil, nil, 0, 1},
		{"one", []posted{{1, "flux/a", "success", "Applied", day(1)}}, []Status{{"flux/a", "success", "Applied", noon(1)}}, 1, 1},
		{"another zone", []posted{{1, "flux", "pending", "", "2026-01-01T14:00:00+02:00"}}, []Status{{"flux", "pending", "", noon(1)}}, 1, 1},
		{"text from outside", []posted{{1, "flux\n::x::", "error", odd, day(1)}}, []Status{{"flux\n::x::", "error", odd, noon(1)}}, 1, 1},
		{"sorted", []posted{{1, "flux/b", "success", "", day(1)}, {2, "flux/a", "success", "", day(2)}}, []Status{{"flux/a", "success", "", noon(2)}, {"flux/b", "success", "", noon(1)}}, 2, 1},
		{"one full page", many(100), nil, 100, 1},
		{"two pages", many(101), nil, 101, 2},
		{"ten pages", many(1000), nil, 1000, 10},
		{"same context, newer first", twice, []Status{{"flux", "failure", "new", noon(3)}}, 101, 2},
		{"same context, newer last", []posted{{5, "flux", "success", "old", day(2)}, {4, "flux", "failure", "new", day(3)}}, []Status{{"flux", "failure", "new", noon(3)}}, 1, 1},
		{"same context in the same second", []posted{{5, "flux", "success", "", day(2)}, {6, "flux", "failure", "", day(2)}, {4, "flux", "pending", "", day(2)}}, []Status{{"flux", "failure", "", noon(2)}}, 1, 1},
		{"same context in other case", []posted{{5, "flux/a", "success", "", day(2)}, {6, "Flux/A", "failure", "", day(3)}}, []Status{}, 1, 1},
		{"a context within another", []posted{{5, "flux/a", "success", "x", day(2)}, {6, "flux/a/b", "success", "x", day(2)}}, []Status{{"flux/a", "success", "x", noon(2)}, {"flux/a/b", "success", "x", noon(2)}}, 2, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, combined(test.all))
			got, err := s.open(t).Statuses(t.Context(), newer)
			if err != nil {
				t.Fatal(err)
			}
			if got == nil || len(got) != test.count {
				t.Errorf("got %d statuses, want %d: %v", len(got), test.count, got)
			}
			flux := slices.DeleteFunc(slices.Clone(got), func(s Status) bool { return !strings.HasPrefix(s.Context, "flux") })
			if !slices.Equal(flux, test.want) {
				t.Errorf("got %v, want %v", flux, test.want)
			}
			s.checkPages(t, path, test.pages)
		})
	}
}

func TestStatusesRefused(t *testing.T) {
	const permission = "`permissions: statuses: read`"
	second := func(answer http.HandlerFunc) http.HandlerFunc { return onSecond(combined(many(101)), answer) }
	tests := []struct {
		name       string
		answer     http.HandlerFunc
		text, hint string
		requests   int
	}{
		{"403", says(403, `{"message":"Resource not accessible by integration","documentation_url":"https://docs.github.com/rest","status":"403"}`), "403 Resource not accessible", permission, 1},
		{"404", says(404, `{"message":"Not Found","documentation_url":"https://docs.github.com/rest","status":"404"}`), "404 Not Found", permission, 1},
		{"422 unknown commit", says(422, `{"message":"No commit found for SHA: `+newer+`","documentation_url":"https://docs.github.com/rest","status":"422"}`), "422 No commit found for SHA: " + newer, "", 1},
		{"401", says(401, `{"message":"Bad credentials","documentation_url":"https://docs.github.com/rest","status":"401"}`), "401 Bad credentials", "token is not valid", 1},
		{"429", says(429, `{"message":"Too many requests"}`), "429 Too many requests", "pause", 1},
		{"403 rate limit", says(403, `{"message":"API rate limit exceeded"}`, "X-RateLimit-Limit", "1000", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "4102542245"), "rate limit is used up", "2100-01-02", 1},
		{"500", says(500, "<html>Unicorn!</html>", "Content-Type", "text/html"), "500", "", 1},
		{"202", says(202, `{}`), "", "", 1},
		{"200 without JSON", says(200, "<html>proxy</html>"), "invalid character", "", 1},
		{"200 cut short", says(200, `{"sha":"`+newer+`","statuses":[{"context":"flux"`), "unexpected EOF", "", 1},
		{"200 with a list", says(200, `[]`), "cannot unmarshal array", "", 1},
		{"200 with a bad time", says(200, `{"sha":"`+newer+`","statuses":[{"context":"flux","updated_at":"yesterday"}]}`), "yesterday", "", 1},
		{"200 without a body", says(200, ``), `about commit ""`, "", 1},
		{"200 that says nothing", says(200, `{"statuses":[]}`), `about commit ""`, "", 1},
		{"200 of another commit", says(200, `{"sha":"`+older+`","statuses":[]}`), `about commit "` + older + `"`, "", 1},
		{"200 without the list", says(200, `{"sha":"`+newer+`","state":"pending"}`), "not a list", "", 1},
		{"200 with an entry that tells no time", says(200, `{"sha":"`+newer+`","statuses":[{"context":"flux","state":"failure"}]}`), "without a state, a context or a time", "", 1},
		{"second page fails", second(says(502, `{"message":"Server Error"}`)), "502 Server Error", "", 2},
		{"second page is empty", second(says(200, ``)), `about commit ""`, "", 2},
		{"more than ten pages", combined(many(1001)), "more than 1000 contexts", "", 10},
		{"hang up", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF", "", 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, test.answer)
			got, err := s.open(t).Statuses(t.Context(), newer)
			explained(t, err, test.hint, "reading statuses of commit 2222222", test.text)
			if got != nil {
				t.Errorf("got %d statuses with an error", len(got))
			}
			if n := len(s.requests()); n != test.requests {
				t.Errorf("%d requests, want %d", n, test.requests)
			}
		})
	}
}
