package build

import (
	"context"
	"fmt"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/version"
)

// readBump reads Conventional Commits since the stable. On any doubt it is a
// patch, and the report says why.
func (r *run) readBump(ctx context.Context, stable version.Stable, live *pipeline.Artifact) {
	r.Bump = version.Patch
	if r.History == nil {
		r.report.Warn("bump: auto needs a GitHub token to read commits; a patch is assumed")
		return
	}
	if live.Revision.Commit == "" {
		r.report.Warn("bump: auto cannot tell the commit of %s, which has no revision in Flux's form; a patch is assumed", stable)
		return
	}
	messages, err := r.History.Messages(ctx, live.Revision.Commit, r.mine.Revision.Commit, r.Path)
	if err != nil {
		r.report.Warn("bump: auto could not read the commits since %s, so a patch is assumed: %s", stable, pipeline.WithHint(err))
		return
	}
	unread := 0
	for _, m := range messages {
		bump, conventional := version.BumpOf(m)
		r.Bump = max(r.Bump, bump)
		if !conventional {
			unread++
		}
	}
	why := fmt.Sprintf("bump: auto read %d commits since %s that touch %q: %s", len(messages), stable, r.Path, r.Bump)
	if unread > 0 {
		why += fmt.Sprintf(" (%d are no Conventional Commits and count as patch)", unread)
	}
	r.report.Notice("%s", why)
}
