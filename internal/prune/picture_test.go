package prune

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
	"github.com/oci-promote/oci-promote/internal/version"
)

// picture is all that is true of a repository, asked tag by tag.
type picture struct {
	tags     map[string]string
	there    map[digest.Digest]bool // artifacts, and what is attached
	selected pipeline.Selected
	rules    map[string]string // what the rules of the ladder say, by question
}

func (l *life) picture() picture {
	l.t.Helper()
	p := picture{tags: pipelinetest.Tags(l.t, l.Shelf), there: map[digest.Digest]bool{}, rules: map[string]string{}}
	for _, of := range [][]digest.Digest{slices.Collect(maps.Keys(l.made)), slices.Collect(maps.Keys(l.hung))} {
		for _, d := range of {
			p.there[d] = l.has(l.t, d)
		}
	}
	p.selected = *pipelinetest.Clusters().Selected(slices.Collect(maps.Keys(p.tags)))
	l.askRules(p)
	return p
}

// askRules asks what is due, which stable is a rollback, and of each artifact whether it may go live yet, by itself.
func (l *life) askRules(p picture) {
	store := &pipeline.Store{Repo: l.Shelf, Name: pipelinetest.Name, Warn: l.t.Logf}
	if l.past != nil {
		store.History = l.past
	}
	now := l.list(l.store)
	ask := func(what string, rule func(*version.Ladder) (string, version.Need)) {
		var answer string
		err := store.Ask(l.t.Context(), now, func(ladder *version.Ladder) (need version.Need) {
			answer, need = rule(ladder)
			return need
		})
		if err != nil {
			l.t.Error(err)
		}
		p.rules[what] = answer
	}
	ask("due", func(ladder *version.Ladder) (string, version.Need) {
		to, a, from, due, need := ladder.Due()
		return fmt.Sprint(to, from, due, a.Digest), need
	})
	for _, s := range now.Ladder.Stables {
		ask(rollback+s.String(), func(ladder *version.Ladder) (string, version.Need) {
			back, need := ladder.Rollback(s)
			return fmt.Sprint(back), need
		})
	}
	for d := range l.made {
		if !p.there[d] {
			continue
		}
		a := pipelinetest.Must(store.ReadDigest(l.t.Context(), d)).Known()
		s, ok := now.Ladder.Stable()
		if !ok {
			continue
		}
		live := pipelinetest.Must(store.Read(l.t.Context(), s.String())).Known()
		ask("goes live "+d.String(), func(ladder *version.Ladder) (string, version.Need) {
			newer, need := ladder.Newer(a, live)
			if !newer || !need.None() {
				return "is old", need
			}
			held, need := ladder.HeldBack(a)
			return fmt.Sprint(!held), need
		})
	}
}

// rollback begins the questions whose answers may differ while a stable waits for the next run to be deleted.
const rollback = "is a rollback: "

// compareRollbacks holds a repository after some prunes, after which nothing is left, against what it was before them.
func (l *life) compareRollbacks(before, after picture) {
	l.t.Helper()
	for what, answer := range after.rules {
		if before.rules[what] != answer && strings.HasPrefix(what, rollback) {
			l.t.Errorf("%s was %s, and is %s", what, before.rules[what], answer)
		}
	}
}

// compare holds a repository after a prune against what it was before.
func (l *life) compare(p Prune, before, after picture, r pipeline.Report) {
	l.t.Helper()
	if before.selected != after.selected {
		l.t.Errorf("selected was %v and is %v", before.selected, after.selected)
	}
	for tag, d := range before.tags {
		if here, known := after.there[digest.Digest(d)]; known && here != (after.tags[tag] == d) || after.tags[tag] != "" && after.tags[tag] != d {
			l.t.Errorf("tag %s was on %s, which is there: %v, and is on %q", tag, l.name(d), here, l.name(after.tags[tag]))
		}
	}
	for d, why := range l.mustStay(p, before) {
		if !l.has(l.t, d) {
			l.t.Errorf("%s is gone: %s", l.name(d.String()), why)
		}
	}
	for what, answer := range after.rules {
		if before.rules[what] != answer && !strings.HasPrefix(what, rollback) {
			l.t.Errorf("%s was %s, and is %s", what, before.rules[what], answer)
		}
	}
	l.compareAttached(before, after)
	kept, gone := 0, 0
	for d := range l.made {
		if after.there[d] {
			if len(l.tagsOf(l.t.Context(), d)) > 0 { // a killed build may leave one without a tag, which nobody can list
				kept++
			}
		} else if before.there[d] {
			gone++
		}
	}
	if gone != r.Retention.Deleted || r.Retention.Kept < kept {
		l.t.Errorf("%d are gone and %d there, told are %d and %d", gone, kept, r.Retention.Deleted, r.Retention.Kept)
	}
}

// mustStay is what the rules keep that need no ladder, read by somebody who knows what was done.
func (l *life) mustStay(p Prune, now picture) map[digest.Digest]string {
	stay := map[digest.Digest]string{}
	ladder := version.Read(slices.Collect(maps.Keys(now.tags)))
	for i, s := range pipeline.Descending(ladder.Stables) {
		if i < p.KeepStables {
			stay[digest.Digest(now.tags[s])] = "it is " + s
		}
	}
	if c, ok := ladder.Newest(); ok {
		stay[digest.Digest(now.tags[c.String()])] = "it is the newest candidate"
	}
	for tag, d := range now.tags {
		_, attached := subjectOf(tag)
		stable := slices.ContainsFunc(slices.Collect(maps.Keys(now.tags)), func(other string) bool { return pipeline.IsStable(other) && now.tags[other] == d })
		switch {
		case tag == now.selected.Integration || tag == now.selected.Live:
			stay[digest.Digest(d)] = "it is selected"
		case !pipeline.IsStable(tag) && !pipeline.IsCandidate(tag) && !isCommitTag(tag) && !attached:
			stay[digest.Digest(d)] = "it has the tag " + tag
		case pipeline.IsCommitTag(pipeline.ValidatedPrefix, tag) && !stable:
			stay[digest.Digest(d)] = "it is in flight"
		}
	}
	for d, n := range l.made {
		switch created := pipelinetest.Epoch.Add(time.Duration(n) * time.Minute); {
		case !now.there[d]:
		case p.Now.Sub(created) < p.KeepFor:
			stay[d] = "it is young"
		case l.listed[d]:
			stay[d] = "it is listed"
		case p.Running[d] != "":
			stay[d] = "it is running"
		}
	}
	return stay
}

// compareAttached wants what is attached to something that is there to be there, and what is attached to what is gone to be
// gone, but where something else has it too.
func (l *life) compareAttached(before, after picture) {
	l.t.Helper()
	for x, subjects := range l.hung {
		kept := slices.DeleteFunc(slices.Clone(subjects), func(d digest.Digest) bool { return !after.there[d] })
		switch {
		case !before.there[x]:
		case len(kept) > 0 && !after.there[x]:
			l.t.Errorf("%s is gone, which is attached to %s", l.name(x.String()), l.name(kept[0].String()))
		case len(subjects) == 1 && len(kept) == 0 && after.there[x]:
			l.t.Errorf("%s is there, and was attached to %s, which is gone", l.name(x.String()), l.name(subjects[0].String()))
		}
	}
}
