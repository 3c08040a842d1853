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

// allOf answers as GitHub does for all statuses of newer, which come the newest first.
func allOf(all []posted) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(listed(w, r, all))
	}
}

// minutes are n statuses of one context, one a minute, the newest first.
func minutes(n int) []posted {
	all := make([]posted, n)
	for i := range all {
		at := time.Date(2026, 1, 1, 0, n-i, 0, 0, time.UTC)
		all[i] = posted{n - i, "flux", "success", fmt.Sprint(n - i), at.Format(time.RFC3339)}
	}
	return all
}

func never([]Status) bool { return false }

func TestStatusHistory(t *testing.T) {
	const path = "/api/v3/repos/acme/fleet/commits/" + newer + "/statuses?"
	noon := func(n int) time.Time { return time.Date(2026, 1, n, 12, 0, 0, 0, time.UTC) }
	twice := minutes(150) // one is posted while pages are read, which shifts the second
	twice = append(slices.Clone(twice[:100]), twice[99:]...)
	of := func(n int) func([]Status) bool { return func(found []Status) bool { return len(found) >= n } }
	tests := []struct {
		name   string
		all    []posted
		enough func([]Status) bool
		want   []Status // of few
		count  int
		pages  int
		whole  bool
	}{
		{"none", nil, never, []Status{}, 0, 1, true},
		{"one", []posted{{1, "flux/a", "success", "Applied", day(1)}}, never, []Status{{"flux/a", "success", "Applied", noon(1)}}, 1, 1, true},
		{"each of a context", []posted{{3, "flux", "success", "c", day(3)}, {2, "flux", "failure", "b", day(2)}, {1, "flux", "success", "a", day(1)}}, never,
			[]Status{{"flux", "success", "c", noon(3)}, {"flux", "failure", "b", noon(2)}, {"flux", "success", "a", noon(1)}}, 3, 1, true},
		{"the oldest first", []posted{{1, "flux", "success", "a", day(1)}, {2, "flux", "failure", "b", day(2)}}, never,
			[]Status{{"flux", "failure", "b", noon(2)}, {"flux", "success", "a", noon(1)}}, 2, 1, true},
		{"of one second, by number", []posted{{5, "flux", "success", "a", day(1)}, {6, "flux", "failure", "b", day(1)}}, never,
			[]Status{{"flux", "failure", "b", noon(1)}, {"flux", "success", "a", noon(1)}}, 2, 1, true},
		{"another zone", []posted{{1, "flux", "pending", "", "2026-01-01T14:00:00+02:00"}}, never, []Status{{"flux", "pending", "", noon(1)}}, 1, 1, true},
		{"one full page", minutes(100), never, nil, 100, 1, true},
		{"two pages", minutes(101), never, nil, 101, 2, true},
		{"ten pages", minutes(1000), never, nil, 1000, 10, true},
		{"more than are read", minutes(1001), never, nil, 1000, 10, false},
		{"enough with the first page", minutes(1001), of(100), nil, 100, 1, false},
		{"enough with the second", minutes(1001), of(101), nil, 200, 2, false},
		{"enough with the last", minutes(150), of(150), nil, 150, 2, true},
		{"one on two pages", twice, never, nil, 150, 2, true},
		{"enough at once", nil, of(0), []Status{}, 0, 1, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, allOf(test.all))
			got, whole, err := s.open(t).StatusHistory(t.Context(), newer, test.enough)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != test.count || whole != test.whole {
				t.Errorf("got %d statuses, whole %v; want %d, %v", len(got), whole, test.count, test.whole)
			}
			if test.want != nil && !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
			if !slices.IsSortedFunc(got, func(a, b Status) int { return b.Updated.Compare(a.Updated) }) {
				t.Error("not the newest first")
			}
			s.checkPages(t, path, test.pages)
		})
	}
}

