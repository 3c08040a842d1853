package pipeline

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/version"
)

// look reads what the rules ask, and no more: what an early rule decides is not read for
// the next one.
func (r *tagRun) look(ctx context.Context, s Subject, now snapshot) (tagFacts, error) {
	f := tagFacts{subject: s, manual: r.Manual, ladder: now.ladder}
	if err := r.lookAtArtifact(ctx, now, &f); err != nil || f.artifact == nil || f.foreign != "" {
		return f, err
	}
	tag := r.validatedTag(f.artifact)
	f.tagged = tag == "" || now.has[tag]
	if f.manual != nil {
		return f, r.lookByHand(ctx, now, &f)
	}
	newer, err := r.lookAtRank(ctx, now, &f)
	if err != nil || f.stable != "" {
		return f, err
	}
	if err := r.lookForDoubt(ctx, now, &f); err != nil || f.missing+f.doubt != "" || f.candidate == "" {
		return f, err
	}
	return f, r.lookAtStable(ctx, now, &f, newer)
}

// lookAtRank finds the highest candidate and the highest stable that name the artifact,
// and what the candidates above it name, as far as they are above the stable: those are few,
// and any of them may be on this artifact too, so that each is asked, from the highest down.
// Further down the order of commits leads there.
func (r *tagRun) lookAtRank(ctx context.Context, now snapshot, f *tagFacts) (newer []digest.Digest, err error) {
	a, d := f.artifact, f.artifact.desc.Digest
	if _, err := version.ParseStable(a.readBy); err == nil { // the echo of a promotion (facts 9)
		return nil, r.lookAtEcho(ctx, now, f)
	}
	all := descending(now.ladder.Candidates)
	above := len(all) - now.below()
	told := slices.Index(all, a.readBy) // the cluster told a candidate
	if told >= 0 {
		f.candidate = a.readBy
	}
	if promoted, err := r.lookIfPromoted(ctx, now, f, told >= above); err != nil || promoted {
		return nil, err
	}
	if told >= 0 {
		above = min(above, told)
	}
	found, newer, err := r.scan(ctx, all[:above], d)
	switch {
	case err != nil:
		return nil, err
	case found != "":
		f.candidate = found
	case f.candidate == "":
		older := version.Ladder{Candidates: now.ladder.Candidates[:len(all)-above]}
		if f.candidate, err = r.rank(ctx, older, a); err != nil {
			return nil, err
		}
	}
	if told < 0 || f.candidate != a.readBy || told < above {
		f.stable, err = r.find(ctx, r.stablesToAsk(now, a, f.candidate), d)
	}
	return newer, err
}

// lookIfPromoted asks first what is so in most of the events that repeat one: late is an
// event of a candidate that is not above the stable, promoted long ago; and where only the
// commit is known, its validated- tag speaks for the stable.
func (r *tagRun) lookIfPromoted(ctx context.Context, now snapshot, f *tagFacts, late bool) (promoted bool, err error) {
	stable, ok := now.ladder.Stable()
	likely := []string{stable.String()}
	switch {
	case late:
		likely = r.stablesToAsk(now, f.artifact, f.candidate)
	case !ok || f.candidate != "" || !f.tagged:
		return false, nil
	}
	d := f.artifact.desc.Digest
	if f.stable, err = r.find(ctx, likely, d); err != nil || f.stable == "" {
		return false, err
	}
	base := func(tag string) bool { return strings.HasPrefix(tag, f.stable+"-") }
	if base(f.candidate) {
		return true, nil
	}
	all := descending(now.ladder.Candidates) // by a rescue it has one of this base, whatever the cluster told
	own, err := r.find(ctx, slices.DeleteFunc(all, func(tag string) bool { return !base(tag) }), d)
	if err == nil && own == "" && f.candidate == "" {
		own, err = r.rank(ctx, now.ladder, f.artifact)
	}
	f.candidate = cmp.Or(own, f.candidate)
	return true, err
}

// lookAtEcho is lookAtRank for an artifact that the cluster selected by a stable.
func (r *tagRun) lookAtEcho(ctx context.Context, now snapshot, f *tagFacts) (err error) {
	a := f.artifact
	f.stable = a.readBy
	if s, _ := now.ladder.Stable(); s.String() != f.stable {
		if f.highest, err = r.resolve(ctx, s.String()); err != nil {
			return err
		}
		if f.highest == a.desc.Digest {
			f.stable = s.String()
		}
	}
	f.candidate, err = r.rank(ctx, now.ladder, a)
	return err
}

