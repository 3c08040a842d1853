package chaos

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/oci-promote/oci-promote/test/registrytest"
)

// verdict is what a run may come to under a fault. Whatever it is, nothing wrong is written.
type verdict int

const (
	either   verdict = iota // it succeeds, or says what went wrong
	survives                // it succeeds as if nothing had happened
	fails                   // it says what went wrong
	never                   // this form of the fault is not run
	dies                    // it is killed, and says nothing
)

// fault is one way in which a server can answer.
type fault struct {
	name         string
	once, always verdict            // of one request, and of all from one on
	on           func(r asked) bool // the requests that it fits; nil for all
	answer       registrytest.Interceptor
	registry     bool // it is a registry's only
	gitHub       bool // it is GitHub's only
	lies         bool // what it says cannot be told from the truth: nothing moves, but a run may end otherwise
	slow         bool // it needs more than a minute, and runs in the long form only
}

// asked is a request of a run that nothing disturbed.
type asked struct {
	method, path string // path without its query; the repository is CELL
	token        bool   // it has one
	height       bool   // it asks GitHub for the height of a commit
	status       int
	bytes        int
}

func (r asked) list() bool {
	return strings.HasSuffix(r.path, "/tags/list") && r.status == http.StatusOK
}
func (r asked) manifest() bool { return strings.Contains(r.path, "/manifests/") && r.status/100 == 2 }
func (r asked) json() bool {
	return r.method == http.MethodGet && r.status == http.StatusOK && r.bytes > 1
}

func (r asked) counts() bool  { return r.height }
func (r asked) head() bool    { return r.manifest() && r.method == http.MethodHead }
func (r asked) written() bool { return r.manifest() && r.method == http.MethodPut }

func (r asked) content() bool {
	return r.method == http.MethodGet && strings.Contains(r.path, "/manifests/") && r.status == http.StatusOK
}

// Texts that registries and GitHub really answer with.
const (
	tooMany   = `{"errors":[{"code":"TOOMANYREQUESTS","message":"too many requests"}]}`
	ghcrLimit = `{"errors":[{"code":"TOOMANYREQUESTS","message":"retry-after: 1.16ms, allowed: 44000/minute"}]}`
	secondary = `{"documentation_url":"https://docs.github.com/free-pro-team@latest/rest/overview/` +
		`rate-limits-for-the-rest-api#about-secondary-rate-limits","message":"You have exceeded a secondary rate limit. ` +
		`Please wait a few minutes before you try again."}`
	webPage = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Please sign in to the network.</body></html>\n"
)

// throttled answers 429 with the delay that header asks for.
func throttled(header func() string) registrytest.Interceptor {
	return func(w http.ResponseWriter, r *http.Request, n int, next http.Handler) {
		registrytest.Status(http.StatusTooManyRequests, http.Header{"Retry-After": {header()}}, tooMany)(w, r, n, next)
	}
}

func text(s string) func() string { return func() string { return s } }

func dateIn(d time.Duration) func() string {
	return func() string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
}

func status(code int, body string) registrytest.Interceptor {
	return registrytest.Status(code, nil, body)
}

// secondaryLimit is GitHub's: the answer to a HEAD has the header alone.
func secondaryLimit(w http.ResponseWriter, r *http.Request, n int, next http.Handler) {
	h := http.Header{}
	if r.Method == http.MethodHead {
		h.Set("Retry-After", "1")
	}
	registrytest.Status(http.StatusForbidden, h, secondary)(w, r, n, next)
}

// primaryLimit is GitHub's when the hour's requests are used up, until a time.
func primaryLimit(reset time.Duration) registrytest.Interceptor {
	return func(w http.ResponseWriter, r *http.Request, n int, next http.Handler) {
		registrytest.Status(http.StatusForbidden, http.Header{
			"X-Ratelimit-Limit": {"1000"}, "X-Ratelimit-Remaining": {"0"},
			"X-Ratelimit-Reset": {strconv.FormatInt(time.Now().Add(reset).Unix(), 10)},
		}, `{"message":"API rate limit exceeded for installation ID 1."}`)(w, r, n, next)
	}
}

