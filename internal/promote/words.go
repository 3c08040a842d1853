package promote

import (
	"context"
	"errors"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// Words asks for what integration has said of an artifact of commit so far, the newest first.
// Enough is given what is read so far and may end the reading; whole reports whether the first
// word of all was reached. An error is a question that got no answer.
type Words func(ctx context.Context, commit string, d digest.Digest, enough func([]pipeline.Word) bool) (words []pipeline.Word, whole bool, err error)

// heard are words that were asked for.
type heard struct {
	words []pipeline.Word
	whole bool
}

// newest is the newest word; its text is empty where there is none.
func (h heard) newest() pipeline.Word {
	if len(h.words) == 0 {
		return pipeline.Word{}
	}
	return h.words[0]
}

// hear asks for the words on an artifact that tells its commit.
func (r *run) hear(ctx context.Context, a *pipeline.Artifact, enough func([]pipeline.Word) bool) (h heard, err error) {
	if r.Words == nil {
		return h, errors.New("nobody can be asked for commit statuses")
	}
	h.words, h.whole, err = r.Words(ctx, a.Revision.Commit, a.Desc.Digest, enough)
	return h, err
}

// tooMany is the error of a commit whose statuses could not all be read.
func tooMany(a *pipeline.Artifact) error {
	return pipeline.Refuse("find out who floods that commit with statuses",
		"commit %.7s has more commit statuses than are read, and the newest of them do not tell", a.Revision.Commit)
}