func TestStatusHistoryRefused(t *testing.T) {
	const permission = "`permissions: statuses: read`"
	second := func(answer http.HandlerFunc) http.HandlerFunc { return onSecond(allOf(minutes(101)), answer) }
	entry := func(json string) http.HandlerFunc { return says(200, "["+json+"]") }
	tests := []struct {
		name       string
		answer     http.HandlerFunc
		text, hint string
		requests   int
	}{
		{"403", says(403, `{"message":"Resource not accessible by integration","documentation_url":"https://docs.github.com/rest","status":"403"}`), "403 Resource not accessible", permission, 1},
		{"404", says(404, `{"message":"Not Found","documentation_url":"https://docs.github.com/rest","status":"404"}`), "404 Not Found", permission, 1},
		{"422 unknown commit", says(422, `{"message":"No commit found for SHA: `+newer+`","documentation_url":"https://docs.github.com/rest","status":"422"}`), "422 No commit found for SHA: " + newer, "", 1},
		{"401", says(401, `{"message":"Bad credentials"}`), "401 Bad credentials", "token is not valid", 1},
		{"429", says(429, `{"message":"Too many requests"}`), "429 Too many requests", "pause", 1},
		{"403 rate limit", says(403, `{"message":"API rate limit exceeded"}`, "X-RateLimit-Limit", "1000", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "4102542245"), "rate limit is used up", "2100-01-02", 1},
		{"500", says(500, "<html>Unicorn!</html>", "Content-Type", "text/html"), "500", busy, 1},
		{"200 without JSON", says(200, "<html>proxy</html>"), "invalid character", notGitHub, 1},
		{"200 cut short", says(200, `[{"context":"flux"`), "unexpected EOF", "", 1},
		{"200 with an object", says(200, `{"sha":"`+newer+`","statuses":[]}`), "cannot unmarshal object", notGitHub, 1},
		{"200 with null", says(200, `null`), "not a list", notGitHub, 1},
		{"200 without a body", says(200, ``), "not a list", notGitHub, 1},
		{"204", says(204, ``), "not a list", notGitHub, 1},
		{"an entry that is null", entry(`null`), "an entry without", notGitHub, 1},
		{"an entry without a state", entry(`{"context":"flux","updated_at":"2026-01-01T12:00:00Z"}`), "an entry without", notGitHub, 1},
		{"an entry without a context", entry(`{"state":"success","updated_at":"2026-01-01T12:00:00Z"}`), "an entry without", notGitHub, 1},
		{"an entry without a time", entry(`{"state":"success","context":"flux"}`), "an entry without", notGitHub, 1},
		{"an entry with a bad time", entry(`{"state":"success","context":"flux","updated_at":"yesterday"}`), "yesterday", notGitHub, 1},
		{"an entry of another commit", entry(`{"state":"success","context":"flux","updated_at":"2026-01-01T12:00:00Z","url":"https://api.github.com/repos/acme/fleet/statuses/` + older + `"}`),
			"about another commit: ", notGitHub, 1},
		{"second page fails", second(says(502, `{"message":"Server Error"}`)), "502 Server Error", busy, 2},
		{"second page is empty", second(says(200, ``)), "not a list", notGitHub, 2},
		{"second page is an object", second(says(200, `{}`)), "cannot unmarshal object", notGitHub, 2},
		{"hang up", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF", unreachable, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, test.answer)
			got, whole, err := s.open(t).StatusHistory(t.Context(), newer, never)
			explained(t, err, test.hint, "reading all statuses of commit 2222222", test.text)
			if got != nil || whole {
				t.Errorf("got %d statuses with an error, whole %v", len(got), whole)
			}
			if n := len(s.requests()); n != test.requests {
				t.Errorf("%d requests, want %d", n, test.requests)
			}
		})
	}
}

// A commit may be given in other case, and its name on an Enterprise server stands behind another path.
func TestStatusHistoryOfEnterprise(t *testing.T) {
	s := serve(t, says(200, `[{"state":"success","context":"flux","updated_at":"2026-01-01T12:00:00Z","url":"https://github.acme.test/api/v3/repos/acme/fleet/statuses/`+strings.Repeat("ab", 20)+`"}]`))
	got, whole, err := s.open(t).StatusHistory(t.Context(), strings.Repeat("AB", 20), never)
	if err != nil || len(got) != 1 || !whole {
		t.Errorf("got %v, %v, %v", got, whole, err)
	}
}
