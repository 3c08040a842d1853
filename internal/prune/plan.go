package prune

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/version"
)

// reason is why an artifact is kept.
type reason struct {
	rule pipeline.KeepRule
	why  string // one line, of this artifact
}

// maxCompared bounds what one run asks GitHub for the order of commits.
const maxCompared = 200

// plan decides, asks what the decision hangs on, and looks for what is attached to what goes, until nothing is open.
func (r *run) plan(ctx context.Context, f *facts) (plan, error) {
	for {
		p, need := r.decide(f, r.blocked(), r.tried, r.History != nil && r.compared < maxCompared)
		switch pairs := need.Compare; {
		case len(pairs) > 0 && r.History == nil:
			return p, pipeline.Refuse("give the "+r.NoHistory, "which of commits %.7s and %.7s is the newer takes GitHub's word, and what must stay hangs on it, so that nothing is deleted",
				pairs[0][0], pairs[0][1])
		case len(pairs) > 0:
			if err := r.compare(ctx, f, pairs); err != nil {
				return p, err
			}
			continue
		}
		if more, err := r.lookForAttached(ctx, f, p.goes); err != nil || !more {
			return p, err
		}
	}
}

func (r *run) compare(ctx context.Context, f *facts, pairs [][2]string) error {
	words, err := pipeline.AskAll(ctx, pairs, func(ctx context.Context, pair [2]string) (string, error) {
		return r.History.Compare(ctx, pair[0], pair[1])
	})
	if err != nil {
		return fmt.Errorf("asking for the order of commits, on which hangs what must stay: %w", err)
	}
	for i, pair := range pairs {
		f.now.Ladder.Relate(pair[0], pair[1], version.Relation(words[i]))
	}
	r.compared += len(pairs)
	return nil
}

// plan is what a run keeps, and what goes.
type plan struct {
	keeps map[digest.Digest]reason
	goes  []*item // the oldest first, MaxDeletes at most
	left  int     // more than one run deletes, of which it was not asked whether they may go live yet, or that go after others
}

// decide is pure: an artifact goes where no rule keeps it. Blocked are those of which something that is attached stays. What
// was tried is taken as kept, by no rule. A need is the order of commits on which it hangs whether an artifact may go live yet.
func (p Prune) decide(f *facts, blocked map[digest.Digest]string, tried []*item, ask bool) (plan, version.Need) {
	d := &decision{Prune: p, facts: f, plan: plan{keeps: map[digest.Digest]reason{}}, later: map[digest.Digest]bool{}}
	for _, it := range tried {
		d.keep(it, "", "it was tried")
	}
	d.listed()
	for _, it := range f.items {
		if r, ok := d.byItself(it); ok {
			d.keep(it, r.rule, r.why)
		} else if why := blocked[it.Digest]; why != "" {
			d.keep(it, pipeline.KeptAttached, why)
		}
	}
	all := d.oldestFirst()
	for {
		found := len(d.keeps) + len(d.later)
		need := d.open(all, ask)
		for _, it := range all {
			need = need.And(d.witnesses(it))
		}
		if len(d.keeps)+len(d.later) == found {
			return d.plan, need
		}
	}
}

type decision struct {
	Prune
	*facts
	plan
	later map[digest.Digest]bool // what goes, and not before something else is gone
}

func (d *decision) keep(it *item, rule pipeline.KeepRule, why string) {
	if it != nil && !d.stays(it) {
		d.keeps[it.Digest] = reason{rule, why}
	}
}

func (d *decision) stays(it *item) bool { _, kept := d.keeps[it.Digest]; return kept }

// listed keeps what the place of a version in the list keeps, whatever its age.
func (d *decision) listed() {
	for _, s := range d.lastStables(d.facts) {
		d.keep(d.named(s), pipeline.KeptStable, s+" is one of the last "+strconv.Itoa(d.KeepStables)+" stables")
	}
	picked := d.Clusters.Selected(d.now.Tags)
	d.keep(d.named(picked.Integration), pipeline.KeptSelected, "integration selects "+picked.Integration)
	d.keep(d.named(picked.Live), pipeline.KeptSelected, "live selects "+picked.Live)
	if newest, ok := d.now.Ladder.Newest(); ok {
		d.keep(d.named(newest.String()), pipeline.KeptNewest, newest.String()+" is the newest candidate")
	}
	d.picked()
}

// lastStables are the last KeepStables, the highest first. Somebody else's X.Y.Z among them take the place of none.
func (p Prune) lastStables(f *facts) (last []string) {
	ours := 0
	for _, s := range pipeline.Descending(f.now.Ladder.Stables) {
		if ours == p.KeepStables {
			break
		}
		last = append(last, s)
		if it := f.named(s); it != nil && it.foreign == "" {
			ours++
		}
	}
	return last
}

// picked keeps what clusters are told to take by a tag of any kind.
func (d *decision) picked() {
	if d.Picks == nil {
		return
	}
	picks := d.Picks(d.now.Tags)
	for _, it := range d.items {
		for _, tag := range it.tags {
			if who := picks[tag]; who != "" {
				d.keep(it, pipeline.KeptRunning, who+" is told to take "+tag)
			}
		}
	}
}

