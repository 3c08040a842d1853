package github

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

// postRelease is the request that creates v1.4.0 with a body as it stands in JSON.
func postRelease(body string) string {
	return `POST releases {"body":"` + body + `","make_latest":"true","name":"v1.4.0","tag_name":"v1.4.0","target_commitish":"` + newer + `"}`
}

const (
	generatedBody = `## What's Changed\n* \u003cfix\u003e \u0026 more`
	compareBody   = `**Full Changelog**: https://github.com/acme/fleet/compare/` + older + `...` + newer
)

// v140 is the release of most tests.
var v140 = Release{Tag: "v1.4.0", Commit: newer, Latest: true, Previous: "v1.3.0", PreviousCommit: older}

// with is v140 after change.
func with(change func(*Release)) Release {
	rel := v140
	change(&rel)
	return rel
}

func TestPublish(t *testing.T) {
	absent := exchange{getRelease, says(404, notFound)}
	free := exchange{getTag, says(422, noCommit)}
	noted := exchange{postNotes, says(200, generated)}
	made := exchange{postRelease(generatedBody), pageAt(201, ours)}
	linked := exchange{postRelease(compareBody), pageAt(201, ours)}
	tests := []struct {
		name    string
		release Release
		steps   []exchange
		page    string
		created bool
	}{
		{"with a previous one", v140, []exchange{absent, free, noted, made}, ours, true},
		{"the first, not the latest", Release{Tag: "v1.4.0", Commit: newer}, []exchange{absent, free, {postFirst, says(200, generated)},
			{strings.Replace(made.request, `"true"`, `"false"`, 1), pageAt(201, ours)}}, ours, true},
		{"there already", v140, []exchange{{getRelease, pageAt(200, theirs)}}, theirs, false},
		{"git tag there already", v140, []exchange{absent, {getTag, says(200, newer)}, noted, made}, ours, true},
		{"git tag in capitals", with(func(r *Release) { r.Commit = strings.Repeat("AB", 20) }), []exchange{absent, {getTag, says(200, strings.Repeat("ab", 20))},
			{strings.Replace(postNotes, newer, strings.Repeat("AB", 20), 1), says(200, generated)}, {strings.Replace(made.request, newer, strings.Repeat("AB", 20), 1), pageAt(201, ours)}}, ours, true},
		{"git tag not found", v140, []exchange{absent, {getTag, says(404, notFound)}, noted, made}, ours, true},
		{"previous tag unknown", v140, []exchange{absent, free, {postNotes, says(400, noPrevious)}, linked}, ours, true},
		{"previous tag not found", v140, []exchange{absent, free, {postNotes, says(404, notFound)}, linked}, ours, true},
		{"previous tag invalid", v140, []exchange{absent, free, {postNotes, says(422, `{"message":"Validation Failed"}`)}, linked}, ours, true},
		{"previous tag and commit unknown", with(func(r *Release) { r.PreviousCommit = "" }), []exchange{absent, free, {postNotes, says(400, noPrevious)}, {postFirst, says(200, generated)}, made}, ours, true},
		{"rollback", with(func(r *Release) { r.Body = "From 1.3.0 back to 1.2.0" }), []exchange{absent, free, {postRelease("From 1.3.0 back to 1.2.0"), pageAt(201, ours)}}, ours, true},
		{"race lost", v140, []exchange{absent, free, noted, {made.request, says(422, taken)}, {getRelease, pageAt(200, theirs)}}, theirs, false},
		{"race lost while the tag is made", v140, []exchange{absent, free, noted, {made.request, says(422, beingMade)}, {getRelease, pageAt(200, theirs)}}, theirs, false},
		{"slash in the prefix", Release{Tag: "platform/v1.4.0", Commit: newer, Previous: "platform/v1.3.0"}, []exchange{
			{"GET releases/tags/platform%2Fv1.4.0", says(404, notFound)},
			{"GET commits/tags/platform/v1.4.0", says(422, noCommit)},
			{`POST releases/generate-notes {"previous_tag_name":"platform/v1.3.0","tag_name":"platform/v1.4.0","target_commitish":"` + newer + `"}`, says(200, generated)},
			{`POST releases {"body":"` + generatedBody + `","make_latest":"false","name":"platform/v1.4.0","tag_name":"platform/v1.4.0","target_commitish":"` + newer + `"}`, pageAt(201, ours)}}, ours, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			page, created, err := conversation(t, test.steps).open(t).Publish(t.Context(), test.release)
			if err != nil || page != test.page || created != test.created {
				t.Errorf("got %q, %v, %v; want %q, %v", page, created, err, test.page, test.created)
			}
		})
	}
}

