package oci

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// An answer that breaks off is asked for again, however it was delimited.
func TestBrokenAnswers(t *testing.T) {
	for name, fault := range map[string]http.HandlerFunc{
		"under the length of the whole": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
		"in a chunk": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, n := flaky(t, 2, fault)
			if got := get(t, &Retrier{Budget: time.Minute}, s.URL); got != "" || n.Load() != 3 {
				t.Errorf("body %q after %d requests, want none after 3", got, n.Load())
			}
		})
	}
}

// A long answer, of which only the beginning is read before it is given on, comes as it was sent.
func TestLongAnswer(t *testing.T) {
	const size = maxPageBytes + 1<<20
	s, _ := flaky(t, 1, func(w http.ResponseWriter, _ *http.Request) {
		for range size / 1024 {
			_, _ = io.WriteString(w, strings.Repeat("x", 1024))
		}
	})
	if n := len(get(t, new(Retrier), s.URL)); n != size {
		t.Errorf("%d bytes, want %d", n, size)
	}
}

// pages answers tag lists with one page after the other, each with a Link.
type pages struct {
	asked int
	tags  func(i int) string // in JSON
	ends  int
}

func (p *pages) RoundTrip(req *http.Request) (*http.Response, error) {
	resp := reply{200, "", `{"tags":[` + p.tags(p.asked) + `]}`}.response()
	if p.asked++; p.asked < p.ends || p.ends == 0 {
		resp.Header.Set("Link", `</v2/acme/fleet/tags/list?last=x>; rel="next"`)
	}
	resp.Request = req
	return resp, nil
}

func TestListsThatDoNotEnd(t *testing.T) {
	for name, c := range map[string]struct {
		pages
		says string // part of the error; empty for none
		most int    // requests
	}{
		"the same page":     {pages{tags: func(int) string { return `"a","b"` }}, "pages in a row brought nothing new", maxRepeats + 1},
		"nothing":           {pages{tags: func(int) string { return "" }}, "pages in a row brought nothing new", maxRepeats},
		"in a circle":       {pages{tags: func(i int) string { return fmt.Sprintf("%q", string(rune('a'+i%3))) }}, "pages in a row brought nothing new", maxRepeats + 3},
		"ever new tags":     {pages{tags: func(i int) string { return fmt.Sprintf(`"tag-%d"`, i) }}, "more than 2000 pages", maxTagPages},
		"long names":        {pages{tags: func(i int) string { return fmt.Sprintf(`"%d%s"`, i, strings.Repeat("x", 1<<19)) }}, "more than 16 MiB", 33},
		"one long name":     {pages{tags: func(int) string { return `"` + strings.Repeat("x", 9<<20) + `"` }}, "a value of more than 1 MiB", 1},
		"one long page":     {pages{tags: func(int) string { return strings.Repeat(`"`+strings.Repeat("x", 1<<19)+`",`, 33) + `"a"` }}, "more than 16 MiB", 1},
		"each page twice":   {pages{tags: func(i int) string { return fmt.Sprintf(`"tag-%d"`, i/2) }, ends: 100}, "", 102}, // and two beyond the last Link
		"some without tags": {pages{tags: func(i int) string { return strings.Repeat(fmt.Sprintf(`"tag-%d"`, i), 1-min(i%5, 1)) }, ends: 100}, "", 100},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := allTags(t, openCanned(t, &c.pages, Options{}))
			if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("error %v, want one with %q", err, c.says)
			}
			if c.asked > c.most {
				t.Errorf("%d requests, want %d at most", c.asked, c.most)
			}
		})
	}
}

// What is not the content that its digest names is an error with a hint, and so is a web page in its place.
func TestContentIsItsDigests(t *testing.T) {
	good, other := `{"schemaVersion":2}`, digest.FromString("other")
	for name, c := range map[string]struct{ header, contentType, body, says string }{
		"good":         {digest.FromString(good).String(), ocispec.MediaTypeImageManifest, good, ""},
		"other header": {other.String(), ocispec.MediaTypeImageManifest, good, "what came is not what its digest names: mismatched digest"},
		"a web page":   {"", "text/html", "<html>", "200, but the answer is a web page"},
	} {
		t.Run(name, func(t *testing.T) {
			r := openCanned(t, roundTrip(func(req *http.Request) (*http.Response, error) {
				resp := reply{200, "Docker-Content-Digest: " + c.header, c.body}.response()
				resp.Header.Set("Content-Type", c.contentType)
				resp.ContentLength, resp.Request = int64(len(c.body)), req
				return resp, nil
			}), Options{})
			_, rc, err := r.FetchReference(t.Context(), "0.0.1")
			if c.says != "" {
				checkHint(t, err, c.says, "check the host and the path")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(rc); string(got) != c.body || err != nil {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
