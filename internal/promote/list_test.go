package promote_test

import (
	"context"
	"errors"
	"testing"

	"github.com/oci-promote/oci-promote/internal/pipelinetest"
	"github.com/oci-promote/oci-promote/internal/promote"
)

// unlisted is a store whose n-th list, from 1, fails.
type unlisted struct {
	*pipelinetest.Shelf
	n int
}

var errUnlisted = errors.New("no list")

func (u *unlisted) Tags(ctx context.Context, last string, fn func([]string) error) error {
	if u.n--; u.n == 0 {
		return errUnlisted
	}
	return u.Shelf.Tags(ctx, last, fn)
}

// TestEachListMayFail: whichever list of a promotion fails, it ends with that error.
func TestEachListMayFail(t *testing.T) {
	for n := 1; ; n++ {
		s := &unlisted{pipelinetest.NewShelf(t, "0.0.1-rc.1=a @a"), n}
		_, err := promote.Promotion{
			Repo: s, Name: pipelinetest.Name, SHALength: 7, Clusters: pipelinetest.Clusters(),
			Subject: &promote.Subject{Digest: s.Digests["a"], Proven: true},
		}.Run(t.Context())
		if s.n > 0 {
			if n < 3 {
				t.Fatalf("it lists %d times", n-1)
			}
			return
		}
		if !errors.Is(err, errUnlisted) {
			t.Errorf("list %d: %v", n, err)
		}
	}
}
