package oci

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

var someLayer = ocispec.Descriptor{MediaType: "application/octet-stream", Digest: digest.FromString("layer"), Size: 5}

// logins serves, and keeps the logins that it is shown.
type logins struct {
	*httptest.Server
	mu    sync.Mutex
	shown []string
}

func newLogins(t *testing.T, answer http.HandlerFunc) *logins {
	l := &logins{}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		l.shown = append(l.shown, r.Header.Get("Authorization"))
		l.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(l.Close)
	return l
}

// A registry sends us to its storage for a blob. Whatever that answers, it never sees the login: not on the way there, and
// not because it asks for one.
func TestBlobStorageSeesNoLogin(t *testing.T) {
	for name, c := range map[string]struct {
		storage http.HandlerFunc
		exists  bool
		says    string // part of the error; empty for none
	}{
		"has it":           {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "5") }, true, ""},
		"has it not":       {status(404, "Content-Type: application/xml", ""), false, ""},
		"refuses":          {status(403, "Content-Type: application/xml", ""), false, "403 Forbidden (from STORAGE, "},
		"knows no HEAD":    {status(405, "", ""), false, "405 Method Not Allowed"},
		"asks for Basic":   {status(401, `Www-Authenticate: Basic realm="storage"`, ""), false, "401 Unauthorized (from STORAGE, "},
		"asks for a token": {status(401, `Www-Authenticate: Bearer realm="http://STORAGE/token",service="s"`, ""), false, "401 Unauthorized (from STORAGE, "},
		"is a page to log in": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Content-Length", "99")
		}, false, "a web page"},
	} {
		t.Run(name, func(t *testing.T) {
			var storage *logins
			storage = newLogins(t, func(w http.ResponseWriter, r *http.Request) {
				c.storage(rewriting{w, strings.NewReplacer("STORAGE", storage.Listener.Addr().String())}, r)
			})
			registry := newLogins(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") == "" {
					w.Header().Set("Www-Authenticate", `Basic realm="registry"`)
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				http.Redirect(w, r, storage.URL+"/bucket/layer?signed", http.StatusTemporaryRedirect)
			})
			ok, err := openAt(t, registry.URL, Options{Credentials: Credentials{Username: "robot", Password: "s3cret"}}).Exists(t.Context(), someLayer)
			says := strings.ReplaceAll(c.says, "STORAGE", storage.Listener.Addr().String())
			if ok != c.exists || (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
				t.Errorf("%v, %v, want %v and an error with %q", ok, err, c.exists, says)
			}
			var known *Error
			if err != nil && (!errors.As(err, &known) || known.Hint() == "") {
				t.Errorf("%v has no hint", err)
			}
			if len(registry.shown) < 2 || len(storage.shown) == 0 || slices.ContainsFunc(storage.shown, func(s string) bool { return s != "" }) {
				t.Errorf("the registry was shown %q, the storage %q", registry.shown, storage.shown)
			}
		})
	}
}

// rewriting replaces words in the headers of an answer.
type rewriting struct {
	http.ResponseWriter
	words *strings.Replacer
}

func (w rewriting) WriteHeader(code int) {
	for _, values := range w.Header() {
		for i := range values {
			values[i] = w.words.Replace(values[i])
		}
	}
	w.ResponseWriter.WriteHeader(code)
}

// Only a registry's own 404 is a no. What else is not a yes is an error that says what came.
func TestBlobIsMissingOnlyWhenSaid(t *testing.T) {
	other := "Docker-Content-Digest: " + digest.FromString("other").String()
	for name, c := range map[string]struct {
		answer reply
		length int64
		exists bool
		says   string
	}{
		"there":                  {reply{200, "", ""}, 5, true, ""},
		"there, of another":      {reply{200, "", ""}, 99, false, "the answer is about 99 bytes, and the blob has 5"},
		"another digest":         {reply{200, other, ""}, 5, false, "is about " + digest.FromString("other").String()},
		"a web page":             {reply{200, "Content-Type: text/html", ""}, 5, false, "a web page"},
		"gone":                   {reply{404, "Content-Type: application/json", ""}, 0, false, ""},
		"gone, without a word":   {reply{404, "", ""}, 0, false, ""},
		"gone, says a web page":  {reply{404, "Content-Type: text/html", ""}, 0, false, "404 Not Found: the answer is a web page"},
		"bad request":            {reply{400, "", ""}, 0, false, "400 Bad Request"},
		"forbidden":              {reply{403, "", ""}, 0, false, "403 Forbidden"},
		"no such method":         {reply{405, "", ""}, 0, false, "405 Method Not Allowed"},
		"unauthorized":           {reply{401, "", ""}, 0, false, "401 Unauthorized"},
		"busy":                   {reply{503, "", ""}, 0, false, "503 Service Unavailable"},
		"accepted, or something": {reply{204, "", ""}, 0, false, "204 No Content"},
	} {
		t.Run(name, func(t *testing.T) {
			ok, err := openCanned(t, roundTrip(func(req *http.Request) (*http.Response, error) {
				if req.URL.Path != "/v2/acme/fleet/blobs/"+someLayer.Digest.String() || req.URL.Scheme != "https" {
					t.Errorf("%s %s", req.Method, req.URL)
				}
				resp := c.answer.response()
				resp.ContentLength, resp.Request = c.length, req
				return resp, nil
			}), Options{}).Exists(t.Context(), someLayer)
			if ok != c.exists || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, %v, want %v and an error with %q", ok, err, c.exists, c.says)
			}
		})
	}
}

// Of a blob that is closed after its first bytes no more is sent than what is on its way: a gigabyte is not downloaded, though
// the registry knows no ranges.
func TestBeginningOfABlob(t *testing.T) {
	const size, most = 1 << 30, 64 << 20 // what two sockets hold is some megabytes
	sent := make(chan int64, 1)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(size))
		n, err := int64(0), error(nil)
		for page := make([]byte, 1<<16); n < size && err == nil; {
			var k int
			k, err = w.Write(page)
			n += int64(k)
		}
		sent <- n
	}))
	defer s.Close()
	ref, err := ParseReference(s.Listener.Addr().String() + "/acme/fleet")
	if err != nil {
		t.Fatal(err)
	}
	r, err := OpenRegistry(ref, Options{PlainHTTP: true})
	if err != nil {
		t.Fatal(err)
	}
	blob, err := r.Fetch(t.Context(), ocispec.Descriptor{MediaType: "application/octet-stream", Digest: digest.FromString("zeros"), Size: size})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(blob, make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	_ = blob.Close()
	if n := <-sent; n > most {
		t.Errorf("%d bytes were sent", n)
	}
}
