package github

import (
	"context"
	"fmt"
	"net/http"
)

// Delete deletes a version with all its tags; one that is gone is well. At least a second is between two deletions. GitHub
// restores what was deleted within the last 30 days.
//
// Where the answer does not tell what became of it, the version does: one that is not there any more was deleted. GitHub
// answers 404 to who may read a version and not delete it, so that a 404 alone is no deletion.
//
// An error with ErrKept says that GitHub never deletes this version. After any other the next one would fare no better.
func (p *Package) Delete(ctx context.Context, id int64) error {
	if err := p.locate(ctx); err != nil {
		return err
	}
	err := p.write(ctx, http.MethodDelete, versionPath(id), nil, nil)
	if err == nil {
		return nil
	}
	if isMissing(err) || !isRefusal(err) {
		if _, there, unknown := p.Version(ctx, id); unknown == nil && !there {
			return nil
		}
	}
	return p.fail(fmt.Sprintf("deleting version %d", id), err)
}
