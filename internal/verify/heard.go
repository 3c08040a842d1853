package verify

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/version"
)

// heard is what the git repository's host answered. What is not in it was not asked, or got
// no answer; that is in unread.
type heard struct {
	head       string          // newest commit of the default branch that touches the path
	headAt     time.Time       // when it was committed
	contained  map[string]bool // commits that the highest candidate's contains
	words      map[digest.Digest]Words
	live       map[string][]Word // by commit, what live said of its artifacts; of a commit that was not asked it has no key
	runs       map[string]runs   // by commit, those that may have built it
	promotions runs              // nil for not asked
	cut        bool              // there are older promotions than those, and since the time that was asked for
	steps      map[int64]string  // of failed runs, where they failed
	answers    int               // questions that were answered
	unread     []error
	orderLost  bool // the order of two commits is in unread, and no other is asked for
}

// question is one request to the host, which may fail by itself.
type question func(ctx context.Context) (answer func(*heard), err error)

// ask asks questions at once, and keeps what got no answer as such. It fails only when the
// run is cancelled.
func (r *reading) ask(ctx context.Context, questions ...question) error {
	var (
		mu sync.Mutex
		g  errgroup.Group
	)
	g.SetLimit(8)
	errs := make([]error, len(questions))
	for i, q := range questions {
		g.Go(func() error {
			answer, err := q(ctx)
			mu.Lock()
			defer mu.Unlock()
			if errs[i] = err; err == nil {
				r.heard.answers++
				answer(&r.heard)
			}
			return nil
		})
	}
	_ = g.Wait() // the errors are answers, in their order
	for _, err := range errs {
		if err != nil {
			r.heard.unread = append(r.heard.unread, err)
		}
	}
	return ctx.Err()
}

// deaf reports whether nobody could be asked: no host, or one that answered nothing.
func (r *reading) deaf() bool {
	return r.Host == nil || len(r.heard.unread) > 0 && r.heard.answers == 0
}

// notKnown reports whether it is not known that all is well: nobody could be asked, and either somebody should have been, or
// the registry alone does not tell how far the commit came. Whether live runs it the host of the git repository need not know.
func (r *reading) notKnown(path []pipeline.Step) bool {
	return r.deaf() && (r.Host != nil || slices.ContainsFunc(path, func(s pipeline.Step) bool {
		return s.State == pipeline.Unknown && s.Stage != pipeline.RunningOnLive
	}))
}

// askHost asks, in two rounds, what the registry cannot tell.
func (r *reading) askHost(ctx context.Context) error {
	if r.Host == nil {
		return nil
	}
	if s := &r.subject; s.artifact == nil && s.commit != "" && !full(s.commit) {
		err := r.ask(ctx, func(ctx context.Context) (func(*heard), error) {
			commit, err := r.Host.Full(ctx, s.commit)
			return func(*heard) { s.commit = cmp.Or(commit, s.commit) }, err
		})
		if err != nil {
			return err
		}
	}
	first := []question{r.askHead}
	if full(r.subject.commit) {
		first = append(first, r.askBuilds(r.subject.commit))
	}
	if a := r.artifacts[r.oldestWaiting()]; a != nil && a.Revision.Commit != "" && a.Revision.Commit != r.subject.commit {
		first = append(first, r.askBuilds(a.Revision.Commit))
	}
	for _, a := range r.reportedOn() {
		first = append(first, r.askWords(a))
	}
	if err := r.ask(ctx, first...); err != nil {
		return err
	}
	if err := r.readHead(ctx); err != nil {
		return err
	}
	return r.ask(ctx, r.followUps()...)
}

// reportedOn are the artifacts whose words matter, each once: the subject, the oldest that waits,
// what integration selects, the stable where it tells since when something waits, and the stables
// that live may have reported.
func (r *reading) reportedOn() (all []*pipeline.Artifact) {
	oldest := r.oldestWaiting()
	asked := []*pipeline.Artifact{r.subject.artifact, r.artifacts[oldest], r.artifacts[r.selected.Integration]}
	if r.isRescue(oldest) || r.isRescue(r.subject.candidate) || r.States != nil { // since when it waits, or live is behind
		asked = append(asked, r.stable.artifact)
	}
	if r.LiveContext != "" {
		for _, tag := range r.stables() {
			asked = append(asked, r.artifacts[tag])
		}
	}
	for _, a := range asked {
		if a != nil && a.Revision.Commit != "" && !slices.ContainsFunc(all, func(b *pipeline.Artifact) bool { return b.Desc.Digest == a.Desc.Digest }) {
			all = append(all, a)
		}
	}
	return all
}

