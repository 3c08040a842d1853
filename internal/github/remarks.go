package github

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/google/go-github/v60/github"
)

// errManyRemarks: whether ours is among them cannot be told.
var errManyRemarks = fmt.Errorf("more than %d comments", perPage*maxPages)

// remarks are the comments of a pull request that begin with the marker, the oldest first. A list that cannot be read to its
// end is an error, never "none".
//
// Whoever may comment can copy a marker: that lets a comment of ours be missing, and does nothing else.
func (r *Repository) remarks(ctx context.Context, number int, marker string) (found []*github.IssueComment, err error) {
	q := url.Values{"per_page": {strconv.Itoa(perPage)}}
	for range maxPages {
		page, next, err := listPage[*github.IssueComment](ctx, r.client, fmt.Sprintf("issues/%d/comments", number), q)
		if err != nil {
			return nil, r.pullError("listing comments", number, err)
		}
		for _, c := range page {
			if c.GetID() != 0 && isMarked(c.GetBody(), marker) {
				found = append(found, c)
			}
		}
		if next == nil {
			slices.SortFunc(found, func(a, b *github.IssueComment) int { return cmp.Compare(a.GetID(), b.GetID()) })
			return slices.CompactFunc(found, func(a, b *github.IssueComment) bool { return a.GetID() == b.GetID() }), nil
		}
		q = next
	}
	return nil, fmt.Errorf("listing comments of pull request #%d of %s/%s: %w", number, r.owner, r.name, errManyRemarks)
}

// remark writes a comment on a pull request that has none with the marker, and reports whether it has one now. It is sent
// once. Where the answer does not tell what became of it, the list does.
//
// Another run may write the same at the same time. Each looks again after its own: of several the oldest stays, and each
// takes away its own, and what the writer of the oldest wrote again. Nobody sees a comment older than the oldest, so that
// this one always stays.
func (r *Repository) remark(ctx context.Context, number int, marker, text string) (said bool, err error) {
	own, err := r.post(ctx, number, marker+"\n"+text)
	if err != nil && isRefusal(err) {
		return false, err
	}
	there, lost := r.remarks(ctx, number, marker)
	switch {
	case lost != nil:
		return own != 0, cmp.Or(err, lost)
	case len(there) == 0: // lists may lag
		return own != 0, err
	}
	for _, c := range there[1:] {
		if c.GetID() == own || c.GetUser().GetID() != 0 && c.GetUser().GetID() == there[0].GetUser().GetID() {
			if err := r.takeBack(ctx, number, c.GetID()); err != nil {
				return true, err
			}
		}
	}
	return true, nil
}

// post sends a comment and gives its id, or an error that may mean that it is there all the same.
func (r *Repository) post(ctx context.Context, number int, text string) (id int64, err error) {
	text = bounded(text)
	var made github.IssueComment
	err = r.write(ctx, http.MethodPost, fmt.Sprintf("issues/%d/comments", number), &github.IssueComment{Body: &text}, &made)
	if err == nil && made.GetID() == 0 { // go-github takes any object for a comment
		err = errors.New("the answer has no id")
	}
	switch {
	case err == nil:
		return made.GetID(), nil
	case isRefusal(err):
		return 0, r.pullError("writing a comment", number, err)
	}
	lost := &Error{text: explain(err, writePulls).Error(), hint: "a comment is sent once, and the next run looks whether it is there", err: err}
	return 0, fmt.Errorf("writing a comment of pull request #%d of %s/%s: %w", number, r.owner, r.name, lost)
}

// takeBack deletes a comment; one that is gone already, as another run may have done, is well.
func (r *Repository) takeBack(ctx context.Context, number int, id int64) error {
	err := r.write(ctx, http.MethodDelete, fmt.Sprintf("issues/comments/%d", id), nil, nil)
	if status := answered(err); err == nil || status == http.StatusNotFound || status == http.StatusGone {
		return nil
	}
	return r.pullError("deleting the second of two comments", number, err)
}

// isRefusal reports whether GitHub said that it does not do what was asked. Any other error leaves open whether it did.
func isRefusal(err error) bool {
	var resp *github.ErrorResponse
	status := answered(err)
	return limited(err) || errors.As(err, &resp) && resp.Message != "" && status >= 400 && status < 500 && status != http.StatusRequestTimeout
}
