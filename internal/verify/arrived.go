package verify

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/cluster"
	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/version"
)

// What verify tells for others to show: what the clusters run, and what became live lately. It is
// made of what was read, and nothing is asked for it but what readRollbacks asks.

// recently is how young a report of live's is that counts as an arrival.
const recently = 24 * time.Hour

// clustersRun is what the clusters run and what they select, as far as it is known.
func (r *reading) clustersRun() []pipeline.Running {
	all := append(r.runsOnIntegration(), r.runsOnLive()...)
	return slices.DeleteFunc(all, func(run pipeline.Running) bool { return !full(run.Commit) || run.Version == "" })
}

// runsOnIntegration is what integration selects, and how far it is with it.
func (r *reading) runsOnIntegration() []pipeline.Running {
	tag := r.selected.Integration
	a := r.artifacts[tag]
	if a == nil {
		return nil
	}
	run := pipeline.Running{Cluster: string(cluster.Integration), Version: tag, Digest: a.Desc.Digest, Commit: a.Revision.Commit, State: pipeline.Applying}
	if fails := r.failing(cluster.Integration); fails != nil && r.fetchedBy(cluster.Integration).Digest == run.Digest {
		run.State, run.Says = pipeline.Fails, fails.Message
		return []pipeline.Running{run}
	}
	said, asked := r.heard.words[a.Desc.Digest]
	w := r.wordOn(a)
	if r.stable.rollback && tag == r.stable.tag && w.Tag != tag { // it is of before the rollback
		asked, w = asked && (w.State == "" || w.Tag != ""), Word{}
	}
	for _, s := range r.States {
		applied, ok := s.Applied(cluster.Integration, r.registry(cluster.Integration), r.Gate)
		if ok && applied.Digest == a.Desc.Digest && !w.At.After(applied.At) {
			run.State = pipeline.Runs
			return []pipeline.Running{run}
		}
	}
	if !asked && !r.knows(cluster.Integration) || said.Integration.State != "" && r.wordOn(a).State == "" {
		return nil
	}
	return []pipeline.Running{r.saying(run, w)}
}

// runsOnLive is what live runs by its own newest word, and what it selects where that is another.
func (r *reading) runsOnLive() (all []pipeline.Running) {
	w, tells := r.liveWord()
	applied, told := r.applied()
	if !tells && !told {
		return nil
	}
	run := pipeline.Running{Cluster: string(cluster.Live)}
	switch fails := r.failing(cluster.Live); {
	case fails != nil:
		has := r.fetchedBy(cluster.Live)
		run.Version, run.Digest, run.Commit, run.State, run.Says = has.Tag, has.Digest, r.commitOf(has.Digest), pipeline.Fails, fails.Message
	case applied.Digest != "" && !w.At.After(applied.At):
		run.Version, run.Digest, run.Commit, run.State = applied.Tag, applied.Digest, r.commitOf(applied.Digest), pipeline.Runs
	case w.State != "":
		d := r.about(w)
		run.Version, run.Digest, run.Commit = cmp.Or(w.Tag, r.stableOf(d)), d, w.Commit
		run = r.saying(run, w)
	}
	if run.State != "" {
		all = append(all, run)
	}
	if a := r.artifacts[r.selected.Live]; a != nil && a.Desc.Digest != run.Digest {
		all = append(all, pipeline.Running{Cluster: run.Cluster, Version: r.selected.Live, Digest: a.Desc.Digest, Commit: a.Revision.Commit, State: pipeline.Applying})
	}
	return all
}

// saying is how far a cluster is by its word.
func (r *reading) saying(run pipeline.Running, w Word) pipeline.Running {
	switch run.State, run.Says = pipeline.Applying, cmp.Or(w.Description, w.State); {
	case w.Healthy:
		run.State = pipeline.Runs
	case w.bad():
		run.State = pipeline.Fails
	}
	return run
}

// failing is what a cluster in that role says of a Kustomization of the repository that is not
// healthy; nil for nothing.
func (r *reading) failing(role cluster.Role) *pipeline.Finding {
	return r.clusterError(role, func(f pipeline.Finding) bool { return f.Code == "kustomization-failing" })
}

