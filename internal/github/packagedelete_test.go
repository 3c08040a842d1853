package github

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oci-promote/oci-promote/internal/oci"
)

func TestVersion(t *testing.T) {
	h := startPackageHub(t, 3)
	p := h.open(t)
	v, there, err := p.Version(t.Context(), h.ids[1])
	if err != nil || !there || v.Digest != digestOf(1) || !slices.Equal(slices.Sorted(slices.Values(v.Tags)), []string{"a-1", "b-1"}) {
		t.Errorf("got %+v, %v, %v", v, there, err)
	}
	h.Push(platform, digestOf(1), "c-1")
	if v, _, _ = p.Version(t.Context(), h.ids[1]); !slices.Contains(v.Tags, "c-1") {
		t.Errorf("a tag that was just written is not among %q", v.Tags)
	}
	h.deletePast(1)
	for _, id := range []int64{h.ids[1], 99, 0, -1} {
		if v, there, err = p.Version(t.Context(), id); err != nil || there || v.ID != 0 {
			t.Errorf("what is gone is %+v, %v, %v", v, there, err)
		}
	}
}

// A 404 says that a version is gone only where the package is there to see.
func TestVersionAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		one, list fault
		says, tip string
	}{
		"nothing to see":       {refuse(404, `{"message":"Package not found."}`), refuse(404, `{"message":"Package not found."}`), "404 Package not found.", "Admin"},
		"the list is broken":   {refuse(404, notFound), refuse(502, "<html>"), "502", "busy"},
		"the list is a page":   {refuse(404, notFound), refuse(200, "<html>"), "invalid character", ""},
		"the list is empty":    {refuse(404, notFound), refuse(200, ""), "no list", ""},
		"the list is hung up":  {refuse(404, notFound), undone(half), "EOF", ""},
		"the 404 is a proxy's": {refuse(404, "<html>"), nil, "404", "check the name"},
		"another version":      {refuse(200, versionJSON(2)), nil, "about version 2", ""},
		"empty":                {refuse(200, ""), nil, "without an id", ""},
		"null":                 {refuse(200, "null"), nil, "without an id", ""},
		"a list":               {refuse(200, "["+versionJSON(1)+"]"), nil, "cannot unmarshal", ""},
		"cut":                  {half, nil, "unexpected EOF", ""},
		"403":                  {refuse(403, forbids), nil, "403", "packages: write"},
		"limited":              {refuse(429, `{"message":"Too many requests"}`), nil, "429", "pause"},
	} {
		t.Run(name, func(t *testing.T) {
			h := startPackageHub(t, 3)
			h.fault = func(n int) fault { return map[int]fault{1: test.one, 2: test.list}[n] }
			v, there, err := h.open(t).Version(t.Context(), 1)
			explained(t, err, test.tip, "reading version 1 of package "+platform, test.says)
			if there || v.ID != 0 || test.list == nil && len(h.requests) != 2 {
				t.Errorf("got %+v, %v after %q", v, there, h.requests)
			}
		})
	}
}

// left checks that a hub has all of its first n versions, tags and all, but for those.
func (h *packageHub) left(t *testing.T, n int, without ...int) {
	t.Helper()
	hub, _ := pushed(n)
	want := hub.Versions(platform)
	for _, which := range without {
		delete(want, digestOf(which))
	}
	if got := h.Versions(platform); !maps.EqualFunc(got, want, slices.Equal[[]string]) {
		t.Errorf("there is\n%v\nwant\n%v", got, want)
	}
}

func TestDelete(t *testing.T) {
	h := startPackageHub(t, 6)
	p := h.open(t)
	for _, which := range []int{1, 5} {
		if err := p.Delete(t.Context(), h.ids[which]); err != nil {
			t.Error(err)
		}
	}
	h.left(t, 6, 1, 5)
	if len(h.requests) != 3 {
		t.Errorf("it asks %q", h.requests)
	}
	if err := p.Delete(t.Context(), h.ids[1]); err != nil {
		t.Errorf("what is gone: %v", err)
	}
	h.left(t, 6, 1, 5)
}