func TestPublishRefused(t *testing.T) {
	const (
		permission = "`permissions: contents: write`"
		push       = permission + "; where it has that, the workflows have changed since this commit, and only a person may tag it: git push origin " + newer + ":refs/tags/v1.4.0"
	)
	absent := exchange{getRelease, says(404, notFound)}
	free := exchange{getTag, says(422, noCommit)}
	noted := exchange{postNotes, says(200, generated)}
	first := with(func(r *Release) { r.Previous = "" })
	post := func(answer http.HandlerFunc, more ...exchange) []exchange {
		return append([]exchange{absent, free, noted, {postRelease(generatedBody), answer}}, more...)
	}
	notes := func(answer http.HandlerFunc) []exchange { return []exchange{absent, free, {postNotes, answer}} }
	limit := says(403, `{"message":"API rate limit exceeded"}`, "X-RateLimit-Limit", "1000", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "4102542245")
	tests := []struct {
		name             string
		release          Release
		steps            []exchange
		doing, say, hint string
	}{
		{"release forbidden", v140, []exchange{{getRelease, says(403, forbids)}}, "reading release v1.4.0", "403 Resource", permission},
		{"release fails", v140, []exchange{{getRelease, says(502, `{"message":"Server Error"}`)}}, "reading release v1.4.0", "502 Server Error", ""},
		{"release invalid", v140, []exchange{{getRelease, says(422, `{"message":"Invalid"}`)}}, "reading release v1.4.0", "422 Invalid", ""},
		{"release limited", v140, []exchange{{getRelease, limit}}, "reading release v1.4.0", "rate limit", "2100-01-02"},
		{"release without JSON", v140, []exchange{{getRelease, says(200, "<html>")}}, "reading release v1.4.0", "invalid character", ""},
		{"release without a body", v140, []exchange{{getRelease, says(200, "")}}, "reading release v1.4.0", "no html_url", ""},
		{"git tag forbidden", v140, []exchange{absent, {getTag, says(403, forbids)}}, "reading git tag v1.4.0", "403 Resource", permission},
		{"git tag fails", v140, []exchange{absent, {getTag, says(500, "")}}, "reading git tag v1.4.0", "500", ""},
		{"git tag conflicts", v140, []exchange{absent, {getTag, says(409, `{"message":"Git Repository is empty."}`)}}, "reading git tag v1.4.0", "409 Git Repository", ""},
		{"git tag without a body", v140, []exchange{absent, {getTag, says(200, "")}}, "creating release v1.4.0", "names commit , not 2222222", "by hand"},
		{"notes with a bad token", v140, notes(says(401, `{"message":"Bad credentials"}`)), "generating notes of release v1.4.0", "401 Bad credentials", "token is not valid"},
		{"notes forbidden", v140, notes(says(403, forbids)), "generating notes of release v1.4.0", "403 Resource", permission},
		{"notes throttled", v140, notes(says(429, `{"message":"Too many requests"}`)), "generating notes of release v1.4.0", "429 Too many", "pause"},
		{"notes limited", v140, notes(limit), "generating notes of release v1.4.0", "rate limit", "2100-01-02"},
		{"notes fail", v140, notes(says(503, `{"message":"Unavailable"}`)), "generating notes of release v1.4.0", "503 Unavailable", ""},
		{"notes without JSON", v140, notes(says(200, "<html>")), "generating notes of release v1.4.0", "invalid character", ""},
		{"notes of the first refused", first, []exchange{absent, free, {postFirst, says(400, `{"message":"Invalid target_commitish parameter"}`)}}, "generating notes of release v1.4.0", "400 Invalid target_commitish", ""},
		{"create forbidden", v140, post(says(403, forbids)), "creating release v1.4.0", "403 Resource not accessible by integration", push},
		{"create not found", v140, post(says(404, notFound)), "creating release v1.4.0", "404 Not Found", push},
		{"create with a bad token", v140, post(says(401, `{"message":"Bad credentials"}`)), "creating release v1.4.0", "401 Bad", "token is not valid"},
		{"create limited", v140, post(limit), "creating release v1.4.0", "rate limit", "2100-01-02"},
		{"create against a ruleset", v140, post(says(422, ruled), absent), "creating release v1.4.0",
			"422 Validation Failed: pre_receive Repository rule violations found Cannot create ref due to creations being restricted.; tag_name missing_field", ""},
		{"create by a name that is burnt", v140, post(says(422, burntName), absent), "creating release v1.4.0",
			"tag_name was used by an immutable release", "an immutable release had the tag v1.4.0"},
		{"race lost to nobody", v140, post(says(422, taken), absent), "creating release v1.4.0", "422 Validation Failed: tag_name already_exists", ""},
		{"race lost, no look", v140, post(says(422, taken), exchange{getRelease, says(502, "")}), "creating release v1.4.0", "tag_name already_exists", ""},
		{"create without a body", v140, post(says(201, "")), "creating release v1.4.0", "no html_url", ""},
		{"create without JSON", v140, post(says(201, "<html>")), "creating release v1.4.0", "invalid character", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			page, created, err := conversation(t, test.steps).open(t).Publish(t.Context(), test.release)
			if page != "" || created {
				t.Errorf("got %q, %v with an error", page, created)
			}
			if test.hint == "by hand" {
				byHand(t, err)
				return
			}
			explained(t, err, test.hint, test.doing+" of acme/fleet: ", test.say)
			var e *Error
			if test.hint != push && errors.As(err, &e) && strings.Contains(e.Hint(), "git push") {
				t.Errorf("%v: this is not about workflows: %s", err, e.Hint())
			}
		})
	}
	t.Run("git tag on another commit", func(t *testing.T) {
		_, _, err := conversation(t, []exchange{absent, {getTag, says(200, older)}}).open(t).Publish(t.Context(), v140)
		byHand(t, err)
		if want := "creating release v1.4.0 of acme/fleet: the git tag names commit 1111111, not 2222222"; err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
	})
}

