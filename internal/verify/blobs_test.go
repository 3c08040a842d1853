package verify

import (
	"context"
	"errors"
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
	if !strings.Contains(codes(report.Findings), "!not-a-flux-artifact !missing-blob") {
		t.Fatalf("findings %s", codes(report.Findings))
	}
	for _, f := range report.Findings {
		if strings.Contains(f.Hint, "overwrite") {
			t.Errorf("%s: %s: %s", f.Code, f.Message, f.Hint)
		}
	}
}
