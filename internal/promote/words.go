package promote

import (
	"context"
	"errors"
	"time"

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

// hear asks for the words on an artifact that tells its commit, and remembers them for when
// another artifact is asked about.
func (r *run) hear(ctx context.Context, a *pipeline.Artifact, enough func([]pipeline.Word) bool) (h heard, err error) {
	if r.Words == nil {
		return h, errors.New("nobody can be asked for commit statuses")
	}
	if h.words, h.whole, err = r.Words(ctx, a.Revision.Commit, a.Desc.Digest, enough); err != nil {
		return heard{}, err
	}
	if r.heard == nil {
		r.heard = map[digest.Digest]heard{}
	}
	r.heard[a.Desc.Digest] = h
	return h, nil
}

// first is the time of the first word on an artifact, said is false where there is none yet. A
// first word that was heard before is still that. Where there are more words than are read,
// the oldest of those counts if it is before limit already.
func (r *run) first(ctx context.Context, a *pipeline.Artifact, limit time.Time) (at time.Time, said bool, err error) {
	h := r.heard[a.Desc.Digest]
	if len(h.words) == 0 || !h.whole {
		if h, err = r.hear(ctx, a, func([]pipeline.Word) bool { return false }); err != nil {
			return at, false, err
		}
	}
	if said = len(h.words) > 0; said {
		at = h.words[len(h.words)-1].At
	}
	if !h.whole && (!said || !at.Before(limit)) {
		return at, said, tooMany(a)
	}
	return at, said, nil
}

// tooMany is the error of a commit whose statuses could not all be read.
func tooMany(a *pipeline.Artifact) error {
	return pipeline.Refuse("find out who floods that commit with statuses",
		"commit %.7s has more commit statuses than are read, and the newest of them do not tell", a.Revision.Commit)
}
