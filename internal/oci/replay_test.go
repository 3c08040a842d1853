package oci

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// TestEarlyAnswerSpoilsNoReplay has a registry answer while the layer is still on its way, and read on: net/http sends
// the rest then, beside what is sent again. Retrier and Push send again, each in its own way.
func TestEarlyAnswerSpoilsNoReplay(t *testing.T) {
	layer := bytes.Repeat([]byte("0123456789abcdef"), 1<<19)
	desc := ocispec.Descriptor{MediaType: "x/y", Digest: digest.FromBytes(layer), Size: int64(len(layer))}
	for name, early := range map[string]int{"sent again": http.StatusServiceUnavailable, "begun again": http.StatusNotFound} {
		t.Run(name, func(t *testing.T) {
			var puts atomic.Int32
			var stored []byte
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.Method == http.MethodPost:
					w.Header().Set("Location", "/v2/acme/fleet/blobs/uploads/1")
					w.WriteHeader(http.StatusAccepted)
				case r.Method != http.MethodPut:
					w.WriteHeader(http.StatusNotFound)
				case puts.Add(1) == 1:
					c := http.NewResponseController(w)
					_ = c.EnableFullDuplex()
					w.Header().Set("Content-Length", "0")
					w.WriteHeader(early)
					_ = c.Flush()
					_, _ = io.CopyN(io.Discard, slow{r.Body}, 4<<20)
				default:
					stored, _ = io.ReadAll(r.Body)
					w.WriteHeader(http.StatusCreated)
				}
			}))
			defer s.Close()
			content := struct { // as a file has it: a bytes.Reader can be sent again without us
				io.ReadSeeker
				io.Closer
			}{bytes.NewReader(layer), io.NopCloser(nil)}
			if err := claimant(t, s.URL, time.Minute).Push(t.Context(), desc, content); err != nil || !bytes.Equal(stored, layer) {
				t.Errorf("%d PUTs, stored %d bytes, %v", puts.Load(), len(stored), err)
			}
		})
	}
}

// slow reads a little at a time.
type slow struct{ io.Reader }

func (s slow) Read(b []byte) (int, error) {
	time.Sleep(time.Millisecond)
	return s.Reader.Read(b[:min(len(b), 16<<10)])
}

// TestReplayGivesTurns: the content begins anew for each body, and only the newest gets any.
func TestReplayGivesTurns(t *testing.T) {
	again := &replay{content: bytes.NewReader([]byte("a layer"))}
	first, err := again.body()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(first, make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	second, err := first.(turn).again()
	if err != nil {
		t.Fatal(err)
	}
	if n, err := first.Read(make([]byte, 3)); n > 0 || !errors.Is(err, errTurnOver) {
		t.Errorf("a body whose turn is over reads %d bytes, %v", n, err)
	}
	if got, err := io.ReadAll(second); string(got) != "a layer" || err != nil {
		t.Errorf("the next reads %q, %v", got, err)
	}
	again.end()
	if _, err := second.Read(make([]byte, 3)); !errors.Is(err, errTurnOver) {
		t.Errorf("the last reads after the end: %v", err)
	}
}
