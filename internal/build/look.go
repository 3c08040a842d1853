package build

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"github.com/oci-promote/oci-promote/internal/bundle"
	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/version"
)

// atMost is how many candidates of one height are looked at for this commit's, the highest
// first. Only max+1 numbers of an older tool, or rewritten history, can have more.
const atMost = 8

// facts are what a build has read before it decides.
type facts struct {
	shaTag, integrationTag string
	mine                   *pipeline.Artifact
	overwrite              bool

	existing    *pipeline.Artifact // what this commit has already: its candidate's artifact, else its tags', else the stable's; nil for none
	existingTag string             // by which it was found
	version     string             // its highest candidate, or else its highest stable; "" for none
	tagged      [2]digest.Digest   // what sha- and integration- name; "" for one that is not there

	selected    *pipeline.Artifact // what integration selects now, where skip-unchanged asks
	selectedTag string
	late        string            // why this commit gets no tag; empty where it does (promise 10)
	next        version.Candidate // what a new artifact gets
	nextFree    time.Time         // when that was seen to be free; zero for never
	config      digest.Digest     // a config blob that the registry has; empty for none that is known
}

// look reads what the decision needs, and no more. The first build of a commit looks at its
// candidate, which must be free, and beside that at the stable; a repeated one at what its
// candidate and its two tags name.
func (r *run) look(ctx context.Context) (facts, error) {
	sha := pipeline.SHAPrefix + r.mine.Revision.Commit[:r.SHALength]
	for range rounds {
		f := facts{shaTag: sha, integrationTag: pipeline.IntegrationOf(sha), mine: r.mine, overwrite: r.Overwrite}
		if err := r.lookAtCommit(ctx, &f); err != nil || f.built() || f.conflicts() {
			return f, err
		}
		if err := r.lookAtSelected(ctx, &f); err != nil {
			return f, err
		}
		if err := r.askWhetherLate(ctx, &f); err != nil || f.late != "" {
			return f, err
		}
		unlisted, err := r.lookAhead(ctx, &f)
		if err != nil || unlisted == "" {
			return f, err
		}
		r.now = r.now.With(unlisted) // perhaps it is this commit's
	}
	return facts{}, pipeline.Refuse("its list lags far behind its tags, or it answers for tags that are not there; run again in a minute",
		"%s has a tag for each of the %d numbers that were looked at, and lists none of them", r.Name, rounds)
}

// lookAtCommit finds what this commit has already: a candidate of its height, however long
// its tags were when it was built, or what its tags name.
func (r *run) lookAtCommit(ctx context.Context, f *facts) error {
	tags := pipeline.Descending(r.now.Ladder.At(r.mine.Height))
	tags = tags[:min(len(tags), atMost)]
	for _, tag := range []string{f.shaTag, f.integrationTag} {
		if r.now.Has(tag) {
			tags = append(tags, tag)
		}
	}
	found, err := pipeline.AskAll(ctx, tags, r.store.ReadListed)
	if err != nil {
		return err
	}
	for i, a := range found {
		if a == nil {
			continue
		}
		tag, ours := tags[i], a.Revision.Commit == r.mine.Revision.Commit
		if ours || !pipeline.IsCandidate(tag) { // no input has it moved
			if err := r.store.Foreign(tag, a); err != nil {
				return err
			}
		}
		switch {
		case pipeline.IsCandidate(tag):
			r.now.Ladder.Learn(tag, a.Known())
			if !ours {
				continue // another commit's, of the same height
			}
		case a.Revision.Commit != "" && !ours:
			return f.otherCommit(tag, a)
		case tag == f.shaTag:
			f.tagged[0] = a.Desc.Digest
		default:
			f.tagged[1] = a.Desc.Digest
		}
		if f.existing == nil {
			f.existing, f.existingTag = a, tag
		}
	}
	if f.existing == nil || !sameBuild(f.existing, f.mine) {
		return nil
	}
	return r.lookAtNumber(ctx, f)
}

// lookAtNumber finds the version of what the commit has.
func (r *run) lookAtNumber(ctx context.Context, f *facts) error {
	if pipeline.IsCandidate(f.existingTag) {
		f.version = f.existingTag
		return nil
	}
	return r.store.Ask(ctx, r.now, func(l *version.Ladder) version.Need {
		rank, ranked, need := l.Rank(f.existing.Known())
		if ranked {
			f.version = rank.String()
		}
		if ranked || !need.None() {
			return need
		}
		stable, promoted, need := l.Promoted(f.existing.Known())
		if promoted {
			f.version = stable.String()
		}
		return need
	})
}

