package github

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestHead(t *testing.T) {
	const body = `[{"sha":"` + newer + `","commit":{"message":"fix","author":{"date":"2026-11-20T08:00:00Z"},"committer":{"date":"2026-11-23T10:02:17+01:00"}}}]`
	at := time.Date(2026, 11, 23, 9, 2, 17, 0, time.UTC)
	tests := []struct {
		name, dir string
		answer    http.HandlerFunc
		commit    string
		at        time.Time
		asked     string
	}{
		{"a directory", "clusters/a b", says(200, body), newer, at, "?path=clusters%2Fa+b&per_page=1"},
		{"a directory, not clean", "./clusters/", says(200, body), newer, at, "?path=clusters&per_page=1"},
		{"none given", "", says(200, body), newer, at, "?per_page=1"},
		{"any", ".", says(200, body), newer, at, "?per_page=1"},
		{"none touches it", "nowhere", says(200, `[]`), "", time.Time{}, "?path=nowhere&per_page=1"},
		{"no commit at all", ".", says(409, `{"message":"Git Repository is empty."}`), "", time.Time{}, "?per_page=1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, test.answer)
			commit, got, err := s.open(t).Head(t.Context(), test.dir)
			if err != nil || commit != test.commit || got != test.at {
				t.Errorf("got %q, %v, %v", commit, got, err)
			}
			same(t, s.requests(), []string{"/api/v3/repos/acme/fleet/commits" + test.asked})
		})
	}
}

func TestFullCommit(t *testing.T) {
	tests := []struct {
		name, short string
		answer      http.HandlerFunc
		want        string
		err         string
	}{
		{"one", older[:8], says(200, older), older, ""},
		{"none, or several", older[:8], says(422, `{"message":"No commit found for SHA: 11111111"}`), "", ""},
		{"a branch of that name", older[:8], says(200, newer), "", "the answer is no commit"},
		{"a page", older[:8], says(200, "<html>"), "", "the answer is no commit"},
		{"nothing", older[:8], says(200, ""), "", "the answer is no commit"},
		{"refused", older[:8], says(403, `{"message":"Resource not accessible by integration"}`), "", "403"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, test.answer)
			got, err := s.open(t).FullCommit(t.Context(), test.short)
			if got != test.want || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("got %q, %v", got, err)
			}
			same(t, s.requests(), []string{"/api/v3/repos/acme/fleet/commits/" + test.short})
		})
	}
}
