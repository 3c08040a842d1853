package prune

import (
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// tell reports a plan.
func (r *run) tell(f *facts, p plan) {
	t := &pipeline.Retention{Applied: r.Apply, At: r.Now, Kept: len(f.items) - len(p.goes), Left: p.left, Keep: keptBy(p), Delete: []pipeline.Pruned{}, Rungs: rungs(f, p)}
	for _, it := range p.goes {
		t.Delete = append(t.Delete, r.pruned(f, it))
	}
	t.Bytes = r.freed(f, p.goes)
	r.report.Retention = t
	r.report.Selected = r.Clusters.Selected(f.now.Tags)
	if s, ok := f.now.Ladder.Stable(); ok {
		r.report.Highest = s.String()
	}
	switch {
	case len(f.now.Tags) == 0: // as of a name that is mistyped
		r.report.Outcome, r.report.Reason = pipeline.Unchanged, "nothing to delete"
		r.report.Warn("%s", pipeline.NoTags(r.Name))
	case len(p.goes) == 0:
		r.report.Outcome, r.report.Reason = pipeline.Unchanged, fmt.Sprintf("nothing to delete: %s, each kept by a rule", artifacts(len(f.items)))
	case !r.Apply:
		r.report.Outcome, r.report.Reason = pipeline.Planned, fmt.Sprintf("%s of %d would go", artifacts(len(p.goes)), len(f.items))
		r.report.Next = "with apply: true a run deletes what is still as it is now"
	}
}

// tellMore adds to a report what goes in the place of what turned out to stay.
func (r *run) tellMore(f *facts, p plan) {
	before := r.report.Retention.Delete
	p.goes = slices.Concat(r.tried, p.goes)
	r.tell(f, p)
	copy(r.report.Retention.Delete, before)
}

// told completes the report of a run that deleted.
func (r *run) told() {
	t := r.report.Retention
	for _, x := range t.Delete {
		switch x.State {
		case pipeline.PrunedDeleted, pipeline.PrunedGone:
			t.Deleted++
		case pipeline.PrunedKept:
			r.report.Notice("%s is kept: %s", x.Version, x.Reason)
		}
	}
	t.Kept += len(t.Delete) - t.Deleted
	t.Left += len(t.Delete) - t.Deleted
	r.report.Outcome, r.report.Reason = pipeline.PrunedOutcome, fmt.Sprintf("%s deleted, %d kept", artifacts(t.Deleted), t.Kept)
	if t.Deleted == 0 {
		r.report.Outcome = pipeline.Pending
	}
	if t.Left > 0 {
		r.report.Next = fmt.Sprintf("the next run looks at %d more", t.Left)
	}
}

func (r *run) pruned(f *facts, it *item) pipeline.Pruned {
	x := pipeline.Pruned{
		Version: it.version(), Digest: it.Digest, Commit: it.Commit, Since: it.since(), Tags: slices.Sorted(slices.Values(it.tags)),
		State: pipeline.PrunedPlanned, Bytes: it.size, Attached: len(r.looked[it.Digest].all),
	}
	for _, blob := range it.blobs {
		x.Bytes += blob.Size
	}
	s, live := f.now.Ladder.Stable()
	switch _, promoted := it.stable(); {
	case promoted:
		x.Reason = "not among the last stables"
	case live:
		x.Reason = fmt.Sprintf("superseded (the stable is %s)", s)
	default:
		x.Reason = "superseded (nothing is live yet)"
	}
	return x
}

// freed is how many bytes nothing needs any more, once the registry has collected its garbage: what another artifact
// shares is not among them.
func (r *run) freed(f *facts, goes []*item) (n int64) {
	going := map[digest.Digest]bool{}
	for _, it := range goes {
		going[it.Digest] = true
	}
	needed := map[digest.Digest]bool{}
	for d, it := range f.items {
		if !going[d] {
			for _, blob := range it.blobs {
				needed[blob.Digest] = true
			}
		}
	}
	for _, it := range goes {
		n += it.size
		for _, x := range r.looked[it.Digest].all {
			n += x.size
		}
		for _, blob := range it.blobs {
			if !needed[blob.Digest] {
				needed[blob.Digest] = true
				n += blob.Size
			}
		}
	}
	return n
}

// keptBy counts what is kept, by the rules in their order.
func keptBy(p plan) []pipeline.KeptBy {
	counts := map[pipeline.KeepRule]int{}
	for _, r := range p.keeps {
		counts[r.rule]++
	}
	all := []pipeline.KeptBy{}
	for _, rule := range pipeline.KeepRules {
		if counts[rule] > 0 {
			all = append(all, pipeline.KeptBy{Rule: rule, Artifacts: counts[rule]})
		}
	}
	return all
}

// mostRungs bounds what a report tells of a ladder, since it is an output.
const mostRungs = 500

// rungs are the artifacts of a ladder from its highest version down, those with the same fate that follow each other as one;
// the highest mostRungs.
func rungs(f *facts, p plan) (all []pipeline.Rung) {
	goes := map[digest.Digest]bool{}
	for _, it := range p.goes {
		goes[it.Digest] = true
	}
	seen := map[digest.Digest]bool{}
	for _, tag := range f.ladder() {
		it := f.named(tag)
		if it == nil || seen[it.Digest] {
			continue
		}
		seen[it.Digest] = true
		_, kept := p.keeps[it.Digest]
		next := pipeline.Rung{From: tag, To: tag, Artifacts: 1, Rule: p.keeps[it.Digest].rule, Goes: goes[it.Digest], Left: !kept && !goes[it.Digest]}
		if last := len(all) - 1; last >= 0 && all[last].Rule == next.Rule && all[last].Goes == next.Goes && all[last].Left == next.Left {
			all[last].To = tag
			all[last].Artifacts++
			continue
		}
		if len(all) == mostRungs {
			break
		}
		all = append(all, next)
	}
	return all
}

// ladder are the versions, the highest first, a stable above the candidates of its base.
func (f *facts) ladder() []string {
	stables, candidates := f.now.Ladder.Stables, f.now.Ladder.Candidates
	var tags []string
	for i, j := len(stables)-1, len(candidates)-1; i >= 0 || j >= 0; {
		if j < 0 || i >= 0 && stables[i].Compare(candidates[j].Base) >= 0 {
			tags, i = append(tags, stables[i].String()), i-1
			continue
		}
		tags, j = append(tags, candidates[j].String()), j-1
	}
	return tags
}

func artifacts(n int) string {
	if n == 1 {
		return "1 artifact"
	}
	return fmt.Sprintf("%d artifacts", n)
}
