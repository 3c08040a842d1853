package prune

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// maxKept bounds how many artifacts that turn out to stay make room for others in one run.
const maxKept = 200

// apply deletes what goes. What turns out to stay makes room for what is next: the oldest that nobody can delete, as GitHub
// refuses what was downloaded too often (docs/facts.md 39), would hold up each run for ever.
func (r *run) apply(ctx context.Context, f *facts, p plan) error {
	d := &deletion{run: r, facts: f, known: map[string]bool{}}
	for _, tag := range slices.Concat(f.now.Tags, f.empty) {
		d.known[tag] = true
	}
	for {
		kept, err := d.all(ctx, p.goes)
		if err != nil || d.stopped {
			return err
		}
		if kept == 0 || p.left == 0 || d.kept >= maxKept {
			break
		}
		r.MaxDeletes = kept
		if p, err = r.plan(ctx, f); err != nil {
			return err
		}
		r.tellMore(f, p)
	}
	_, err := d.listAgain(ctx)
	return err
}

// all deletes the last of those in the report, the oldest first. Each is looked at again, with all its tags and what hangs
// on it; and then the tags are listed again: one that is new means that a build or a promotion is under way, and ends the run.
func (d *deletion) all(ctx context.Context, goes []*item) (kept int, err error) {
	told := d.report.Retention.Delete
	told = told[len(told)-len(goes):]
	for i, it := range goes {
		d.progress("deleting", len(d.tried), len(d.tried)+len(goes)-i)
		if err := d.one(ctx, it, &told[i]); err != nil {
			return kept, fmt.Errorf("deleting %s (%s) of %s: %w", it.version(), it.Digest, d.Name, err)
		}
		if d.stopped {
			break
		}
		d.tried = append(d.tried, it)
		if told[i].State == pipeline.PrunedKept {
			kept++
		}
	}
	d.kept += kept
	return kept, nil
}

// stop says that somebody else writes.
func (r *run) stop(fresh []string) {
	const most = 3
	slices.Sort(fresh)
	text := strings.Join(fresh[:min(most, len(fresh))], ", ")
	r.report.Warn("stopped: a build or a promotion is under way beside this run (new since it began: %s); the next run goes on", text)
}

// deletion is the applying of a plan.
type deletion struct {
	*run
	*facts
	known   map[string]bool // the tags that were there when the plan was made, without those that are gone
	gone    []string        // the tags of what was deleted, as long as no list is without them
	stopped bool            // somebody else writes
	kept    int             // artifacts that turned out to stay
}

// listAgain lists until no tag of what was deleted is left, for some 20 s. A registry that never comes to that did not delete
// it, or would have its list full of tags that name nothing.
func (d *deletion) listAgain(ctx context.Context) (now pipeline.Snapshot, err error) {
	for range 3 {
		var without bool
		if now, without, err = d.store.ListWithout(ctx, d.gone); err != nil {
			return now, err
		}
		if without {
			d.forget()
			return now, nil
		}
		named, err := d.store.Resolve(ctx, d.gone[slices.IndexFunc(d.gone, now.Has)])
		if err != nil {
			return now, err
		}
		if named != "" { // no list that lags
			break
		}
	}
	return now, pipeline.Refuse("run again in some minutes, nothing has to be undone; if it stays so, this registry keeps the tags of what is deleted: clean up there in its own way",
		"%s took the deletion of tag %q with its artifact, and lists it on", d.Name, d.gone[slices.IndexFunc(d.gone, now.Has)])
}

// forget is of the tags that are gone: one that is there again is new.
func (d *deletion) forget() {
	for _, tag := range d.gone {
		delete(d.known, tag)
	}
	d.gone = nil
}

// alone reports whether nobody has written a tag since the plan was made; else the run stops.
func (d *deletion) alone(ctx context.Context) (bool, error) {
	now, err := d.listAgain(ctx)
	if err != nil {
		return false, err
	}
	if fresh := d.fresh(now); len(fresh) > 0 {
		d.stopped = true
		d.stop(fresh)
	}
	return !d.stopped, nil
}

