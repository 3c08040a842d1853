package oci

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// lister is a registry's tag list, with the manners of one.
type lister struct {
	tags     []string
	most     int                       // tags of one page; 0 is any number
	refuses  func(n int) string        // the body of a 400 to so large a page; empty for none
	status   int                       // in place of that 400
	ignoresN bool                      // gives all, or most
	beyond   bool                      // begins anew after the last tag, as go-containerregistry's does
	ignores  bool                      // last
	cursors  bool                      // refuses a last that is a tag, as ECR does
	link     func(query string) string // with a Link to the next page

	asked []string // queries
}

func (l *lister) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.asked = append(l.asked, r.URL.RawQuery) // one after the other
	q := r.URL.Query()
	n, _ := strconv.Atoi(q.Get("n"))
	if l.refuses != nil && l.refuses(n) != "" {
		w.WriteHeader(max(l.status, http.StatusBadRequest))
		_, _ = fmt.Fprint(w, l.refuses(n))
		return
	}
	if l.cursors && q.Has("last") {
		w.WriteHeader(http.StatusMethodNotAllowed)
		_, _ = fmt.Fprint(w, `{"errors":[{"code":"UNSUPPORTED","message":"Invalid parameter at 'NextToken' failed to satisfy constraint: 'Invalid next token provided'"}]}`)
		return
	}
	rest := l.tags
	if at := slices.Index(l.tags, q.Get("last")); at >= 0 && !l.ignores && (at+1 < len(rest) || !l.beyond) {
		rest = rest[at+1:]
	}
	size := len(rest)
	if n > 0 && !l.ignoresN {
		size = min(size, n)
	}
	if l.most > 0 {
		size = min(size, l.most)
	}
	if l.link != nil && size < len(rest) {
		w.Header().Set("Link", l.link(fmt.Sprintf("last=%s&n=%d", rest[size-1], max(n, size))))
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"name": "acme/fleet", "tags": rest[:size]})
}

func (l *lister) open(t *testing.T) *Registry {
	t.Helper()
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	s := httptest.NewServer(l)
	t.Cleanup(s.Close)
	return openAt(t, s.URL, Options{})
}

// someTags are n tags in lexical order.
func someTags(n int) []string {
	tags := make([]string, n)
	for i := range tags {
		tags[i] = fmt.Sprintf("t%06d", i)
	}
	return tags
}

func relative(query string) string { return "</v2/acme/fleet/tags/list?" + query + `>; rel="next"` }

// TestPagesWithoutLink: Link is optional. A page that may be cut costs one request for what comes after it, and no other does.
func TestPagesWithoutLink(t *testing.T) {
	for name, c := range map[string]struct {
		*lister
		tags, requests int
	}{
		"a few":                               {&lister{}, 28, 1},
		"none":                                {&lister{}, 0, 1},
		"one less than asked for":             {&lister{}, 999, 1},
		"as many as asked for":                {&lister{}, 1000, 2},
		"as many, and it begins anew":         {&lister{beyond: true}, 1000, 2},
		"as many, and it ignores last":        {&lister{ignores: true, ignoresN: true}, 1000, 2},
		"as many, and last is refused":        {&lister{cursors: true}, 1000, 2},
		"a round number, and last is refused": {&lister{cursors: true}, 200, 2},
		"more than asked for":                 {&lister{}, 2600, 3},
		"two full pages":                      {&lister{}, 2000, 3},
		"two full, and it begins anew":        {&lister{beyond: true}, 2000, 3},
		"all at once":                         {&lister{ignoresN: true}, 2300, 1},
		"all at once, a round number":         {&lister{ignoresN: true, ignores: true}, 2500, 2},
		"a limit of its own":                  {&lister{most: 100}, 260, 3},
		"a limit of its own, just reached":    {&lister{most: 100}, 200, 3},
		"a limit above ours":                  {&lister{most: 5000, ignoresN: true}, 6001, 2},
		"a limit of fifty":                    {&lister{most: 50}, 51, 2},
		"with Links":                          {&lister{link: relative}, 9_900, 10},
		"with Links, less than asked for":     {&lister{link: relative, most: 100}, 960, 10},
		"with Links, and all are full":        {&lister{link: relative, most: 70}, 210, 4},
		"with Links, and last is ignored":     {&lister{link: relative, most: 70, ignores: true}, 70, 1},
	} {
		t.Run(name, func(t *testing.T) {
			c.lister.tags = someTags(c.tags)
			got, err := allTags(t, c.open(t))
			if err != nil || !slices.Equal(got, c.lister.tags) {
				t.Errorf("%d tags, %v; want %d", len(got), err, c.tags)
			}
			if len(c.asked) != c.requests {
				t.Errorf("%d requests, want %d: %q", len(c.asked), c.requests, c.asked)
			}
		})
	}
}