// passing are the faults that every request can meet.
func passing() []fault {
	page := registrytest.Status(http.StatusOK, http.Header{"Content-Type": {"text/html; charset=utf-8"}}, webPage)
	return []fault{
		{name: "429, delay in seconds", once: survives, always: fails, answer: throttled(text("1"))},
		{name: "429, delay as a date", once: survives, always: fails, answer: throttled(dateIn(2 * time.Second))},
		{name: "429, GHCR's body", once: survives, always: fails, answer: status(429, ghcrLimit)},
		{name: "429, delay of days", once: fails, always: fails, answer: throttled(text("999999"))},
		{name: "429, date in years", once: fails, always: fails, answer: throttled(dateIn(9 * 8760 * time.Hour))},
		{name: "429, date in the past", once: survives, always: fails, answer: throttled(dateIn(-time.Hour))},
		{name: "429, negative delay", once: survives, always: fails, answer: throttled(text("-5"))},
		{name: "429, delay NaN", once: survives, always: fails, answer: throttled(text("NaN"))},
		{name: "500", once: survives, always: fails, answer: status(500, `{"errors":[{"code":"UNKNOWN","message":"unknown error"}]}`)},
		{name: "502, a web page", once: survives, always: fails, answer: status(502, webPage)},
		{name: "503", once: survives, always: fails, answer: status(503, "no healthy upstream")},
		{name: "504", once: survives, always: fails, answer: status(504, "")},
		{name: "403 secondary limit", once: survives, always: fails, answer: secondaryLimit},
		{name: "403 primary limit, free soon", once: survives, always: fails, gitHub: true, answer: primaryLimit(2 * time.Second)},
		{name: "403 primary limit, free in an hour", once: fails, always: fails, gitHub: true, answer: primaryLimit(time.Hour)},
		{name: "404 right after a push", once: survives, always: fails, gitHub: true, on: asked.counts, answer: status(404, `{"message":"Not Found"}`)},
		{name: "no Link header", once: fails, always: fails, gitHub: true, on: asked.counts, answer: registrytest.Rewritten(func(h http.Header, body []byte) []byte {
			h.Del("Link")
			return body
		})},
		{name: "cut before", once: survives, always: fails, answer: registrytest.DropBefore},
		{name: "cut after", once: survives, always: fails, answer: registrytest.DropAfter},
		{name: "stall of 10 s", once: survives, always: never, answer: registrytest.Stall(10 * time.Second)},
		{name: "stall for ever", once: survives, always: fails, slow: true, answer: registrytest.Stall(time.Hour)},
		{name: "body cut off", once: survives, always: fails, on: asked.json, answer: registrytest.Truncated},
		{name: "half of the JSON", always: fails, on: asked.json, answer: registrytest.Rewritten(half)},
		{name: "web page with 200", always: fails, answer: page},
	}
}

func half(_ http.Header, body []byte) []byte { return body[:len(body)/2] }

