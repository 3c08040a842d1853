package github

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// A slash of the name is escaped once, for organisations and for users, and the owner is asked for once.
func TestPackagePaths(t *testing.T) {
	for _, test := range []struct{ path, kind, below string }{
		{"acme/fleet", "Organization", "orgs/acme/packages/container/fleet"},
		{"acme/fleet", "User", "users/acme/packages/container/fleet"},
		{"acme/fleet/platform", "Organization", "orgs/acme/packages/container/fleet%2Fplatform"},
		{"acme/fleet/platform", "User", "users/acme/packages/container/fleet%2Fplatform"},
		{"acme/fleet/a/b__c.d-e", "User", "users/acme/packages/container/fleet%2Fa%2Fb__c.d-e"},
		{"mona_acme/acme/fleet", "User", "users/mona_acme/packages/container/acme%2Ffleet"},
		{"acme/fleet%2Fplatform", "User", "users/acme/packages/container/fleet%252Fplatform"},
		{"acme/fleet?x#y", "User", "users/acme/packages/container/fleet%3Fx%23y"},
	} {
		for _, base := range []string{"", "/api/v3"} {
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				owner, _, _ := strings.Cut(test.path, "/")
				switch {
				case r.Method == http.MethodDelete:
					w.WriteHeader(http.StatusNoContent)
				case strings.HasSuffix(r.URL.Path, "/versions"):
					says(200, "[]")(w, r)
				case strings.HasSuffix(r.URL.Path, "/7"):
					says(200, versionJSON(7))(w, r)
				default: // GitHub says how a login is written
					says(200, fmt.Sprintf(`{"login":%q,"type":%q}`, strings.ToUpper(owner), test.kind))(w, r)
				}
			})
			p := openPackage(t, Options{APIURL: s.URL + base}, test.path)
			if _, err := p.Versions(t.Context()); err != nil {
				t.Error(err)
			}
			if _, there, err := p.Version(t.Context(), 7); err != nil || !there {
				t.Errorf("%s: %v, %v", test.path, there, err)
			}
			if err := p.Delete(t.Context(), 7); err != nil {
				t.Error(err)
			}
			owner, _, _ := strings.Cut(test.path, "/")
			below := base + "/" + test.below
			same(t, s.requests(), []string{base + "/users/" + owner, below + "/versions?per_page=100&state=active", below + "/versions/7", below + "/versions/7"})
			for _, r := range s.asked {
				if r.Header.Get("Authorization") != "Bearer "+token || r.Header.Get("User-Agent") != "oci-promote/test" {
					t.Errorf("%s has the headers %v", r.URL, r.Header)
				}
			}
		}
	}
}

func versionJSON(id int) string {
	return fmt.Sprintf(`{"id":%d,"name":%q,"created_at":"2026-11-20T08:00:00Z","updated_at":"2026-11-20T08:00:00Z","metadata":{"package_type":"container","container":{"tags":["a"]}}}`, id, digestOf(id))
}

func TestOpenPackage(t *testing.T) {
	for _, path := range []string{"", "/", "acme", "acme/", "/fleet", "acme//x", "acme/fleet/", "acme/..", "../fleet", "acme/fleet/../../x", "acme/./x"} {
		if _, err := OpenPackage(Options{Token: token}, path); err == nil || !strings.Contains(err.Error(), "expected OWNER/NAME") {
			t.Errorf("%q: %v", path, err)
		}
	}
	if _, err := OpenPackage(Options{Token: token, APIURL: "github.example"}, "acme/fleet"); err == nil || !strings.Contains(err.Error(), "GITHUB_API_URL") {
		t.Errorf("an API that is no URL: %v", err)
	}
	var e *Error
	if _, err := OpenPackage(Options{}, "acme/fleet"); !errors.As(err, &e) || !strings.Contains(e.Hint(), "packages: write") {
		t.Errorf("without a token: %v", err)
	}
	if p, err := OpenPackage(Options{Token: token}, "acme/fleet"); err != nil || p.pause != time.Second || p.api.BaseURL.String() != "https://api.github.com/" {
		t.Errorf("got %+v, %v", p, err)
	}
}