// byHand checks that err tells what to do about a git tag that somebody made.
func byHand(t *testing.T, err error) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || !strings.Contains(e.Hint(), "by hand: delete or move it") {
		t.Fatalf("got %v, and no hint about the git tag", err)
	}
}

func TestServerURL(t *testing.T) {
	for server, want := range map[string]string{
		"":                           "https://github.com",
		"https://github.com":         "https://github.com",
		"https://ghe.example/":       "https://ghe.example",
		"https://ghe.example:8443/g": "https://ghe.example:8443/g",
	} {
		s := conversation(t, []exchange{{getRelease, says(404, notFound)}, {getTag, says(422, noCommit)}, {postNotes, says(400, noPrevious)},
			{strings.Replace(postRelease(compareBody), "https://github.com", want, 1), pageAt(201, ours)}})
		r, err := Open(Options{Repository: "acme/fleet", APIURL: s.URL + "/api/v3", ServerURL: server, Token: token})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := r.Publish(t.Context(), v140); err != nil {
			t.Error(err)
		}
	}
	for _, server := range []string{"github.com", "/x", "https://", ":", "http://a b/"} {
		if _, err := Open(Options{Repository: "acme/fleet", ServerURL: server}); err == nil || !strings.Contains(err.Error(), "GITHUB_SERVER_URL") {
			t.Errorf("server %q: got %v", server, err)
		}
	}
}

// A redirect that keeps the method would carry token and body to the other host.
func TestPublishElsewhere(t *testing.T) {
	other := serve(t, pageAt(201, theirs))
	away := func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+r.URL.Path, http.StatusTemporaryRedirect)
	}
	steps := []exchange{{getRelease, says(404, notFound)}, {getTag, says(422, noCommit)}, {postNotes, says(200, generated)}, {postRelease(generatedBody), nil}}
	for i, doing := range []string{"reading release", "reading git tag", "generating notes of release", "creating release"} {
		start := append(append([]exchange{}, steps[:i]...), exchange{steps[i].request, away})
		page, created, err := conversation(t, start).open(t).Publish(t.Context(), v140)
		explained(t, err, "", doing+" v1.4.0", "redirect")
		if page != "" || created {
			t.Errorf("%s: the other host was believed: %q, %v", doing, page, created)
		}
	}
	if got := other.requests(); len(got) > 0 {
		t.Errorf("the other host was asked %q", got)
	}
}
