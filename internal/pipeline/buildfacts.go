package pipeline

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/oci-promote/oci-promote/internal/version"
)

// look reads what the decision needs, and no more: a first build of a commit costs one
// manifest, the newest candidate's; a repeated one its own manifest and two tags.
func (r *buildRun) look(ctx context.Context) (buildFacts, error) {
	sha := shaPrefix + r.Meta.Revision.Commit[:r.SHALength]
	f := buildFacts{shaTag: sha, integrationTag: integrationOf(sha), mine: r.mine, overwrite: r.Overwrite}
	if err := r.lookAtCommit(ctx, &f); err != nil {
		return f, err
	}
	switch {
	case f.unfinished():
		return f, r.lookAtBump(ctx) // for the next number, if this one is lost
	case (f.number != "" || f.stable != "") && !f.passed():
		return f, nil
	}
	if err := r.lookAtNewest(ctx, &f); err != nil {
		return f, err
	}
	if f.passed() {
		if err := r.lookAtPassed(ctx, &f); err != nil || !f.owed {
			return f, err
		}
	}
	if err := r.lookAtSelected(ctx, &f); err != nil {
		return f, err
	}
	if err := r.lookAtBump(ctx); err != nil {
		return f, err
	}
	var err error
	f.next, err = r.before.ladder.Next(r.Bump, r.Initial)
	return f, err
}

// lookAtCommit finds what this commit's tags name, and which number that has.
func (r *buildRun) lookAtCommit(ctx context.Context, f *buildFacts) (err error) {
	for _, tag := range []string{f.shaTag, f.integrationTag} {
		if f.existing == nil && r.before.has[tag] {
			if f.existing, err = r.read(ctx, tag); err != nil {
				return err
			}
			f.existingTag, f.announced = tag, f.existing != nil && tag == f.shaTag
		}
	}
	if f.existing == nil || !sameBuild(f.existing, f.mine) {
		return nil
	}
	return r.lookAtNumber(ctx, f)
}

func (r *buildRun) lookAtNumber(ctx context.Context, f *buildFacts) (err error) {
	d := f.existing.desc.Digest
	if f.number, err = r.rank(ctx, r.before.ladder, f.existing); err != nil {
		return err
	}
	if f.number == "" {
		if f.stable, err = r.find(ctx, descending(r.before.ladder.Stables), d); err != nil {
			return err
		}
	}
	if r.before.has[f.integrationTag] {
		named, err := r.resolve(ctx, f.integrationTag)
		if err != nil {
			return err
		}
		f.integrated = named == d
	}
	f.open = r.open(f.number)
	if f.passed() { // it may have taken another one when it saw that, which an artifact of a later time hides from rank
		higher, err := r.find(ctx, descending(r.before.ladder.Candidates[r.before.below():]), d)
		if err != nil || higher == "" {
			return err
		}
		f.number, f.open = higher, r.open(higher)
	}
	return nil
}

// open is a candidate if no promotion has passed it; else zero.
func (r *buildRun) open(candidate string) version.Candidate {
	c, err := version.ParseCandidate(candidate)
	if err != nil || !r.before.ladder.Above(c) {
		return version.Candidate{}
	}
	return c
}

// lookAtPassed tells whether a build that did not finish is owed another number, since a promotion passed its own: it is
// newer than what is live, no rollback holds it back, it has never been live itself, and it does not come late. This is asked
// only where the build has no number above the stable: no rescue gave it one, or another build has overwritten that.
func (r *buildRun) lookAtPassed(ctx context.Context, f *buildFacts) error {
	if f.late != "" {
		return nil
	}
	live, named, err := r.stables(ctx, r.before)
	if err != nil {
		return err
	}
	ours, _ := version.ParseCandidate(f.number) // it is the ladder's, as theirs below
	d := f.existing.desc.Digest
	if holdsBack(r.before.ladder, named, ours, d) || slices.Contains(slices.Collect(maps.Values(named)), d) {
		return nil
	}
	rank, err := r.rank(ctx, r.before.ladder, live)
	if err != nil || rank == "" {
		return err // or it is hand-made, and nobody knows what is newer
	}
	theirs, _ := version.ParseCandidate(rank)
	f.owed = ours.Compare(theirs) > 0 || r.follows(ctx, live)
	return nil
}

// follows reports whether GitHub says that this commit comes after that of a. Numbers say that too, but for an older commit
// which was built meanwhile, and took the base above ours.
func (r *buildRun) follows(ctx context.Context, a *artifact) bool {
	ours, theirs := r.Meta.Revision.Commit, a.Revision.Commit
	if r.History == nil || theirs == "" || theirs == ours {
		return false
	}
	contains, err := r.History.Contains(ctx, ours, theirs)
	if err != nil {
		r.warn("asking GitHub whether commit %.7s is part of %.7s failed, so that their numbers decide: %s", theirs, ours, withHint(err))
	}
	return err == nil && contains
}