// Where GitHub does not say what the owner is, nothing is guessed, and it is asked again.
func TestPackageOwner(t *testing.T) {
	for name, test := range map[string]struct {
		answer    http.HandlerFunc
		says, tip string
	}{
		"unknown":      {says(404, notFound), "404 Not Found", "check the name"},
		"forbidden":    {says(403, forbids), "403 Resource not accessible", "packages: write"},
		"expired":      {says(401, `{"message":"Bad credentials"}`), "401", "not valid"},
		"busy":         {says(502, "<html>"), "502", "busy"},
		"limited":      {says(429, `{"message":"Too many requests"}`), "429", "pause"},
		"a bot":        {says(200, `{"login":"acme","type":"Bot"}`), `it is a "Bot"`, ""},
		"another one":  {says(200, `{"login":"emca","type":"User"}`), `about "emca"`, ""},
		"empty":        {says(200, ""), `about ""`, ""},
		"null":         {says(200, "null"), `about ""`, ""},
		"without type": {says(200, `{"login":"acme"}`), `it is a ""`, ""},
		"cut":          {says(200, `{"login":"acme","ty`), "unexpected EOF", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, test.answer)
			p := openPackage(t, Options{APIURL: s.URL}, platform)
			_, err := p.Versions(t.Context())
			explained(t, err, test.tip, "finding the owner of package "+platform, test.says)
			_, _, err = p.Version(t.Context(), 1)
			explained(t, err, test.tip, "finding the owner")
			explained(t, p.Delete(t.Context(), 1), test.tip, "finding the owner")
			for _, r := range s.requests() {
				if r != "/users/acme" {
					t.Errorf("it asked %s", r)
				}
			}
		})
	}
}

func TestVersions(t *testing.T) {
	for _, n := range []int{1, 99, 100, 101, 250} {
		h := startPackageHub(t, n)
		got, err := h.open(t).Versions(t.Context())
		if err != nil || len(got) != n || len(h.requests) != 1+(n+99)/100 {
			t.Fatalf("%d: %d versions, %v\n%q", n, len(got), err, h.requests)
		}
		for i, v := range got {
			which := n - 1 - i
			tags := h.Versions(platform)[digestOf(which)]
			if v.ID != h.ids[which] || v.Digest != digestOf(which) || !slices.Equal(slices.Sorted(slices.Values(v.Tags)), tags) ||
				time.Since(v.Pushed) > time.Minute || v.Pushed.Location() != time.UTC {
				t.Errorf("the version %d of %d is %+v", i, n, v)
			}
		}
	}
}

// A push or a deletion between two pages has nothing come twice, and leaves out no more than what it shifted over the edge.
func TestVersionsShift(t *testing.T) {
	h := startPackageHub(t, 250)
	after := func(n int, do func()) {
		h.fault = func(at int) fault {
			if at == n {
				do()
			}
			return nil
		}
	}
	after(2, func() { h.Push(platform, digestOf(1000), "new"); h.Push(platform, digestOf(150), "moved") })
	got, err := h.open(t).Versions(t.Context())
	if err != nil || len(got) != 250 {
		t.Fatalf("%d versions, %v", len(got), err)
	}
	seen := map[string][]string{}
	for _, v := range got {
		if seen[v.Digest] != nil {
			t.Errorf("%s comes twice", v.Digest)
		}
		seen[v.Digest] = append([]string{""}, v.Tags...)
	}
	if !slices.Contains(seen[digestOf(150)], "moved") {
		t.Errorf("of what comes twice, the earlier word is %q", seen[digestOf(150)])
	}
	h = startPackageHub(t, 250)
	after(2, func() { h.deletePast(249) })
	if got, err = h.open(t).Versions(t.Context()); err != nil || len(got) != 249 {
		t.Errorf("%d versions, %v", len(got), err)
	}
}