// TestListThatEndsInAVersion: the tags of commits come after the versions, so that a list in order that has none behind its
// last version may be cut, whatever the registry's limit is. Of a whole one that costs one request.
func TestListThatEndsInAVersion(t *testing.T) {
	var versions []string
	for i := range 150 {
		versions = append(versions, fmt.Sprintf("0.0.1-rc.%d", i))
	}
	slices.Sort(versions)
	behind := append(slices.Clone(versions), "9.0.0", "sha-aaaaaaa")
	shuffled := slices.Clone(versions)
	shuffled[0], shuffled[1] = shuffled[1], shuffled[0]
	for name, c := range map[string]struct {
		*lister
		requests int
	}{
		"cut":             {&lister{tags: behind, most: 151}, 2},
		"cut twice":       {&lister{tags: behind, most: 75}, 3},
		"whole":           {&lister{tags: behind}, 1},
		"versions alone":  {&lister{tags: versions[:120]}, 2},
		"a few":           {&lister{tags: versions[:49]}, 1},
		"without order":   {&lister{tags: shuffled[:149]}, 1},
		"with their Link": {&lister{tags: behind, most: 75, link: relative}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := allTags(t, c.open(t))
			if err != nil || !slices.Equal(got, c.tags) || len(c.asked) != c.requests {
				t.Errorf("%d tags in %q, %v; want %d in %d requests", len(got), c.asked, err, len(c.tags), c.requests)
			}
		})
	}
}

// TestTooManyAtOnce: a registry that does not want to give a thousand tags is asked for what it says, or for no number, and
// the second list of a run begins with that.
func TestTooManyAtOnce(t *testing.T) {
	above := func(most int, body string) func(int) string {
		return func(n int) string {
			if n > most {
				return strings.ReplaceAll(body, "%N", strconv.Itoa(n))
			}
			return ""
		}
	}
	for name, c := range map[string]struct {
		*lister
		first string // queries of the first list
		again string // and of the second
		says  string // of the error
	}{
		"cuelabs": {&lister{refuses: above(60, `{"errors":[{"code":"UNSUPPORTED","message":"query parameter n is too large (n=%N, max=60)"}]}`), link: relative},
			"n=1000 n=60 last=t000059&n=60", "n=60 last=t000059&n=60", ""},
		"Distribution 3.1.0": {&lister{refuses: above(100, `{"errors":[{"code":"PAGINATION_NUMBER_INVALID","message":"invalid number of results requested","detail":{"n":%N}}]}`), link: relative},
			"n=1000 ", "", ""},
		"in the detail": {&lister{refuses: above(80, `{"errors":[{"code":"PAGINATION_NUMBER_INVALID","message":"invalid","detail":{"n":%N,"max":80}}]}`)},
			"n=1000 n=80", "n=80", ""},
		"ECR": {&lister{refuses: above(500, `{"errors":[{"code":"UNSUPPORTED","message":"Invalid parameter at 'maxResults' failed to satisfy constraint: 'Member must have value less than or equal to 500'"}]}`), status: 405},
			"n=1000 n=500", "n=500", ""},
		"413, in plain words": {&lister{refuses: above(100, `page too large, between 1 and 100 allowed`), status: 413},
			"n=1000 n=100", "n=100", ""},
		"another number": {&lister{refuses: above(50, `{"errors":[{"code":"X","message":"error 400: n"}]}`)},
			"n=1000 n=400 ", "", ""},
		"a small number": {&lister{refuses: above(50, `{"errors":[{"code":"X","message":"error 7: n"}]}`)},
			"n=1000 ", "", ""},
		"ever fewer": {&lister{refuses: func(n int) string {
			return strings.Repeat(fmt.Sprintf(`{"errors":[{"code":"X","message":"%d at most"}]}`, n-1), min(n, 1))
		}}, "n=1000 n=999 ", "", ""},
		"without a Link": {&lister{refuses: above(60, `{"errors":[{"code":"X","message":"60 at most"}]}`)},
			"n=1000 n=60 last=t000059&n=60", "n=60 last=t000059&n=60", ""},
		"not for its size": {&lister{refuses: above(-1, `{"errors":[{"code":"NAME_INVALID","message":"invalid repository name"}]}`)},
			"n=1000 ", "n=1000 ", "400 name invalid: invalid repository name"},
	} {
		t.Run(name, func(t *testing.T) {
			c.tags = someTags(70)
			r := c.open(t)
			for _, want := range []string{c.first, c.again} {
				c.asked = nil
				tags, err := allTags(t, r)
				if c.says != "" {
					checkHint(t, err, c.says, "its own words say why")
				} else if err != nil || len(tags) != 70 {
					t.Errorf("%d tags, %v", len(tags), err)
				}
				if got := strings.Join(c.asked, " "); got != want {
					t.Errorf("asked for %q, want %q", got, want)
				}
			}
		})
	}
}

// TestRestOfAPageThatMayBeCut: where it cannot be had, what is there is not taken for all; only a registry that does not take
// the question has said all.
func TestRestOfAPageThatMayBeCut(t *testing.T) {
	for status, whole := range map[int]bool{400: true, 405: true, 401: false, 403: false, 404: false, 429: false, 500: false, 503: false} {
		full, err := json.Marshal(map[string]any{"tags": someTags(tagPage)})
		if err != nil {
			t.Fatal(err)
		}
		asked := 0
		tags, err := allTags(t, openCanned(t, roundTrip(func(req *http.Request) (*http.Response, error) {
			if asked++; req.URL.Query().Has("last") {
				return canned{status, "", `{"errors":[{"code":"NAME_UNKNOWN","message":"no"}]}`}.RoundTrip(req)
			}
			return canned{http.StatusOK, "", string(full)}.RoundTrip(req)
		}), Options{FirstBuild: true}))
		if (err == nil) != whole || len(tags) != tagPage || asked != 2 {
			t.Errorf("%d: %d tags of %d requests, %v", status, len(tags), asked, err)
		}
	}
}