// fresh are the tags that were not there when the plan was made, or that somebody has written again.
func (d *deletion) fresh(now pipeline.Snapshot) []string {
	return slices.DeleteFunc(slices.Clone(now.Tags), func(tag string) bool { return d.known[tag] })
}

// one deletes an artifact with what hangs on it, if it is as it was.
func (d *deletion) one(ctx context.Context, it *item, told *pipeline.Pruned) error {
	if changed, err := d.changed(ctx, it); err != nil || changed != "" {
		return d.keep(ctx, told, changed, err)
	}
	if alone, err := d.alone(ctx); err != nil || !alone {
		return err
	}
	for _, x := range d.looked[it.Digest].all {
		if _, err := d.delete(ctx, x.digest, x.tags); err != nil {
			return d.keep(ctx, told, changedIs(err), fmt.Errorf("%s, which is attached to it: %w", x.digest, err))
		}
		d.gone = append(d.gone, x.tags...)
	}
	if len(d.looked[it.Digest].all) > 0 { // which took time
		if changed, err := d.moved(ctx, it); err != nil || changed != "" {
			return d.keep(ctx, told, changed, err)
		}
		if alone, err := d.alone(ctx); err != nil || !alone {
			return err
		}
	}
	gone, err := d.delete(ctx, it.Digest, it.tags)
	if err != nil {
		return d.keep(ctx, told, changedIs(err), err)
	}
	told.State = pipeline.PrunedDeleted
	if gone {
		told.State = pipeline.PrunedGone
	}
	d.gone = append(d.gone, it.tags...)
	return nil
}

// delete deletes a manifest. A run that is told to end lets a deletion that is under way come to its end: a registry that is
// left alone with it, as Distribution 3.1, may leave the tags.
func (d *deletion) delete(ctx context.Context, x digest.Digest, tags []string) (gone bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	const patience = 5 * time.Second
	whole, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(patience, cancel) })()
	return d.Deleter.Delete(whole, x, tags)
}

// keep tells that an artifact stays, which is no error where it has changed; or that it is gone.
func (d *deletion) keep(ctx context.Context, told *pipeline.Pruned, changed string, err error) error {
	if changed == "" {
		return err
	}
	there, err := d.store.Resolve(ctx, told.Digest.String())
	switch {
	case err != nil:
		return err
	case there == "":
		told.State = pipeline.PrunedGone
	default:
		told.State, told.Reason = pipeline.PrunedKept, changed
	}
	return nil
}

// changedIs is what has changed, where a Deleter says so; else empty.
func changedIs(err error) string {
	if errors.Is(err, ErrChanged) {
		return err.Error()
	}
	return ""
}

// changed looks at an artifact again, and tells what is not as the plan knew it; empty for nothing.
func (d *deletion) changed(ctx context.Context, it *item) (string, error) {
	if changed, err := d.moved(ctx, it); err != nil || changed != "" {
		return changed, err
	}
	now, err := d.attachedTo(ctx, d.facts, it.Digest)
	if err != nil || now.same(d.looked[it.Digest]) {
		return "", err
	}
	return "what is attached to it has changed", nil
}

// moved looks again at all tags of an artifact, and at those of other people, which may be moved to it, or to what is
// attached to it, at any time, as a tag that named nothing may. Those of the pipeline come with a new one.
func (d *deletion) moved(ctx context.Context, it *item) (string, error) {
	others := slices.Concat(d.others(), d.empty)
	named, err := pipeline.AskAll(ctx, slices.Concat(it.tags, others), d.store.Resolve)
	if err != nil {
		return "", err
	}
	for i, tag := range it.tags {
		if named[i] != it.Digest {
			return fmt.Sprintf("tag %q names %s by now", tag, cmp.Or(named[i], "nothing")), nil
		}
	}
	attached := d.looked[it.Digest].digests()
	for i, tag := range others {
		at := named[len(it.tags)+i]
		if at == it.Digest || attached[at] {
			return fmt.Sprintf("tag %q names %s by now", tag, at), nil
		}
	}
	return "", nil
}