// What GitHub says of a version that it keeps is told, with what to do about it; no other refusal is taken for that.
func TestDeleteRefused(t *testing.T) {
	t.Run("the last tagged version", func(t *testing.T) {
		h := startPackageHub(t, 1)
		h.Push(platform, digestOf(9))
		err := h.open(t).Delete(t.Context(), h.ids[0])
		explained(t, err, "keep another one", "deleting version 1 of package "+platform, "400 You cannot delete the last tagged version of a package.")
		if !errors.Is(err, ErrKept) || len(h.requests) != 2 {
			t.Errorf("%v after %q", err, h.requests)
		}
	})
	t.Run("many downloads", func(t *testing.T) {
		h := startPackageHub(t, 3)
		h.Download(platform, digestOf(1), 5001)
		err := h.open(t).Delete(t.Context(), h.ids[1])
		explained(t, err, "its support does", "400 Publicly visible package versions with more than 5000 downloads cannot be deleted.")
		if !errors.Is(err, ErrKept) {
			t.Error(err)
		}
		h.left(t, 3)
	})
	t.Run("read, but not deleted", func(t *testing.T) {
		h := startPackageHub(t, 3)
		h.May = func(method, _ string) bool { return method == http.MethodGet }
		err := h.open(t).Delete(t.Context(), h.ids[1])
		explained(t, err, "the role Admin on the package", "404 Package not found.")
		if errors.Is(err, ErrKept) {
			t.Errorf("it is taken for one that GitHub keeps: %v", err)
		}
		h.left(t, 3)
	})
	for name, test := range map[string]struct {
		fault     fault
		says, tip string
	}{
		"nothing to see":                   {refuse(404, `{"message":"Package not found."}`), "404 Package not found.", "Admin"},
		"forbidden":                        {refuse(403, forbids), "403", "packages: write"},
		"a scope is wanting":               {refuse(403, `{"message":"You need at least delete:packages scope to delete a package version."}`), "delete:packages", "read:packages and delete:packages"},
		"another 400":                      {refuse(400, `{"message":"Invalid argument."}`), "400 Invalid argument.", ""},
		"a 400 without a word":             {refuse(400, "<html>the last tagged version, with downloads</html>"), "400", ""},
		"secondary":                        {refuse(403, `{"message":"You have exceeded a secondary rate limit."}`), "secondary", "pause"},
		"secondary, as go-github knows it": {refuse(403, `{"message":"You have exceeded a secondary rate limit.","documentation_url":"https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`), "secondary", "pause"},
		"429":                              {refuse(429, `{"message":"Too many requests"}`), "429", "pause"},
		"429 of a proxy":                   {refuse(429, "<html>"), "429", "pause"},
		"200 and nothing":                  {refuse(200, ""), "where 204 No Content was expected", ""},
		"a proxy's page":                   {refuse(200, "<html>"), "where 204 No Content was expected", ""},
		"accepted":                         {refuse(202, "{}"), "", ""},
		"500":                              {refuse(500, "<html>"), "500", "busy"},
		"a 404 of a proxy":                 {refuse(404, "<html>"), "404", "check the name"},
	} {
		t.Run(name, func(t *testing.T) {
			h := startPackageHub(t, 3)
			h.fault = func(n int) fault {
				if n > 0 && (n == 1 || name == "nothing to see") {
					return test.fault
				}
				return nil
			}
			err := h.open(t).Delete(t.Context(), h.ids[1])
			explained(t, err, test.tip, "deleting version 2 of package "+platform, test.says)
			if errors.Is(err, ErrKept) || h.sent("DELETE") != 1 || test.tip == "pause" && len(h.requests) != 2 {
				t.Errorf("%v after %q", err, h.requests)
			}
			h.left(t, 3)
		})
	}
}

// What the answer to a deletion does not tell, the version does.
func TestDeleteLostAnswers(t *testing.T) {
	for _, name := range []string{"lost after it was done", "503 after it was done", "404 of a proxy", "202", "empty 200 after", "HTML after it was done"} {
		h := startPackageHub(t, 6)
		h.meets(faults[name], 1)
		if err := h.open(t).Delete(t.Context(), h.ids[1]); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		h.left(t, 6, 1)
	}
}

// prune is what a run does: the list, and of two versions each afresh, and its deletion.
func prune(t *testing.T, p *Package) error {
	all, err := p.Versions(t.Context())
	if err != nil {
		return err
	}
	for _, v := range all {
		if v.Digest != digestOf(1) && v.Digest != digestOf(5) {
			continue
		}
		if now, there, err := p.Version(t.Context(), v.ID); err != nil {
			return err
		} else if !there || now.Digest != v.Digest {
			continue
		}
		if err := p.Delete(t.Context(), v.ID); err != nil {
			return err
		}
	}
	return nil
}

