package registrytest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// get asks for a tag list, or what else lies below the repository.
func get(t *testing.T, s *Server, url string) (*http.Response, []byte, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer any")
	r.Close = true
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response, body, err
}

// TestMisanswers: each wrong answer is wrong in what it says it is, and in nothing else.
func TestMisanswers(t *testing.T) {
	s := Start(t, Options{NoKeepAlive: true})
	s.Seed("acme/fleet", "a", "b", "c")
	list := "http://" + s.Host + "/v2/acme/fleet/tags/list"
	_, whole, err := get(t, s, list)
	if err != nil {
		t.Fatal(err)
	}

	s.Intercept(Truncated)
	if r, body, err := get(t, s, list); err == nil || r.ContentLength != int64(len(whole)) || string(body) != string(whole[:len(whole)/2]) {
		t.Errorf("truncated: %q of %d bytes, %v", body, r.ContentLength, err)
	}
	s.Intercept(Rewritten(func(h http.Header, body []byte) []byte {
		h.Set("X-Test", "yes")
		return []byte(strings.ToUpper(string(body)))
	}))
	if r, body, err := get(t, s, list); err != nil || r.Header.Get("X-Test") != "yes" || string(body) != strings.ToUpper(string(whole)) {
		t.Errorf("rewritten: %q, %v", body, err)
	}
	if r, body, _ := get(t, s, list+"/none"); r.StatusCode != http.StatusNotFound || r.Header.Get("X-Test") != "" {
		t.Errorf("a refusal was rewritten: %d %s", r.StatusCode, body)
	}
	s.Intercept(Stall(300 * time.Millisecond))
	begin := time.Now()
	if _, body, err := get(t, s, list); err != nil || string(body) != string(whole) || time.Since(begin) < 300*time.Millisecond {
		t.Errorf("stalled: %q after %s, %v", body, time.Since(begin), err)
	}
	s.Intercept(TagPages(func(repo string, i int) ([]string, bool) { return []string{fmt.Sprint(repo, i)}, i < 2 }))
	var got []string
	for url := list; url != ""; {
		r, body, err := get(t, s, url)
		var page struct{ Tags []string }
		if err != nil || json.Unmarshal(body, &page) != nil {
			t.Fatalf("%q, %v", body, err)
		}
		got = append(got, page.Tags...)
		path, _, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Link"), "<"), ">")
		url = ""
		if path != "" {
			url = "http://" + s.Host + path
		}
	}
	if fmt.Sprint(got) != "[acme/fleet0 acme/fleet1 acme/fleet2]" {
		t.Errorf("pages: %q", got)
	}
}
