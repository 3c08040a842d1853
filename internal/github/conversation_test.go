package github

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// exchange is a request, as "METHOD path-in-the-repository body", and GitHub's answer.
type exchange struct {
	request string
	answer  http.HandlerFunc
}

// conversation is a server that answers in the order of steps. What it was sent, a body
// with its keys sorted, is compared with them at the end of the test, so that nothing is
// sent unseen.
func conversation(t *testing.T, steps []exchange) *server {
	t.Helper()
	var (
		mu   sync.Mutex
		sent []string
	)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		line := r.Method + " " + strings.TrimPrefix(r.URL.RequestURI(), "/api/v3/repos/acme/fleet/")
		if raw, _ := io.ReadAll(r.Body); len(raw) > 0 {
			var body any
			if err := json.Unmarshal(raw, &body); err != nil {
				t.Errorf("the body %q: %v", raw, err)
			}
			sorted, _ := json.Marshal(body)
			line += " " + string(sorted)
		}
		if got := r.Header.Get("Authorization"); got != "Bearer "+token {
			t.Errorf("%s: the API got the authorization %q", line, got)
		}
		if sha := strings.Contains(line, " commits/"); sha != (r.Header.Get("Accept") == "application/vnd.github.v3.sha") {
			t.Errorf("%s accepts %q", line, r.Header.Get("Accept"))
		}
		sent = append(sent, line)
		if len(sent) > len(steps) {
			says(500, `{"message":"not expected"}`)(w, r)
			return
		}
		steps[len(sent)-1].answer(w, r)
	})
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		var want []string
		for _, step := range steps {
			want = append(want, step.request)
		}
		same(t, sent, want)
	})
	return s
}

// What GitHub answers, in its documented form, shortened.
const (
	notFound   = `{"message":"Not Found","documentation_url":"https://docs.github.com/rest","status":"404"}`
	noCommit   = `{"message":"No commit found for SHA: tags/v1.4.0","documentation_url":"https://docs.github.com/rest","status":"422"}`
	noPrevious = `{"message":"Invalid previous_tag parameter","documentation_url":"https://docs.github.com/rest","status":"400"}`
	forbids    = `{"message":"Resource not accessible by integration","documentation_url":"https://docs.github.com/rest","status":"403"}`
	taken      = `{"message":"Validation Failed","errors":[{"resource":"Release","code":"already_exists","field":"tag_name"}],"documentation_url":"https://docs.github.com/rest","status":"422"}`
	beingMade  = `{"message":"Validation Failed","errors":[{"resource":"Release","code":"custom","message":"Published releases must have a valid tag"}],"documentation_url":"https://docs.github.com/rest","status":"422"}`
	ruled      = `{"message":"Validation Failed","errors":[{"resource":"Release","code":"custom","field":"pre_receive","message":"pre_receive Repository rule violations found\n\nCannot create ref due to creations being restricted.\n\n"},{"resource":"Release","code":"missing_field","field":"tag_name"}],"status":"422"}`
	burntName  = `{"message":"Validation Failed","errors":[{"resource":"Release","code":"custom","field":"pre_receive","message":"pre_receive Repository rule violations found\n\nCannot create ref due to creations being restricted.\n\n"},{"resource":"Release","code":"custom","field":"tag_name","message":"tag_name was used by an immutable release"},{"resource":"Release","code":"custom","message":"Published releases must have a valid tag"}],"status":"422"}`
	generated  = `{"name":"x","body":"## What's Changed\n* \u003cfix\u003e & more"}`

	getRelease = "GET releases/tags/v1.4.0"
	getTag     = "GET commits/tags/v1.4.0"
	postNotes  = `POST releases/generate-notes {"previous_tag_name":"v1.3.0","tag_name":"v1.4.0","target_commitish":"` + newer + `"}`
	postFirst  = `POST releases/generate-notes {"tag_name":"v1.4.0","target_commitish":"` + newer + `"}`
	theirs     = "https://github.com/acme/fleet/releases/tag/theirs"
	ours       = "https://github.com/acme/fleet/releases/tag/ours"
)

// pageAt answers with a release whose page is url.
func pageAt(status int, url string) http.HandlerFunc {
	return says(status, `{"url":"https://api.github.com/repos/acme/fleet/releases/1","html_url":"`+url+`","id":1,"node_id":"MDc6UmVsZWFzZTE=","tag_name":"v1.4.0","target_commitish":"main","name":"v1.4.0","body":"x","draft":false,"prerelease":false,"created_at":"2026-02-27T19:35:32Z","published_at":"2026-02-27T19:35:32Z","assets":[]}`)
}
