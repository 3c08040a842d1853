package oci

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// accepting is a registry that takes a manifest and a blob with a status of its own, and shows them late.
type accepting struct {
	status int
	late   time.Duration // until it shows what was written
	keeps  digest.Digest // what a tag names in place of what was written; empty for nothing
	looks  int           // status of a HEAD after a PUT, in place of what is there; 0 for that

	asked   []string
	written time.Time
}

func (s *accepting) RoundTrip(req *http.Request) (*http.Response, error) {
	s.asked = append(s.asked, req.Method)
	header := http.Header{}
	answer := func(status int) (*http.Response, error) {
		resp, err := canned{status: status}.RoundTrip(req)
		resp.Header = header
		resp.ContentLength = map[bool]int64{true: testBlob.Size, false: testDesc.Size}[strings.Contains(req.URL.Path, "/blobs/")]
		return resp, err
	}
	switch {
	case req.Method == http.MethodPost:
		header.Set("Location", "/v2/acme/fleet/blobs/uploads/1")
		return answer(http.StatusAccepted)
	case req.Method == http.MethodPut:
		_, _ = io.Copy(io.Discard, req.Body)
		s.written = time.Now()
		return answer(s.status)
	case s.looks != 0:
		return answer(s.looks)
	case s.written.IsZero() || time.Since(s.written) < s.late && s.keeps == "" || s.late < 0:
		return answer(http.StatusNotFound)
	}
	header.Set("Content-Type", ocispec.MediaTypeImageManifest)
	header.Set("Docker-Content-Digest", testDesc.Digest.String())
	switch {
	case strings.Contains(req.URL.Path, "/blobs/"):
		header.Set("Docker-Content-Digest", path.Base(req.URL.Path))
	case s.keeps != "" && time.Since(s.written) < s.late:
		header.Set("Docker-Content-Digest", s.keeps.String())
	}
	return answer(http.StatusOK)
}

// writes are all ways to write, each of which is one PUT.
var writes = map[string]func(context.Context, *Registry) error{
	"tag": func(ctx context.Context, r *Registry) error {
		return r.PushReference(ctx, testDesc, bytes.NewReader(testManifest), "0.0.1")
	},
	"claim": func(ctx context.Context, r *Registry) error {
		named, err := r.Claim(ctx, testDesc, testManifest, "0.0.1", true)
		if err == nil && named != testDesc.Digest {
			err = fmt.Errorf("it names %s", named)
		}
		return err
	},
	"manifest": func(ctx context.Context, r *Registry) error {
		return r.Push(ctx, testDesc, bytes.NewReader(testManifest))
	},
	"manifest streamed": func(ctx context.Context, r *Registry) error {
		return r.Push(ctx, testDesc, io.MultiReader(bytes.NewReader(testManifest)))
	},
	"blob": func(ctx context.Context, r *Registry) error { return r.Push(ctx, testBlob, bytes.NewReader(testLayer)) },
	"blob streamed": func(ctx context.Context, r *Registry) error {
		return r.Push(ctx, testBlob, io.MultiReader(bytes.NewReader(testLayer)))
	},
	"upload": func(ctx context.Context, r *Registry) error {
		return r.Upload(ctx, testBlob, func() (io.ReadSeekCloser, error) { return &layerFile{Reader: bytes.NewReader(testLayer)}, nil })
	},
}

// TestSuccessInAnotherCode: what a registry has taken is written as soon as it shows that, and with 201 nothing is asked.
func TestSuccessInAnotherCode(t *testing.T) {
	other := digest.FromString("other")
	for name, c := range map[string]struct {
		registry accepting
		looks    int
		says     string // of a tag; empty for none
	}{
		"201":               {accepting{status: 201}, 0, ""},
		"200":               {accepting{status: 200}, 1, ""},
		"202":               {accepting{status: 202}, 1, ""},
		"204":               {accepting{status: 204}, 1, ""},
		"202 and late":      {accepting{status: 202, late: 2 * time.Second}, 6, ""},
		"202 and never":     {accepting{status: 202, late: -1}, 7, "202 Accepted, but 0.0.1 names nothing"},
		"202, moved late":   {accepting{status: 202, late: 2 * time.Second, keeps: other}, 6, ""},
		"202 and not moved": {accepting{status: 202, late: time.Hour, keeps: other}, 7, fmt.Sprintf("202 Accepted, but 0.0.1 names %s, and not %s", other, testDesc.Digest)},
		"202 and forbidden": {accepting{status: 202, looks: 403}, 1, "403"},
		"206 is no success": {accepting{status: 206}, 0, "206"},
		"409 is none":       {accepting{status: 409}, 0, "409"},
	} {
		for what, write := range writes {
			t.Run(name+" "+what, func(t *testing.T) {
				s := c.registry
				r := openCanned(t, new(Retrier).Transport(&s), Options{})
				synctest.Test(t, func(t *testing.T) {
					checkTaken(t, &s, what, c.looks, c.says, write(t.Context(), r))
				})
			})
		}
	}
}

func checkTaken(t *testing.T, s *accepting, what string, looks int, says string, err error) {
	t.Helper()
	byDigest := what != "tag" && what != "claim"
	if s.keeps != "" && byDigest { // a digest names itself
		return
	}
	got := strings.Join(s.asked, " ")
	want := strings.TrimPrefix(strings.Repeat(" HEAD", looks), " ")
	for _, write := range []string{"POST", "PUT"} {
		got = strings.TrimSpace(strings.TrimPrefix(got, write))
	}
	if got != want {
		t.Errorf("asked %s, want %d looks after the write", s.asked, looks)
	}
	if byDigest {
		says = strings.Replace(says, "0.0.1 names nothing", "", 1)
	}
	if (err == nil) != (says == "") || err != nil && !strings.HasPrefix(err.Error(), says) {
		t.Errorf("error %v, want one with %q", err, says)
	}
	var told *Error
	if err != nil && (!errors.As(err, &told) || told.Hint() == "" || told.Status == 202 && told.Refused()) {
		t.Errorf("error %#v", err)
	}
}

// The wait for what was accepted ends with the run.
func TestAcceptedIsNotAwaitedForEver(t *testing.T) {
	s := &accepting{status: 202, late: -1}
	r := openCanned(t, s, Options{})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := writes["tag"](ctx, r); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("it ends with %v", err)
		}
	})
}