// lookAtNewest tells whether this build comes late (promise 10): GitHub's word
// counts, else the commits' times.
func (r *buildRun) lookAtNewest(ctx context.Context, f *buildFacts) (err error) {
	newest, ok := r.before.ladder.Newest()
	if !ok {
		return nil
	}
	f.newestTag = newest.String()
	if f.newest, err = r.readListed(ctx, f.newestTag); err != nil {
		return err
	}
	if f.newest == nil {
		r.warn("%s lists the newest candidate %s, which cannot be read, so that this build may be of an older commit; delete the tag if it stays so", r.name, newest)
		return nil
	}
	commit := f.newest.Revision.Commit
	switch {
	case commit == r.Meta.Revision.Commit:
		if f.existing == nil { // built with another sha-length, or its tags were deleted
			f.existing, f.existingTag = f.newest, f.newestTag
			if sameBuild(f.existing, f.mine) {
				return r.lookAtNumber(ctx, f)
			}
		}
		return nil
	case commit != "" && r.History != nil:
		contained, err := r.History.Contains(ctx, commit, r.Meta.Revision.Commit)
		if contained {
			f.late = fmt.Sprintf("the newest candidate %s is of commit %.7s, which contains this one", f.newestTag, commit)
		}
		if err == nil && !contained {
			f.follows, err = r.History.Contains(ctx, r.Meta.Revision.Commit, commit)
		}
		if err == nil && !contained && !f.follows {
			return r.lookBelowBranch(ctx, f)
		}
		if err == nil {
			return nil
		}
		r.warn("asking GitHub whether commit %.7s is part of %.7s failed, so their times decide: %s", r.Meta.Revision.Commit, commit, withHint(err))
	}
	if r.Meta.Created.Before(f.newest.Created) {
		f.late = fmt.Sprintf("the newest candidate %s is of a later commit, by the time of %s", f.newestTag, f.newest.Created.UTC().Format(time.RFC3339))
	}
	return nil
}

// lookBelowBranch goes on where neither this commit nor that of the newest candidate contains the other. Somebody had a
// branch built, most likely, which must not let an old commit of main, run again, end above a newer one.
func (r *buildRun) lookBelowBranch(ctx context.Context, f *buildFacts) error {
	const enough = 8
	tags := descending(r.before.ladder.Candidates)[1:]
	for _, tag := range tags[:min(enough, len(tags))] {
		a, err := r.read(ctx, tag)
		if err != nil {
			return err
		}
		if a == nil || a.Revision.Commit == "" || a.Revision.Commit == r.Meta.Revision.Commit || a.Created.Before(r.Meta.Created) {
			continue
		}
		contained, err := r.History.Contains(ctx, a.Revision.Commit, r.Meta.Revision.Commit)
		if err != nil {
			r.warn("asking GitHub whether commit %.7s is part of %.7s failed: %s", r.Meta.Revision.Commit, a.Revision.Commit, withHint(err))
		}
		if contained {
			f.late = fmt.Sprintf("the candidate %s is of commit %.7s, which contains this one", tag, a.Revision.Commit)
			return nil
		}
	}
	return nil
}

func (r *buildRun) lookAtSelected(ctx context.Context, f *buildFacts) (err error) {
	if !r.SkipUnchanged {
		return nil
	}
	switch f.selectedTag = r.Clusters.Integration.Select(r.before.tags); f.selectedTag {
	case "":
	case f.newestTag:
		f.selected = f.newest
	default:
		f.selected, err = r.read(ctx, f.selectedTag)
	}
	return err
}

// lookAtBump reads Conventional Commits since the stable. On any doubt it is a
// patch, and the report says why.
func (r *buildRun) lookAtBump(ctx context.Context) error {
	stable, ok := r.before.ladder.Stable()
	if !r.AutoBump || !ok {
		return nil
	}
	r.Bump = version.Patch
	if r.History == nil {
		r.warn("bump: auto needs a GitHub token to read commits; a patch is assumed")
		return nil
	}
	a, err := r.readListed(ctx, stable.String())
	if err != nil {
		return err
	}
	if a == nil || a.Revision.Commit == "" {
		r.warn("bump: auto cannot tell the commit of %s, which cannot be read or has no revision in Flux's form; a patch is assumed", stable)
		return nil
	}
	messages, err := r.History.Messages(ctx, a.Revision.Commit, r.Meta.Revision.Commit, r.Path)
	if err != nil {
		r.warn("bump: auto could not read the commits since %s, so a patch is assumed: %s", stable, withHint(err))
		return nil
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
	r.notice("%s", why)
	return nil
}