// byItself tells what keeps an artifact that needs no look at others.
func (d *decision) byItself(it *item) (reason, bool) {
	age := d.Now.Sub(it.since())
	switch {
	case d.Running[it.Digest] != "":
		return reason{pipeline.KeptRunning, d.Running[it.Digest] + " runs it"}, true
	case it.foreign != "":
		return reason{pipeline.KeptForeign, it.foreign}, true
	case d.indexed[it.Digest] != "":
		return reason{pipeline.KeptIndexed, "the index " + d.indexed[it.Digest].String() + " lists it"}, true
	case it.since().IsZero():
		return reason{pipeline.KeptYoung, "it does not tell its age"}, true
	case age < d.KeepFor:
		return reason{pipeline.KeptYoung, "it is younger than " + pipeline.Span(d.KeepFor)}, true
	}
	why := d.inFlight(it)
	return reason{pipeline.KeptInFlight, why}, why != ""
}

// inFlight tells what of a build or a promotion is not complete; empty for nothing. The tags of a commit that was built
// twice are the other artifact's.
func (d *decision) inFlight(it *item) string {
	if _, promoted := it.stable(); promoted {
		return ""
	}
	if it.has(pipeline.ValidatedPrefix) {
		return "it is validated, and has no stable"
	}
	if !slices.ContainsFunc(it.tags, pipeline.IsCandidate) {
		return "its build is not complete: no candidate names it"
	}
	for _, prefix := range []string{pipeline.SHAPrefix, pipeline.IntegrationPrefix} {
		if !it.has(prefix) && !slices.ContainsFunc(d.byCommit[it.Commit[:shortest]], func(o *item) bool { return o.Commit == it.Commit && o.has(prefix) }) {
			return "its build is not complete: there is no tag " + prefix + it.Commit[:shortest]
		}
	}
	return ""
}

const notAsked = "it may go live yet: whether it does hangs on the order of commits, which was not asked for"

// open keeps what may go live yet, and lets the rest go, the oldest first. Whether an artifact may, is asked of no more than
// one run deletes.
func (d *decision) open(all []*item, ask bool) (need version.Need) {
	d.goes, d.left = nil, 0
	for _, it := range all {
		_, promoted := it.stable()
		switch {
		case d.stays(it):
			continue
		case len(d.goes) >= d.MaxDeletes || d.later[it.Digest]:
			d.left++
			continue
		case promoted:
			d.goes = append(d.goes, it)
			continue
		}
		switch over, more := d.now.Ladder.Superseded(it.Artifact); {
		case !more.None() && !ask:
			d.keep(it, pipeline.KeptOpen, notAsked)
		case !more.None():
			need = need.And(more)
			d.goes = append(d.goes, it)
		case !over:
			d.keep(it, pipeline.KeptOpen, "it may go live yet")
		default:
			d.goes = append(d.goes, it)
		}
	}
	return need
}

func (d *decision) oldestFirst() []*item {
	all := make([]*item, 0, len(d.items))
	for _, it := range d.items {
		all = append(all, it)
	}
	slices.SortFunc(all, func(a, b *item) int {
		return cmp.Or(a.since().Compare(b.since()), cmp.Compare(a.Height, b.Height), cmp.Compare(a.Digest, b.Digest))
	})
	return all
}

// witnesses keeps, as long as an artifact is there, what its place hangs on: of a stable with which live went back the one from
// which it did, and of a candidate that would go live without a rollback that one. Without them a rollback would look like
// any promotion, and what it holds back would go live.
func (d *decision) witnesses(it *item) (need version.Need) {
	l, stables := d.now.Ladder, version.Read(it.tags).Stables
	if len(stables) == 0 && (d.stays(it) || d.mayBeNewer(it)) {
		by, held, need := l.HeldBy(it.Artifact)
		if held {
			d.with(it, by, by.String()+" holds "+it.version()+" back")
		}
		return need
	}
	if !d.stays(it) && !d.later[it.Digest] {
		return need
	}
	for _, s := range stables {
		from, back, more := l.WentBack(s)
		if back {
			d.with(it, from, "live went back from it with "+s.String())
		}
		need = need.And(more)
	}
	return need
}

// with lets what s names stay as long as it does.
func (d *decision) with(it *item, s version.Stable, why string) {
	switch witness := d.named(s.String()); {
	case witness == nil || witness == it:
	case d.stays(it):
		d.keep(witness, pipeline.KeptRollback, why)
	case !d.stays(witness):
		d.later[witness.Digest] = true
	}
}

// mayBeNewer reports whether an artifact may be newer than what the stable names, as far as that is known.
func (d *decision) mayBeNewer(it *item) bool {
	s, ok := d.now.Ladder.Stable()
	live := d.named(s.String())
	if !ok || live == nil {
		return false
	}
	newer, need := d.now.Ladder.Newer(it.Artifact, live.Artifact)
	return newer || !need.None()
}