// lying are answers of a registry that are wrong in what they say.
func lying(s *registrytest.Server) []fault {
	other := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte("other")))
	lie := onManifests(func(h http.Header, body []byte) []byte {
		h.Set("Docker-Content-Digest", other)
		return body
	})
	all := []fault{
		{name: "wrong digest header", once: fails, always: fails, on: asked.content, answer: lie},
		{name: "wrong digest header on HEAD", lies: true, on: asked.head, answer: lie},
		{name: "wrong digest header on PUT", on: asked.written, answer: lie},
		{name: "no digest header", on: asked.manifest, answer: onManifests(func(h http.Header, body []byte) []byte {
			h.Del("Docker-Content-Digest")
			return body
		})},
		{name: "wrong content", once: fails, always: fails, on: asked.content, answer: registrytest.On(http.MethodGet, "/manifests/",
			registrytest.Rewritten(func(_ http.Header, body []byte) []byte {
				return []byte(strings.Replace(string(body), `"schemaVersion":2`, `"schemaVersion": 2`, 1))
			}))},
		{name: "endless chain, same tags", once: never, always: fails, on: asked.list, answer: registrytest.TagPages(
			func(string, int) ([]string, bool) { return []string{"latest"}, true })},
		{name: "endless chain, same link", once: never, always: fails, on: asked.list, answer: sameLink},
		{name: "endless chain, empty pages", once: never, always: fails, on: asked.list, answer: registrytest.TagPages(
			func(string, int) ([]string, bool) { return []string{}, true })},
		{name: "endless chain, new tags", once: never, always: fails, on: asked.list, answer: registrytest.TagPages(
			func(_ string, i int) ([]string, bool) { return manyTags(i, 1000), true })},
		{name: "list of 50 MB", once: fails, always: fails, on: asked.list, answer: longList},
		{name: "list of 50 MB in pages", once: never, on: asked.list, answer: registrytest.TagPages(
			func(repo string, i int) ([]string, bool) {
				if i == 50 {
					return sorted(s.Tags(repo)), false
				}
				return manyTags(i, 10_000), true
			})},
		{name: "duplicate pages", once: never, always: survives, on: asked.list, answer: registrytest.TagPages(
			func(repo string, i int) ([]string, bool) { return pageOf(sorted(s.Tags(repo)), i/2, i%2 == 0) })},
		{name: "unsorted pages", once: never, always: survives, on: asked.list, answer: registrytest.TagPages(
			func(repo string, i int) ([]string, bool) {
				tags := sorted(s.Tags(repo))
				slices.SortFunc(tags, func(a, b string) int { return strings.Compare(scrambled(a), scrambled(b)) })
				return pageOf(tags, i, false)
			})},
	}
	for i := range all {
		all[i].registry = true
	}
	return all
}

func scrambled(tag string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(tag))) }

// onManifests changes the answers that speak of a manifest.
func onManifests(change func(http.Header, []byte) []byte) registrytest.Interceptor {
	return registrytest.On("", "/manifests/", registrytest.Rewritten(change))
}

// sameLink leads from the list to itself.
func sameLink(w http.ResponseWriter, r *http.Request, n int, next http.Handler) {
	registrytest.On(http.MethodGet, "/tags/list", registrytest.Rewritten(func(h http.Header, body []byte) []byte {
		h.Set("Link", "<"+r.URL.RequestURI()+`>; rel="next"`)
		return body
	}))(w, r, n, next)
}

// longBody is made once: a server that takes half a minute for it would be another fault.
var longBody = sync.OnceValue(func() string { return `{"tags":["` + strings.Join(manyTags(0, 500_000), `","`) + `"]}` })

// longList answers tag lists with 50 MB.
func longList(w http.ResponseWriter, r *http.Request, n int, next http.Handler) {
	registrytest.On(http.MethodGet, "/tags/list", registrytest.Rewritten(func(http.Header, []byte) []byte { return []byte(longBody()) }))(w, r, n, next)
}

// manyTags are n tags of 100 characters that no mode of ours writes, other ones for each page.
func manyTags(page, n int) []string {
	tags := make([]string, n)
	for i := range tags {
		tags[i] = fmt.Sprintf("build-%0*d", 94, page*n+i)
	}
	return tags
}

// pageOf is the page i of 3 tags; more says that there is another page though this is the last.
func pageOf(tags []string, i int, more bool) ([]string, bool) {
	const size = 3
	begin, end := min(i*size, len(tags)), min((i+1)*size, len(tags))
	return tags[begin:end], more || end < len(tags)
}

func sorted(tags map[string]string) []string {
	var names []string
	for name := range tags {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