// lookAhead finds the number of a new artifact and looks at it, and beside that at the
// stable, since when the commits may tell the bump. Unlisted is the number if it is taken already, which
// the list did not show. A dry run takes the list's word where that leaves no doubt, so that to ask for the next version
// costs what listing costs.
func (r *run) lookAhead(ctx context.Context, f *facts) (unlisted string, err error) {
	stable, promoted := r.now.Ladder.Stable()
	read := promoted && (!r.DryRun || r.AutoBump || !r.now.Ladder.HasBase(stable))
	var live *pipeline.Artifact
	g, both := errgroup.WithContext(ctx)
	if read {
		g.Go(func() (err error) {
			live, err = r.readStable(both)
			return err
		})
	}
	if !promoted && !r.DryRun {
		g.Go(func() error { return r.lookAtAny(both, f) })
	}
	if !r.AutoBump {
		g.Go(func() (err error) {
			unlisted, err = r.lookAtNext(both, f)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return "", err
	}
	if read {
		if err := r.lookAtStable(ctx, f, stable, live); err != nil || f.late != "" || f.built() || f.conflicts() {
			return "", err
		}
	}
	if !r.AutoBump {
		return unlisted, nil
	}
	if live != nil {
		r.readBump(ctx, stable, live)
	}
	return r.lookAtNext(ctx, f)
}

// lookAtAny reads what one tag names, where there is a tag and no stable to read: no tag is written before the registry has
// shown that its manifests can be read, and what a run of ours wrote shows that it has the config blob.
func (r *run) lookAtAny(ctx context.Context, f *facts) error {
	tag, ours := r.anyTag()
	if tag == "" {
		return nil
	}
	a, err := r.store.Read(ctx, tag)
	var refused interface{ Refused() bool }
	switch {
	case err == nil && a != nil && !r.Overwrite: // which sends again what the registry has lost
		f.config = a.Config
	case errors.Is(err, bundle.ErrNoManifest), !ours && errors.As(err, &refused) && refused.Refused():
		return nil // somebody's, which says nothing of what is ours
	}
	return err
}

// anyTag is a tag of the list, one of ours if it has any; empty where it has none that can be asked for.
func (r *run) anyTag() (tag string, ours bool) {
	for _, rule := range []func(string) bool{
		func(tag string) bool { return pipeline.IsCommitTag(pipeline.SHAPrefix, tag) },
		pipeline.IsCandidate,
	} {
		if i := slices.IndexFunc(r.now.Tags, rule); i >= 0 {
			return r.now.Tags[i], true
		}
	}
	if i := slices.IndexFunc(r.now.Tags, anyName.MatchString); i >= 0 {
		return r.now.Tags[i], false
	}
	return "", false
}

// anyName is that of a tag (docs/facts.md 15): a list is text from outside.
var anyName = regexp.MustCompile(`^\w[\w.-]{0,127}$`)

// readStable reads what is live; nil, with a warning, where that cannot be read for long: it
// must not stop every build.
func (r *run) readStable(ctx context.Context) (*pipeline.Artifact, error) {
	live, err := r.store.ReadStable(ctx, r.now)
	if refused := (*pipeline.Refusal)(nil); errors.As(err, &refused) {
		r.report.Warn("%s; if it stays so, its manifest was deleted: promote what should be live with version: next and its digest;"+
			" do not delete the tag, or its version is given again", err)
		return nil, nil //nolint:nilnil // that it is gone is an answer
	}
	return live, err
}

// lookAtStable learns what is live. A commit that its commit contains comes late, and it may
// be all that a clean-up left of this one. Its manifest shows that the registry has the config blob.
func (r *run) lookAtStable(ctx context.Context, f *facts, s version.Stable, live *pipeline.Artifact) error {
	if live == nil {
		r.now.Ladder.Name(s.String(), "")
		return nil
	}
	r.now.Ladder.Learn(s.String(), live.Known())
	f.config = live.Config
	if f.existing == nil && live.Revision.Commit == f.mine.Revision.Commit {
		f.existing, f.existingTag, f.version = live, s.String(), s.String()
	}
	follows := false
	err := r.store.Ask(ctx, r.now, func(l *version.Ladder) (need version.Need) {
		follows, need = l.Follows(s, r.mine.Known())
		return need
	})
	if follows {
		f.late = fmt.Sprintf("the stable %s is of commit %.7s, which contains this one", s, live.Revision.Commit)
	}
	return err
}

// lookAtNext applies the base rule, and looks at what the candidate names: mostly nothing.
func (r *run) lookAtNext(ctx context.Context, f *facts) (unlisted string, err error) {
	if f.next, err = r.base(ctx, r.numbered(f)); err != nil || r.DryRun {
		return "", err
	}
	began, tag := time.Now(), f.next.String()
	names, err := r.store.Resolve(ctx, tag)
	switch {
	case err != nil || names != "" && r.now.Has(tag):
		return "", err
	case names != "":
		return tag, nil
	}
	f.nextFree = began
	return "", nil
}

// numbered is the artifact that would get a number: what the commit has, if that is the same.
func (r *run) numbered(f *facts) *pipeline.Artifact {
	if f.existing != nil && sameBuild(f.existing, f.mine) {
		return f.existing
	}
	return f.mine
}

// base is the base rule for an artifact of this commit.
func (r *run) base(ctx context.Context, a *pipeline.Artifact) (c version.Candidate, err error) {
	from := r.Initial
	if s, ok := r.now.Ladder.Stable(); ok {
		from = s.Bump(r.Bump)
	}
	left := true
	err = r.store.Ask(ctx, r.now, func(l *version.Ladder) (need version.Need) {
		c, left, need = l.Base(from, r.mine.Height, a.Desc.Digest)
		return need
	})
	if err == nil && !left {
		err = pipeline.Refuse("delete the tags that are so high, if they are nobody's", "no version is left above the tags of %s", r.Name)
	}
	return c, err
}

// askWhetherLate tells whether a candidate's commit contains this one (promise 10).
func (r *run) askWhetherLate(ctx context.Context, f *facts) error {
	var (
		container version.Candidate
		late      bool
	)
	err := r.store.Ask(ctx, r.now, func(l *version.Ladder) (need version.Need) {
		container, late, need = l.Containing(r.mine.Known())
		return need
	})
	if err != nil || !late {
		return err
	}
	newer, err := r.store.ReadDigest(ctx, r.now.Ladder.Named(container.String()))
	if err == nil && newer != nil {
		f.late = fmt.Sprintf("the candidate %s is of commit %.7s, which contains this one", container, newer.Revision.Commit)
	}
	return err
}

func (r *run) lookAtSelected(ctx context.Context, f *facts) (err error) {
	if !r.SkipUnchanged {
		return nil
	}
	if f.selectedTag = r.Clusters.Integration.Select(r.now.Tags); f.selectedTag != "" {
		f.selected, err = r.store.Read(ctx, f.selectedTag)
	}
	return err
}