// readHead reads what the newest commit's tags name, where no candidate that was read does: it
// may have lost its number.
func (r *reading) readHead(ctx context.Context) error {
	commit := r.heard.head
	tag := r.commitTag(pipeline.SHAPrefix, commit)
	if commit == "" || commit == r.subject.commit || r.isNumbered(commit) || !r.snap.Has(tag) {
		return nil
	}
	if err := r.inspectAll(ctx, []string{tag}); err != nil {
		return err
	}
	r.head = r.artifacts[tag]
	return r.judge(ctx, r.head)
}

// followUps are the questions that the first answers raise.
func (r *reading) followUps() (next []question) {
	h := r.heard
	newest := r.newestCommit()
	if h.head != "" && !r.isBuilt(h.head) {
		if newest != "" {
			next = append(next, r.askContained(newest, h.head))
		}
		if h.head != r.subject.commit {
			next = append(next, r.askBuilds(h.head))
		}
	}
	if s := r.subject; s.artifact == nil && full(s.commit) && s.commit != h.head && newest != "" {
		next = append(next, r.askContained(newest, s.commit))
	}
	if since, ok := r.promotionsSince(); ok {
		next = append(next, r.askPromotions(since))
	}
	return next
}

// promotionsSince is since when promotions matter: those of the last hour, all since integration's
// report of what has no stable, and those since that of the subject where it was promoted lately.
// Not ok where none does.
func (r *reading) promotionsSince() (since time.Time, ok bool) {
	since, ok = r.Now.Add(-repeatsWithin), len(r.announced()) > 0
	for _, a := range []*pipeline.Artifact{r.subject.artifact, r.artifacts[r.oldestWaiting()]} {
		if a == nil || !r.wordOn(a).Healthy {
			continue
		}
		ok = true
		at := r.wordOn(a).At
		if r.isStable(a) {
			at = r.heard.words[a.Desc.Digest].Proven.Add(-time.Minute)
		}
		if lately := r.Now.Sub(at) < recently; at.Before(since) && (lately || !r.isStable(a)) {
			since = at
		}
	}
	return since, ok
}

func full(commit string) bool { return len(commit) == 40 }

// newestCommit is the commit of the highest candidate that can be read.
func (r *reading) newestCommit() string {
	if a := r.newest(); a != nil {
		return a.Revision.Commit
	}
	return ""
}

// isBuilt reports whether a commit has an artifact, whatever the length of its tags and
// whichever tool made its candidate.
func (r *reading) isBuilt(commit string) bool {
	return r.snap.Has(r.commitTag(pipeline.SHAPrefix, commit)) || r.snap.Has(r.commitTag(pipeline.IntegrationPrefix, commit)) || r.isNumbered(commit)
}

// isNumbered reports whether a candidate that was read is of a commit.
func (r *reading) isNumbered(commit string) bool {
	return slices.ContainsFunc(r.snap.Ladder.Candidates, func(c version.Candidate) bool {
		a := r.artifacts[c.String()]
		return a != nil && a.Revision.Commit == commit
	})
}

func (r *reading) askHead(ctx context.Context) (func(*heard), error) {
	head, at, err := r.Host.Head(ctx, r.Path)
	return func(h *heard) { h.head, h.headAt = head, at }, err
}

func (r *reading) askWords(a *pipeline.Artifact) question {
	commit := a.Revision.Commit
	return func(ctx context.Context) (func(*heard), error) {
		w, err := r.Host.Words(ctx, commit, a.Desc.Digest)
		return func(h *heard) { h.words[a.Desc.Digest], h.live[commit] = w, w.Live }, err
	}
}

// askBuilds asks for the runs on a commit and, where the likeliest build failed, at which step.
func (r *reading) askBuilds(commit string) question {
	return func(ctx context.Context) (func(*heard), error) {
		found, err := r.Host.Builds(ctx, commit)
		if err != nil {
			return nil, err
		}
		run, failed := runs(found).failed()
		step := ""
		if failed && run.Done && !r.isBuilt(commit) {
			if step, err = r.Host.FailedStep(ctx, run); err != nil {
				step = fmt.Sprintf("a step that cannot be read (%s)", pipeline.WithHint(err))
			}
		}
		return func(h *heard) {
			h.runs[commit] = found
			if step != "" {
				h.steps[run.ID] = step
			}
		}, nil
	}
}

// askContained asks whether newer, the highest candidate's commit, contains another one.
func (r *reading) askContained(newer, commit string) question {
	return func(ctx context.Context) (func(*heard), error) {
		word, err := r.Host.Compare(ctx, newer, commit)
		return func(h *heard) { h.contained[commit] = version.Relation(word) == version.Ahead }, err
	}
}

func (r *reading) askPromotions(since time.Time) question {
	return func(ctx context.Context) (func(*heard), error) {
		found, err := r.Host.Promotions(ctx, since)
		return func(h *heard) {
			h.promotions, h.cut = append(runs{}, runs(found).promotions()...), len(found) >= mostRuns
		}, err
	}
}