// What is no list of a container's versions is an error, on whatever page it comes.
func TestVersionsAnswers(t *testing.T) {
	const good = `"created_at":"2026-11-20T08:00:00Z","metadata":{"container":{"tags":[]}}`
	for name, test := range map[string]struct {
		answer    http.HandlerFunc
		says, tip string
	}{
		"404":                {says(404, `{"message":"Package not found."}`), "404 Package not found.", "Admin"},
		"403":                {says(403, forbids), "403", "packages: write"},
		"a scope is wanting": {says(403, `{"message":"You need at least read:packages scope to list package versions."}`), "read:packages", "delete:packages"},
		"secondary":          {says(403, `{"message":"You have exceeded a secondary rate limit."}`), "secondary", "pause"},
		"empty":              {says(200, ""), "the answer is no list", ""},
		"null":               {says(200, "null"), "the answer is no list", ""},
		"an object":          {says(200, `{"message":"x"}`), "cannot unmarshal", ""},
		"cut":                {says(200, `[`+versionJSON(1)+`,{"id":`), "unexpected EOF", ""},
		"cut between":        {says(200, `[`+versionJSON(1)), "unexpected EOF", ""},
		"a list of null":     {says(200, "[null]"), "without an id", ""},
		"no id":              {says(200, `[{"name":"`+digestOf(1)+`",`+good+`}]`), "without an id", ""},
		"no name":            {says(200, `[{"id":1,`+good+`}]`), `named "", which is no digest`, ""},
		"another type":       {says(200, `[{"id":1,"name":"1.0.0",`+good+`}]`), `named "1.0.0", which is no digest`, ""},
		"half a digest":      {says(200, `[{"id":1,"name":"sha256:00",`+good+`}]`), "which is no digest", ""},
		"a digest and more":  {says(200, `[{"id":1,"name":"`+digestOf(1)+`\n::error::x",`+good+`}]`), "which is no digest", ""},
		"no metadata":        {says(200, `[{"id":1,"name":"`+digestOf(1)+`","created_at":"2026-11-20T08:00:00Z"}]`), "the tags of version 1 are not told", ""},
		"no container":       {says(200, `[{"id":1,"name":"`+digestOf(1)+`","created_at":"2026-11-20T08:00:00Z","metadata":{}}]`), "are not told", ""},
		"no tags":            {says(200, `[{"id":1,"name":"`+digestOf(1)+`","created_at":"2026-11-20T08:00:00Z","metadata":{"container":{}}}]`), "are not told", ""},
		"tags of null":       {says(200, `[{"id":1,"name":"`+digestOf(1)+`","created_at":"2026-11-20T08:00:00Z","metadata":{"container":{"tags":null}}}]`), "are not told", ""},
		"no time":            {says(200, `[{"id":1,"name":"`+digestOf(1)+`","metadata":{"container":{"tags":[]}}}]`), "version 1 has no time", ""},
		"an endless list":    {says(200, `[]`, "Link", `</x?page=2>; rel="next"`), "more than 20000", ""},
		"another host":       {says(200, `[]`, "Link", `<https://evil.example/x?page=2>; rel="next"`), "more than 20000", ""},
	} {
		for page := range 3 {
			t.Run(fmt.Sprint(name, " on page ", page), func(t *testing.T) {
				h := startPackageHub(t, 250)
				h.fault = func(n int) fault {
					if n > page {
						return func(w http.ResponseWriter, _ func() *httptest.ResponseRecorder) { test.answer(w, nil) }
					}
					return nil
				}
				got, err := h.open(t).Versions(t.Context())
				explained(t, err, test.tip, "listing the versions of package "+platform, test.says)
				if got != nil || len(h.requests) > 1+maxVersionPages {
					t.Errorf("%d versions after %d requests", len(got), len(h.requests))
				}
			})
		}
	}
}

// The later of the two times counts.
func TestPushed(t *testing.T) {
	for updated, want := range map[string]string{
		`"2026-11-19T08:00:00Z"`:      "2026-11-20T08:00:00Z",
		`"2026-11-21T09:00:00+01:00"`: "2026-11-21T08:00:00Z",
		`"0001-01-01T00:00:00Z"`:      "2026-11-20T08:00:00Z",
		`null`:                        "2026-11-20T08:00:00Z",
	} {
		body := strings.Replace(versionJSON(1), `"updated_at":"2026-11-20T08:00:00Z"`, `"updated_at":`+updated, 1)
		h := startPackageHub(t, 1)
		h.meets(refuse(200, body), 1)
		if v, _, err := h.open(t).Version(t.Context(), 1); err != nil || v.Pushed.Format(time.RFC3339) != want {
			t.Errorf("%s: %v, %v", updated, v.Pushed, err)
		}
	}
}