// fetchedBy is what a cluster in that role has fetched; zero for nothing.
func (r *reading) fetchedBy(role cluster.Role) cluster.Revision {
	for _, s := range r.States {
		if got, ok := s.Fetched(role, r.registry(role), r.Gate); ok {
			return got
		}
	}
	return cluster.Revision{}
}

// commitOf is the commit of an artifact that was read; empty for none.
func (r *reading) commitOf(d digest.Digest) string {
	for _, a := range r.artifacts {
		if a != nil && a.Desc.Digest == d {
			return a.Revision.Commit
		}
	}
	return ""
}

// arrivals are the stables that live reported healthy within a day, the oldest first. Without
// statuses that is what the cluster itself says.
func (r *reading) arrivals() (all []pipeline.Arrival) {
	for _, tag := range r.stables() {
		at, healthy := r.arrivedAt(tag)
		if !healthy || r.Now.Sub(at) >= recently {
			continue
		}
		arrival := pipeline.Arrival{Version: tag, Commit: r.artifacts[tag].Revision.Commit, Rollback: r.wentBack[tag], At: at}
		previous, known := r.previousOf(tag, at, r.wentBack[tag])
		if !known || !full(arrival.Commit) {
			continue
		}
		if a := r.artifacts[previous]; a != nil {
			arrival.Previous, arrival.PreviousCommit = previous, a.Revision.Commit
		}
		all = append(all, arrival)
	}
	slices.SortStableFunc(all, func(a, b pipeline.Arrival) int { return a.At.Compare(b.At) })
	return all
}

// arrivedAt is when live reported a stable healthy.
func (r *reading) arrivedAt(tag string) (at time.Time, healthy bool) {
	a := r.artifacts[tag]
	if a == nil {
		return time.Time{}, false
	}
	if r.askedLive() {
		w := r.reportOf(tag)
		return w.At, w.Healthy
	}
	applied, _ := r.applied()
	return applied.At, applied.Tag == tag && applied.Digest == a.Desc.Digest && !applied.At.IsZero()
}

// reportOf is live's word on a stable: under its own tag or, where live names no artifacts, on the
// only stable of its commit. Its state is empty for none.
func (r *reading) reportOf(tag string) (w Word) {
	a := r.artifacts[tag]
	if a == nil {
		return Word{}
	}
	alone := len(r.versionsOf(a.Desc.Digest).Stables) == 1 && r.onlyOf(a.Revision.Commit) != nil
	for _, said := range r.heard.live[a.Revision.Commit] {
		named := said.Digest == a.Desc.Digest && said.Tag == tag
		if (named || alone && said.Digest == "") && (w.State == "" || said.At.After(w.At)) {
			w = said
		}
	}
	return w
}

// previousOf is what live ran before it had a stable: the highest lower one that it reported
// healthy sooner or, where it went back, that it failed with; by the cluster alone, the next lower
// one. Empty where there was none. It is not known where none of the lower ones was read or
// reported: the reports may have begun with this one.
func (r *reading) previousOf(tag string, before time.Time, back bool) (previous string, known bool) {
	read := r.stables()
	lower := read[slices.Index(read, tag)+1:]
	complete := len(read) == len(r.snap.Ladder.Stables)
	if len(lower) == 0 {
		return "", complete
	}
	if !r.askedLive() {
		return lower[0], true
	}
	reported := false
	for _, tag := range lower {
		w := r.reportOf(tag)
		if w.State == "" || !w.At.Before(before) {
			continue
		}
		if w.Healthy || back && w.bad() {
			return tag, true
		}
		reported = true
	}
	return "", reported && complete
}

// readRollbacks asks whether live went back with what arrived lately.
func (r *reading) readRollbacks(ctx context.Context) error {
	for _, tag := range r.stables() {
		if at, healthy := r.arrivedAt(tag); !healthy || r.Now.Sub(at) >= recently {
			continue
		}
		s, err := version.ParseStable(tag)
		if err != nil {
			return err
		}
		back := false
		known, err := r.rule(ctx, fewStables, func(l *version.Ladder) (need version.Need) {
			back, need = l.Rollback(s)
			return need
		})
		if err != nil {
			return err
		}
		r.wentBack[tag] = known && back
	}
	return nil
}