// Whatever becomes of one request, or of all from one on, nothing else is deleted and no failure is silent; a healthy run after
// it completes the work, and the one after that deletes nothing.
func TestPackageFaults(t *testing.T) {
	faults := maps.Clone(faults)
	faults["403 secondary"] = refuse(403, `{"message":"You have exceeded a secondary rate limit."}`)
	faults["204, never done"] = refuse(204, "")
	h := startPackageHub(t, 120)
	if err := prune(t, h.open(t)); err != nil {
		t.Fatal(err)
	}
	requests := slices.Clone(h.requests)
	if len(requests) != 1+2+2*2 { // the owner, two pages, and of each version itself and its deletion
		t.Fatalf("it asks %q", requests)
	}
	for name, what := range faults {
		for i, request := range requests {
			for _, ever := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s of %d %s, ever %v", name, i, strings.ReplaceAll(request, "/", "|"), ever), func(t *testing.T) {
					t.Parallel()
					h := startPackageHub(t, 120)
					h.fault = func(n int) fault {
						if n == i || ever && n > i {
							return what
						}
						return nil
					}
					err := prune(t, h.open(t))
					h.mend()
					var e *Error
					if err != nil && (!errors.As(err, &e) || !strings.Contains(err.Error(), "package "+platform)) {
						t.Errorf("the error is %v", err)
					}
					if gone := 120 - len(h.Versions(platform)); err == nil && gone < 2 && name != "204, never done" && name != "404" { // which GitHub says of what is gone
						t.Errorf("%d were deleted, and no error: %q", gone, h.requests)
					}
					if err := prune(t, h.open(t)); err != nil {
						t.Errorf("the second run: %v", err)
					}
					h.left(t, 120, 1, 5)
					sent := h.sent("DELETE")
					if err := prune(t, h.open(t)); err != nil || h.sent("DELETE") != sent {
						t.Errorf("the third run: %v", err)
					}
				})
			}
		}
	}
}

// With the transport of the program, which sends again what failed: what was deleted before the answer was lost is well.
func TestPackageRetried(t *testing.T) {
	for _, name := range []string{"500", "reset", "lost after it was done", "503 after it was done", "half a body"} {
		for at := range 7 {
			t.Run(fmt.Sprint(name, " at ", at), func(t *testing.T) {
				t.Parallel()
				h := startPackageHub(t, 120)
				h.meets(faults[name], at)
				retrier := &oci.Retrier{Budget: time.Minute}
				p := openPackage(t, Options{APIURL: h.URL + "/api/v3", Transport: retrier.Transport(oci.NewTransport())}, platform)
				if err := prune(t, p); err != nil {
					t.Error(err)
				}
				h.left(t, 120, 1, 5)
			})
		}
	}
}

// Deletions are apart, whoever asks for them; reading does not wait.
func TestDeletePace(t *testing.T) {
	h := startPackageHub(t, 10)
	var at []time.Time
	h.fault = func(n int) fault {
		if strings.HasPrefix(h.requests[n], "DELETE") {
			at = append(at, time.Now())
		}
		return nil
	}
	p := h.open(t)
	p.pause = time.Hour // the first waits for none
	if err := p.Delete(t.Context(), h.ids[0]); err != nil {
		t.Error(err)
	}
	p.pause = 50 * time.Millisecond
	done := make(chan error)
	for which := range 3 {
		go func() { done <- p.Delete(t.Context(), h.ids[1+which]) }()
	}
	for range 3 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	for i := range len(at) - 1 {
		if between := at[i+1].Sub(at[i]); between < p.pause {
			t.Errorf("between two deletions are %s", between)
		}
	}
	if len(at) != 4 {
		t.Errorf("they were deleted at %s", at)
	}
	p.pause = time.Hour
	if _, _, err := p.Version(t.Context(), h.ids[5]); err != nil {
		t.Error(err)
	}
}

// Of a DELETE that is answered with 301, net/http makes a GET (docs/facts.md 41): that is answered, and nothing was deleted. One
// that stays a DELETE is followed at home, and nowhere else.
func TestDeleteRedirected(t *testing.T) {
	for status, follows := range map[int]bool{301: false, 302: false, 303: false, 307: true, 308: true} {
		h := startPackageHub(t, 3)
		to := "/api/v3/orgs/acme/packages/container/fleet%2Fplatform/versions/2?moved"
		h.meets(func(w http.ResponseWriter, _ func() *httptest.ResponseRecorder) {
			w.Header().Set("Location", to)
			w.WriteHeader(status)
		}, 1)
		err := h.open(t).Delete(t.Context(), h.ids[1])
		if (err == nil) != follows {
			t.Errorf("%d: %v", status, err)
		}
		if follows {
			h.left(t, 3, 1)
			continue
		}
		explained(t, err, "", "refusing to follow a redirect that makes a GET of a DELETE")
		h.left(t, 3)
	}
	other := serve(t, says(204, ""))
	h := startPackageHub(t, 3)
	h.fault = func(n int) fault {
		return func(w http.ResponseWriter, _ func() *httptest.ResponseRecorder) {
			w.Header().Set("Location", other.URL+"/x")
			w.WriteHeader(http.StatusTemporaryRedirect)
		}
	}
	p := h.open(t)
	p.base = "orgs/acme/packages/container/fleet%2Fplatform"
	explained(t, p.Delete(t.Context(), h.ids[1]), "", "redirect to another host")
	if got := other.requests(); len(got) > 0 {
		t.Errorf("the other host was asked %q", got)
	}
	h.left(t, 3)
}
