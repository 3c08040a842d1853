package pipeline

import (
	"context"

	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/registry"
)

// Repository is where artifacts live. oras-go's *remote.Repository and *oci.Store
// both are one, so a test's fake is a real store.
//
// Tags of a repository that does not exist yet are none, without an error; any
// other failure to list is an error.
type Repository interface {
	oras.Target
	registry.TagLister
}

// History tells the order of commits.
type History interface {
	// Compare tells how commit stands to base, in GitHub's words: ahead, behind, diverged or
	// identical; empty where one of the two is not known.
	Compare(ctx context.Context, commit, base string) (string, error)
}
