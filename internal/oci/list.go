package oci

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"

	"oras.land/oras-go/v2/errdef"
)

// The bounds of a tag list.
const (
	tagPage      = 1000 // tags to ask for at once; GHCR gives 100 unless asked for more (docs/facts.md 11)
	maxTagPages  = 2000
	maxTags      = 1_000_000
	maxTagBytes  = 16 << 20 // of all names together
	maxListBytes = 1 << 30  // of all pages together, with what stands beside the tags
	maxRepeats   = 10       // pages in a row that bring nothing new
)

// page is one page of a tag list.
type page struct {
	tags    []string
	next    string // the query of the page that its Link leads to, which may be empty
	linked  bool   // there is such a Link
	unclear bool   // there is one that does not say where it leads
	asked   int    // how many tags it was asked for; 0 for any number
}

// list gives the tags to fn page by page, each tag once. It follows the Links, which are optional: a page without one that
// may be cut costs a request for what comes after its last tag, and an answer that has nothing new is the end. So is a
// refusal of such a request: a registry that has cursors of its own gives them in Links.
func (r *Registry) list(ctx context.Context, l *tagList, last string, fn func(tags []string) error) error {
	p, err := r.firstPage(ctx, l, last)
	for guessed := false; ; {
		if guessed && notTaken(err) {
			return nil
		}
		if err != nil {
			return err
		}
		fresh, problem := l.add(p)
		if problem != nil || guessed && len(fresh) == 0 {
			return problem
		}
		if err := fn(fresh); err != nil {
			return err
		}
		query := p.next
		if guessed = !p.linked; guessed {
			if !l.mayBeCut(p) {
				return nil
			}
			query = pageAfter(p.tags[len(p.tags)-1], r.page.Load())
		}
		if l.longest = max(l.longest, len(p.tags)); l.pages >= maxTagPages {
			return fmt.Errorf("more than %d pages: %w", maxTagPages, errdef.ErrTooManyPages)
		}
		p, err = r.readPage(ctx, l, query)
	}
}

// tagList watches over the pages of a list: its Links may lead on for ever.
type tagList struct {
	seen    map[string]bool // tags
	had     map[uint64]bool // pages
	seed    maphash.Seed
	bytes   int   // of all names
	left    int64 // bytes that may still be read
	pages   int
	longest int // page, in tags, that another one was asked for after
	repeats int // pages in a row that were there before
}

func newTagList() *tagList {
	return &tagList{seen: map[string]bool{}, had: map[uint64]bool{}, seed: maphash.MakeSeed(), left: maxListBytes}
}

// add gives those tags of a page that are new, or says why the list is not worth reading on.
func (l *tagList) add(p page) (fresh []string, err error) {
	var h maphash.Hash
	h.SetSeed(l.seed)
	for _, tag := range p.tags {
		_, _ = h.WriteString(tag + " ") // never fails; no tag has a space
		if !l.seen[tag] {
			l.seen[tag] = true
			l.bytes += len(tag)
			fresh = append(fresh, tag)
		}
	}
	l.pages++
	l.repeats++
	if page := h.Sum64(); len(p.tags) > 0 && !l.had[page] {
		l.had[page], l.repeats = true, 0
	}
	if l.repeats >= maxRepeats {
		return nil, fmt.Errorf("%d pages in a row brought nothing new: %w", l.repeats, errdef.ErrTooManyPages)
	}
	return fresh, tooLong(len(l.seen), l.bytes)
}

// tooLong says why so many tags are too many.
func tooLong(tags, bytes int) error {
	switch {
	case tags > maxTags:
		return fmt.Errorf("more than %d tags: %w", maxTags, errdef.ErrSizeExceedsLimit)
	case bytes > maxTagBytes:
		return fmt.Errorf("tags of more than %d MiB: %w", maxTagBytes>>20, errdef.ErrSizeExceedsLimit)
	}
	return nil
}

// mayBeCut reports whether more may come after a page without a Link: it has as many tags as were asked for, or as an
// earlier page that was not the last, or a round number that may be the registry's own limit, or it is in order and lacks the
// tags of commits, which come after all versions.
func (l *tagList) mayBeCut(p page) bool {
	n := len(p.tags)
	return n > 0 && (n == p.asked || n == l.longest || round(n) || p.unclear || n >= leastLimit && p.tags[n-1] < "a" && slices.IsSorted(p.tags))
}

const leastLimit = 50 // of the tags of a page that a registry has

// round reports whether n is a limit as people set them: 50, 100, 200, 250, 500, 1,000 and so on.
func round(n int) bool {
	if n < leastLimit {
		return false
	}
	for n%10 == 0 {
		n /= 10
	}
	return n == 1 || n == 2 || n == 25 || n == 5
}
