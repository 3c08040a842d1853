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

// got is an answer whose body was read, as far as it came.
type got struct {
	status int
	header http.Header
	length int64
	body   string
	err    error
}

func get(t *testing.T, url string) got {
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
	return got{response.StatusCode, response.Header, response.ContentLength, string(body), err}
}

// TestMisanswers: each wrong answer is wrong in what it says it is, and in nothing else.
func TestMisanswers(t *testing.T) {
	s := Start(t, Options{NoKeepAlive: true})
	s.Seed("acme/fleet", "a", "b", "c")
	list := "http://" + s.Host + "/v2/acme/fleet/tags/list"
	whole := get(t, list).body

	s.Intercept(Truncated)
	if a := get(t, list); a.err == nil || a.length != int64(len(whole)) || a.body != whole[:len(whole)/2] {
		t.Errorf("truncated: %+v", a)
	}
	s.Intercept(Rewritten(func(h http.Header, body []byte) []byte {
		h.Set("X-Test", "yes")
		return []byte(strings.ToUpper(string(body)))
	}))
	if a := get(t, list); a.err != nil || a.header.Get("X-Test") != "yes" || a.body != strings.ToUpper(whole) {
		t.Errorf("rewritten: %+v", a)
	}
	if a := get(t, list+"/none"); a.status != http.StatusNotFound || a.header.Get("X-Test") != "" {
		t.Errorf("a refusal was rewritten: %+v", a)
	}
	s.Intercept(Stall(300 * time.Millisecond))
	begin := time.Now()
	if a := get(t, list); a.err != nil || a.body != whole || time.Since(begin) < 300*time.Millisecond {
		t.Errorf("stalled: %+v after %s", a, time.Since(begin))
	}
	s.Intercept(TagPages(func(repo string, i int) ([]string, bool) { return []string{fmt.Sprint(repo, i)}, i < 2 }))
	var all []string
	for url := list; url != ""; {
		a := get(t, url)
		var page struct{ Tags []string }
		if a.err != nil || json.Unmarshal([]byte(a.body), &page) != nil {
			t.Fatalf("%+v", a)
		}
		all = append(all, page.Tags...)
		path, _, _ := strings.Cut(strings.TrimPrefix(a.header.Get("Link"), "<"), ">")
		url = ""
		if path != "" {
			url = "http://" + s.Host + path
		}
	}
	if fmt.Sprint(all) != "[acme/fleet0 acme/fleet1 acme/fleet2]" {
		t.Errorf("pages: %q", all)
	}
}
