package github

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestErrors(t *testing.T) {
	reset := time.Date(2100, 1, 2, 3, 4, 5, 0, time.UTC)
	const secondary = `{"message":"You have exceeded a secondary rate limit. Please wait a few minutes before you try again.","documentation_url":"https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`
	tests := []struct {
		name      string
		answer    http.HandlerFunc
		text, tip string
	}{
		{"404", says(404, `{"message":"Not Found","documentation_url":"https://docs.github.com/rest","status":"404"}`), "404 Not Found", "contents: read"},
		{"401", says(401, `{"message":"Bad credentials","documentation_url":"https://docs.github.com/rest","status":"401"}`), "401 Bad credentials", "token is not valid"},
		{"403", says(403, `{"message":"Resource not accessible by integration","documentation_url":"https://docs.github.com/rest"}`), "403 Resource not accessible", "contents: read"},
		{"403 rate limit", says(403, `{"message":"API rate limit exceeded for installation ID 1."}`, "X-RateLimit-Limit", "1000", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "4102542245"),
			"rate limit is used up", reset.Format(time.RFC3339)},
		{"403 secondary limit", says(403, secondary, "Retry-After", "60"), "403 You have exceeded a secondary rate limit", "pause"},
		{"403 secondary limit without a delay", says(403, secondary), "403 You have exceeded a secondary rate limit", "pause"},
		{"429", says(429, `{"message":"Too many requests"}`), "429 Too many requests", "pause"},
		{"500 with a page", says(500, "<html>Unicorn!</html>", "Content-Type", "text/html"), "500", ""},
		{"200 without JSON", says(200, "<html>proxy</html>"), "invalid character", ""},
		{"200 cut short", says(200, `{"status":"ahe`), "unexpected EOF", ""},
		{"hang up", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := serve(t, test.answer).open(t)
			status, err := r.Compare(t.Context(), newer, older)
			explained(t, err, test.tip, "comparing 1111111 with 2222222", test.text)
			if status != "" {
				t.Errorf("a failure has the status %q", status)
			}
			r = serve(t, test.answer).open(t)
			height, at, err := r.Height(t.Context(), older)
			explained(t, err, test.tip, "counting the commits up to 1111111", test.text)
			if height != 0 || !at.IsZero() {
				t.Errorf("a failure has the height %d, of %s", height, at)
			}
			r = serve(t, test.answer).open(t) // a client that was throttled sends nothing more
			at, err = r.CommitTime(t.Context(), older)
			explained(t, err, test.tip, "reading commit 1111111", test.text)
			if !at.IsZero() {
				t.Errorf("a failure has the time %s", at)
			}
			r = serve(t, test.answer).open(t)
			messages, err := r.Messages(t.Context(), older, newer, ".")
			explained(t, err, test.tip, "comparing 1111111 with 2222222", test.text)
			if messages != nil {
				t.Errorf("a failure has the messages %q", messages)
			}
		})
	}
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r := serve(t, func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() }).open(t)
		if _, err := r.Compare(ctx, newer, older); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

func TestCommitTime(t *testing.T) {
	const body = `{"sha":"` + older + `","author":{"name":"Mona","email":"m@x","date":"2026-11-20T08:00:00Z"},"committer":{"name":"GitHub","email":"n@x","date":"2026-11-23T10:02:17+01:00"},"message":"fix","parents":[]}`
	s := serve(t, says(200, body))
	got, err := s.open(t).CommitTime(t.Context(), older)
	if want := time.Date(2026, 11, 23, 9, 2, 17, 0, time.UTC); err != nil || got != want {
		t.Errorf("got %v, %v; want %v, when it was committed, not written", got, err, want)
	}
	same(t, s.requests(), []string{"/api/v3/repos/acme/fleet/git/commits/" + older})
	for _, body := range []string{`{}`, `{"committer":{}}`, `{"author":{"date":"2026-11-20T08:00:00Z"}}`} {
		_, err := serve(t, says(200, body)).open(t).CommitTime(t.Context(), older)
		explained(t, err, "", "reading commit 1111111", "no committer date")
	}
}

func TestOpen(t *testing.T) {
	for _, repository := range []string{"", "fleet", "acme/", "/fleet", "/", "acme/fleet/more", "https://github.com/acme/fleet"} {
		if _, err := Open(Options{Repository: repository}); err == nil || !strings.Contains(err.Error(), "GITHUB_REPOSITORY") || !strings.Contains(err.Error(), "OWNER/NAME") {
			t.Errorf("repository %q: got %v", repository, err)
		}
	}
	for _, api := range []string{"github.example", "/api/v3", "https://", ":", "http://a b/"} {
		if _, err := Open(Options{Repository: "acme/fleet", APIURL: api}); err == nil || !strings.Contains(err.Error(), "GITHUB_API_URL") {
			t.Errorf("API %q: got %v", api, err)
		}
	}
	for api, want := range map[string]string{
		"":                                "https://api.github.com/",
		"https://api.github.com":          "https://api.github.com/",
		"https://api.github.com/":         "https://api.github.com/",
		"https://ghe.example/api/v3":      "https://ghe.example/api/v3/",
		"https://ghe.example/api/v3/":     "https://ghe.example/api/v3/",
		"https://api.acme.ghe.com":        "https://api.acme.ghe.com/",
		"https://ghe.example:8443/api/v3": "https://ghe.example:8443/api/v3/",
	} {
		r, err := Open(Options{Repository: "acme/fleet", APIURL: api, Token: token})
		if err != nil || r.api.BaseURL.String() != want {
			t.Errorf("API %q: got %v, %v", api, r, err)
		}
	}
}