// stablesToAsk are the stables that may name a, the likely ones first. Every promotion writes
// validated- before its stable (promise 5); without that tag only what was done by hand is
// left, and a version by hand below a candidate's base lies between that and the stable of
// the time when it was built.
func (r *tagRun) stablesToAsk(now snapshot, a *artifact, candidate string) []string {
	all := descending(now.ladder.Stables)
	if len(all) == 0 {
		return nil
	}
	stable, _ := now.ladder.Stable()
	c, err := version.ParseCandidate(candidate)
	ranked := err == nil
	likely := []string{stable.String()}
	if ranked && now.has[c.Base.String()] && c.Base != stable {
		likely = append(likely, c.Base.String())
	}
	switch {
	case now.has[r.validatedTag(a)], !ranked:
		return append(likely, slices.DeleteFunc(all, func(tag string) bool { return slices.Contains(likely, tag) })...)
	case !now.ladder.Above(c), c.Base != stable.Bump(version.Patch):
		return likely
	}
	return nil
}

// lookAtStable reads what rules 5 and 6 ask about the stable: whether its artifact is newer,
// and whether it is a rollback. Newer is what the candidates above f's rank name.
func (r *tagRun) lookAtStable(ctx context.Context, now snapshot, f *tagFacts, newer []digest.Digest) error {
	s, ok := now.ladder.Stable()
	c, err := version.ParseCandidate(f.candidate)
	above := err == nil && now.ladder.Above(c)
	if !ok || above && len(newer) == 0 {
		return nil
	}
	highest, err := r.readStable(ctx, now)
	if err != nil {
		return err
	}
	f.highest, f.outranked = highest.desc.Digest, slices.Contains(newer, highest.desc.Digest)
	if f.highest == f.artifact.desc.Digest {
		f.stable = s.String()
	}
	if above || f.outranked || f.stable != "" {
		return nil
	}
	return r.compareWithStable(ctx, now, f, highest)
}

// compareWithStable reads what rule 6 asks of an artifact that is not above the stable. Some have two candidates (a build
// whose base was taken), and builds at once are numbered in any order, so that the times of commits may lead to the
// lower one. What decides is therefore asked of each candidate above; those are few.
func (r *tagRun) compareWithStable(ctx context.Context, now snapshot, f *tagFacts, highest *artifact) (err error) {
	older := version.Ladder{Candidates: now.ladder.Candidates[:now.below()]}
	if f.highestRank, err = r.rank(ctx, older, highest); err != nil || f.highestRank == "" {
		return err
	}
	all, own := descending(older.Candidates), f.artifact.desc.Digest
	if at := slices.Index(all, f.highestRank); at <= slices.Index(all, f.candidate) {
		higher, err := r.find(ctx, all[:at], own)
		if err != nil || higher == "" {
			return err
		}
		f.candidate = higher
	}
	higher, err := r.find(ctx, all[:slices.Index(all, f.candidate)], f.highest)
	if err != nil || higher != "" {
		f.highestRank = higher
		return err
	}
	lower := descending(now.ladder.Stables)[1:]
	if f.rollback, err = r.find(ctx, lower, f.highest); err != nil || f.rollback != "" {
		return err
	}
	f.stable, err = r.find(ctx, lower, own) // to be certain: what follows would make it live again
	return err
}

// lookByHand reads what rule 2 asks, and for the summary where the artifact stands.
func (r *tagRun) lookByHand(ctx context.Context, now snapshot, f *tagFacts) (err error) {
	d := f.artifact.desc.Digest
	stable, hasStable := now.ladder.Stable()
	if hasStable {
		if f.highest, err = r.resolve(ctx, stable.String()); err != nil {
			return err
		}
	}
	switch v := f.manual.Version.String(); {
	case f.manual.Next:
		f.taken = f.highest
	case now.has[v]:
		if f.taken, err = r.resolve(ctx, v); err != nil {
			return err
		}
	}
	if tag := r.validatedTag(f.artifact); now.has[tag] {
		named, err := r.resolve(ctx, tag)
		if err != nil {
			return err
		}
		f.validated = named == d
	}
	all := descending(now.ladder.Stables)
	if f.stable, err = r.find(ctx, all, d); err != nil {
		return err
	}
	if f.stable != "" && f.stable == all[0] {
		if f.rollback, err = r.find(ctx, all[1:], d); err != nil {
			return err
		}
	}
	f.candidate, err = r.find(ctx, descending(now.ladder.Candidates[now.below():]), d)
	if err == nil && f.candidate == "" {
		f.candidate, err = r.rank(ctx, version.Ladder{Candidates: now.ladder.Candidates[:now.below()]}, f.artifact)
	}
	if err != nil {
		return err
	}
	return r.lookForDoubt(ctx, now, f)
}
