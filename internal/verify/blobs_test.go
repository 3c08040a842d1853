package verify

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oci-promote/oci-promote/internal/bundle"
)

// secretive is a shelf that does not tell of some blobs whether it has them.
type secretive struct {
	*shelf
	of string // media type; empty for all
}

func (s secretive) Exists(ctx context.Context, blob ocispec.Descriptor) (bool, error) {
	if s.of == "" || blob.MediaType == s.of {
		return false, errors.New("405 Method Not Allowed")
	}
	return s.shelf.Exists(ctx, blob)
}

// A registry that does not tell of its blobs costs no finding but that one, and verify says so.
func TestBlobsThatAreNotTold(t *testing.T) {
	const stuck = "@a +a 0.0.1-rc.1=a 0.0.1=a @b 0.0.2-rc.2=b"
	for name, test := range map[string]struct {
		of   string
		lost string // letter whose layer is gone
		want string
	}{
		"none":                       {"", "", "!no-report"},
		"none, and one is gone":      {"", "a", "!no-report"},
		"not the config":             {bundle.ConfigType, "", "!no-report"},
		"not the config, and a loss": {bundle.ConfigType, "a", "!missing-blob !no-report"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShelf(t, stuck)
			if test.lost != "" {
				loseLayer(test.lost)(t, s, nil)
			}
			report, err := verifyOf(t, secretive{s, test.of}, &told{words: "a:success@5", head: "b"}, late).Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got := codes(report.Findings); got != test.want || letters(report.Path) != "+++x..." {
				t.Errorf("path %s, findings %s, want %s", letters(report.Path), got, test.want)
			}
			if len(report.Notices) != 1 || !strings.HasPrefix(report.Notices[0], "blobs could not be checked") || !strings.HasSuffix(report.Notices[0], "405 Method Not Allowed") {
				t.Errorf("notices %q", report.Notices)
			}
		})
	}
}

// A run that is given up is no registry that does not tell.
func TestBlobsGivenUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := newShelf(t, "@a +a 0.0.1-rc.1=a 0.0.1=a")
	if _, err := verifyOf(t, givenUp{s, cancel}, nil, late).Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

type givenUp struct {
	*shelf
	cancel func()
}

func (s givenUp) Exists(ctx context.Context, _ ocispec.Descriptor) (bool, error) {
	s.cancel()
	return false, ctx.Err()
}

// No build brings back what another tool made, so that none is recommended for it.
func TestLostBlobsOfOthers(t *testing.T) {
	s := newShelf(t, "@a +a 0.0.1-rc.1=a 0.0.1=a 0.0.2-rc.1=0")
	loseLayer("0")(t, s, nil)
	report := must(verifyOf(t, s, &told{words: "a:success@5", head: "a"}, early).Run(t.Context()))
	if !strings.Contains(codes(report.Findings), "!missing-blob ?not-a-flux-artifact") {
		t.Fatalf("findings %s", codes(report.Findings))
	}
	for _, f := range report.Findings {
		if strings.Contains(f.Hint, "overwrite") {
			t.Errorf("%s: %s: %s", f.Code, f.Message, f.Hint)
		}
	}
}

// fetching counts the blobs that are read.
type fetching struct {
	*shelf
	read *int
	err  error
}

func (s fetching) Fetch(ctx context.Context, desc ocispec.Descriptor) (io.ReadCloser, error) {
	if desc.MediaType != ocispec.MediaTypeImageManifest {
		*s.read++
		if s.err != nil {
			return nil, s.err
		}
	}
	return s.shelf.Fetch(ctx, desc)
}

// The first bytes of one layer are read, where its media type does not tell what it is, and none of ours. A registry that
// does not give them costs that answer only.
func TestOneLayerIsRead(t *testing.T) {
	for name, test := range map[string]struct {
		words string
		err   error
		read  int
		want  string // not-a-flux-artifact among the findings
	}{
		"ours":                 {"@a +a 0.0.1-rc.1=a 0.0.1=a @b 0.0.2-rc.2=b", nil, 0, ""},
		"no gzip":              {"@a +a 0.0.1-rc.1=a 0.0.1=a 0.0.2-rc.1=0", nil, 1, "!not-a-flux-artifact"},
		"gzip":                 {"@a +a 0.0.1-rc.1=a 0.0.1=a 0.0.2-rc.1=9", nil, 1, "?not-a-flux-artifact"},
		"two of them":          {"0.0.1=0 0.0.2-rc.1=9", nil, 1, "?not-a-flux-artifact ?not-a-flux-artifact"},
		"a registry in pieces": {"@a +a 0.0.1-rc.1=a 0.0.1=a 0.0.2-rc.1=0", errors.New("502"), 1, "?not-a-flux-artifact"},
	} {
		t.Run(name, func(t *testing.T) {
			s, read := newShelf(t, expand(test.words)), 0
			r := must(verifyOf(t, fetching{s, &read, test.err}, &told{s: s, head: "a"}, early).Run(t.Context()))
			var got []string
			for code := range strings.FieldsSeq(codes(r.Findings)) {
				if strings.HasSuffix(code, "not-a-flux-artifact") {
					got = append(got, code)
				}
			}
			if read != test.read || strings.Join(got, " ") != test.want || (len(r.Notices) == 1) != (test.err != nil) {
				t.Errorf("%d layers read, %q, notices %q", read, got, r.Notices)
			}
		})
	}
}
