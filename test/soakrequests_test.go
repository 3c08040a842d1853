package test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

// history is what GitHub has of the statuses of some commits: by commit, the newest first.
type history map[string][]map[string]string

// say adds a word of Flux's of some time ago.
func (h history) say(a programtest.Artifact, state string, ago time.Duration) {
	word := map[string]string{
		"state": state, "context": "kustomization/platform/" + a.Tag + "@" + a.Digest, "description": "reconciliation succeeded",
		"updated_at": time.Now().Add(-ago).UTC().Format(time.RFC3339),
	}
	h[a.Commit] = append([]map[string]string{word}, h[a.Commit]...)
}

// answer gives all statuses of a commit, or the newest of each context, as which the first passes here.
func (h history) answer(w http.ResponseWriter, r *http.Request, _ int, _ http.Handler) {
	commit, what, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/api/repos/acme/fleet/commits/"), "/")
	words := h[commit]
	if words == nil {
		words = []map[string]string{}
	}
	w.Header().Set("Content-Type", "application/json")
	if what == "statuses" {
		_ = json.NewEncoder(w).Encode(words)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"sha": commit, "statuses": words[:min(1, len(words))]})
}

// TestRequestsOfASoak: without a soak GitHub is asked as before, nothing for an event and one question a candidate on a
// schedule. With one it is asked once for each commit whose words count.
func TestRequestsOfASoak(t *testing.T) {
	t.Parallel()
	s := registrytest.Start(t, registrytest.Options{Token: true})
	h := history{}
	s.Intercept(registrytest.On("", "^/api/", h.answer))
	github := []string{"GITHUB_TOKEN=ghs_x", "GITHUB_REPOSITORY=acme/fleet", "GITHUB_API_URL=http://" + s.Host + "/api"}
	a, b, c := programtest.BuildFor(t, s, commitA, 0), programtest.BuildFor(t, s, commitB, 1), programtest.BuildFor(t, s, commitC, 2)
	h.say(a, "success", 5*time.Hour)
	h.say(b, "success", 3*time.Hour)
	h.say(c, "failure", time.Hour)
	all := func(commits ...string) (paths []string) {
		for _, commit := range commits {
			paths = append(paths, "GET /api/repos/acme/fleet/commits/"+commit+"/statuses?per_page=100")
		}
		return paths
	}
	for _, step := range []struct {
		name    string
		env     []string
		soak    string
		outcome string
		asked   []string
	}{
		{"an event that proves nothing", programtest.StatusOf(t, commitA, "kustomization/platform/x", "failure"), "1h", "ignored", nil},
		{"an event, with more soak than it had", a.BoundStatus(t), "4h", "pending", all(commitA, commitB)},
		{"a schedule, with more soak than any had", nil, "4h", "pending", all(commitC, commitB, commitA)},
		{"a schedule, with what the second had", nil, "2h", "promoted", all(commitC, commitB)},
		{"an event again", b.BoundStatus(t), "2h", "unchanged", nil},
		{"an event of what is superseded", a.BoundStatus(t), "2h", "superseded", nil},
		{"a schedule without soak", nil, "", "pending", []string{"GET /api/repos/acme/fleet/commits/" + commitC + "/status?per_page=100"}},
		{"an event without soak", c.BoundStatus(t), "0s", "promoted", nil},
	} {
		s.Reset()
		flags := []string{"--kustomization", "platform"}
		if step.soak != "" {
			flags = append(flags, "--soak", step.soak)
		}
		r := programtest.TagOnce(t, s, append(append([]string{}, github...), step.env...), flags...)
		var asked []string
		for _, request := range s.Requests() {
			if strings.HasPrefix(request.Path, "/api/") && !strings.Contains(request.Path, "/compare/") {
				asked = append(asked, request.Method+" "+request.Path)
			}
		}
		if r.Outcome != step.outcome || fmt.Sprint(asked) != fmt.Sprint(step.asked) {
			t.Errorf("%s: %s, asked\n%s\nwant %s\n%s\n%s", step.name, r.Outcome, strings.Join(asked, "\n"), step.outcome, strings.Join(step.asked, "\n"), r.Log)
		}
	}
}
