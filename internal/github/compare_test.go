package github

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
)

const comparing = "/api/v3/repos/acme/fleet/compare/" + older + "..." + newer + "?per_page=1"

func TestCompare(t *testing.T) {
	tests := []struct {
		name         string
		status, back string
		err          string // part of it
	}{
		{"newer is ahead", "ahead", "behind", ""},
		{"the same", "identical", "identical", ""},
		{"newer is behind", "behind", "ahead", ""},
		{"neither holds the other", "diverged", "diverged", ""},
		{"unknown", "sideways", "", `unknown status "sideways"`},
		{"none", "", "", `unknown status ""`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, says(200, `{"url":"x","status":"`+test.status+`","ahead_by":1,"behind_by":0,"total_commits":1,"commits":[],"files":[]}`))
			r := s.open(t)
			got, err := r.Compare(t.Context(), newer, older)
			if test.err != "" {
				explained(t, err, "", "comparing 1111111 with 2222222", test.err)
			} else if back, other := r.Compare(t.Context(), older, newer); got != test.status || err != nil || back != test.back || other != nil {
				t.Errorf("got %q, %v; the other way round %q, %v", got, err, back, other)
			}
			// base...head: "ahead" means that head has all of base.
			same(t, s.requests(), []string{comparing})
		})
	}
}

// A 404 is a word about the commits only where the token may read them.
func TestCompareUnknown(t *testing.T) {
	const (
		notFound = `{"message":"Not Found","status":"404"}`
		head     = `[{"sha":"` + newer + `","commit":{"committer":{"date":"2026-11-23T09:00:00Z"}}}]`
		probe    = "/api/v3/repos/acme/fleet/commits?per_page=1"
	)
	tests := []struct {
		name           string
		compared, list http.HandlerFunc
		hint, err      string // empty: it is no error
		asked          []string
	}{
		{"one is not known", says(404, notFound), says(200, head), "", "", []string{comparing, probe}},
		{"nothing in common", says(404, `{"message":"No common ancestor between 1111111 and 2222222."}`), says(200, head), "", "", []string{comparing, probe}},
		{"no commit of that name", says(422, `{"message":"No commit found for SHA: 1111111"}`), says(200, head), "", "", []string{comparing, probe}},
		{"an empty repository", says(404, notFound), says(409, `{"message":"Git Repository is empty."}`), "", "", []string{comparing, probe}},
		{"not allowed", says(404, notFound), says(404, notFound), "contents: read", "404 Not Found", []string{comparing, probe}},
		{"not allowed, in clear", says(404, notFound), says(403, `{"message":"Resource not accessible by integration"}`), "contents: read", "404 Not Found", []string{comparing, probe}},
		{"nobody knows whether it is allowed", says(404, notFound), says(502, `{"message":"Server Error"}`), "busy", "502 Server Error", []string{comparing, probe}},
		{"a proxy's page", says(404, "<html>", "Content-Type", "text/html"), says(200, head), "contents: read", "404", []string{comparing}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.URL.Path, "/compare/") {
					test.compared(w, r)
				} else {
					test.list(w, r)
				}
			})
			r := s.open(t)
			got, err := r.Compare(t.Context(), newer, older)
			if test.err != "" {
				explained(t, err, test.hint, "comparing 1111111 with 2222222", test.err)
			} else if again, other := r.Compare(t.Context(), older, newer); err != nil || other != nil || again != "" {
				t.Errorf("got %v, the other way round %q, %v", err, again, other)
			}
			if got != "" {
				t.Errorf("got %q", got)
			}
			same(t, s.requests(), test.asked)
		})
	}
}

// Whether the token may read is asked once, and not at all where it has read something.
func TestCompareAsksOnce(t *testing.T) {
	answer := func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.Contains(r.URL.Path, "/compare/"+older):
			says(404, `{"message":"Not Found"}`)(w, r)
		case strings.Contains(r.URL.Path, "/compare/"):
			says(200, `{"status":"ahead"}`)(w, r)
		default:
			says(200, `[]`)(w, r)
		}
	}
	others := []string{strings.Repeat("3", 40), strings.Repeat("4", 40), strings.Repeat("5", 40)}
	s := serve(t, answer)
	r := s.open(t)
	var group sync.WaitGroup
	for _, other := range others {
		group.Go(func() {
			if got, err := r.Compare(context.Background(), other, older); got != "" || err != nil {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	group.Wait()
	if asked := s.requests(); len(asked) != len(others)+1 {
		t.Errorf("asked %q", asked)
	}
	s = serve(t, answer)
	r = s.open(t)
	for _, base := range []string{newer, older} {
		if _, err := r.Compare(t.Context(), others[0], base); err != nil {
			t.Error(err)
		}
	}
	if asked := s.requests(); len(asked) != 2 {
		t.Errorf("asked %q", asked)
	}
}
