package prune

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oci-promote/oci-promote/internal/build"
	"github.com/oci-promote/oci-promote/internal/bundle"
	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
	"github.com/oci-promote/oci-promote/internal/promote"
	"github.com/oci-promote/oci-promote/internal/version"
)

var (
	lives = flag.Int("lives", 25, "how many lives TestLives tells")
	first = flag.Int("first-life", 0, "the seed of the first of them")
)

// TestLives tells random lives of a pipeline: builds, some of them twice or of another tool; promotions, late and out of
// order, and some killed; rollbacks by hand to anything; tags and indexes of other people; signatures and referrers; and
// between all that prunes of all kinds. Beside it a twin lives the same life without prunes. After each prune:
//
//   - what each cluster selects, what a rule keeps, and all that is attached to it, is as it was, with all its tags;
//   - what is gone is gone with all its tags, and with what was attached to it alone;
//   - what is due, and what may go live, is the same as before; so is, when all is done, which stable is a rollback;
//   - the next prunes come to an end, after which one more finds nothing.
//
// And after each step the twin has the same artifact for each version, and had the same outcome.
func TestLives(t *testing.T) {
	rounds := *lives
	if testing.Short() {
		rounds = min(rounds, 10)
	}
	deleted := 0
	for seed := range rounds {
		if t.Failed() {
			break
		}
		synctest.Test(t, func(t *testing.T) { deleted += tell(t, uint64(*first+seed)) })
	}
	t.Logf("%d artifacts were deleted in %d lives", deleted, rounds)
	if deleted < rounds {
		t.Errorf("%d artifacts deleted in %d lives", deleted, rounds)
	}
}

// life is a repository, and its twin that nobody prunes.
type life struct {
	*store
	t       *testing.T
	twin    *store
	dice    *rand.Rand
	past    build.History
	tree    tree
	commits int
	foreign int // so many of them are of another tool
	idle    time.Duration
	made    map[digest.Digest]int             // artifacts, by which commit
	hung    map[digest.Digest][]digest.Digest // what is attached, to what
	listed  map[digest.Digest]bool            // by an index
	lines   []string
	gone    map[digest.Digest]bool // what was deleted; a build may make it again, byte for byte
	deleted int
}

// tree is a history of numbered commits: each one's parent.
type tree map[int]int

func (h tree) Compare(_ context.Context, commit, base string) (string, error) {
	n, m := h.number(commit), h.number(base)
	switch {
	case n == m:
		return "identical", nil
	case h.leads(m, n):
		return "ahead", nil
	case h.leads(n, m):
		return "behind", nil
	}
	return "diverged", nil
}

func (tree) Messages(context.Context, string, string, string) ([]string, error) { return nil, nil }

func (h tree) number(commit string) int {
	for n := range h {
		if pipelinetest.Commit(n) == commit {
			return n
		}
	}
	return 0
}

func (h tree) leads(from, to int) bool {
	for ; to > 0; to = h[to] {
		if from == to {
			return true
		}
	}
	return false
}

func tell(t *testing.T, seed uint64) int {
	l := &life{
		store: newStore(t, ""), twin: newStore(t, ""), t: t, dice: rand.New(rand.NewPCG(seed, 11)), tree: tree{},
		made: map[digest.Digest]int{}, hung: map[digest.Digest][]digest.Digest{}, listed: map[digest.Digest]bool{}, gone: map[digest.Digest]bool{},
	}
	l.api, l.tells = l.one(2), l.one(2)
	if l.past = l.tree; l.one(5) {
		l.past = nil
	}
	if l.one(4) {
		l.foreign = l.dice.IntN(5)
	}
	for range 20 + l.dice.IntN(30) {
		l.step()
		if t.Failed() {
			break
		}
	}
	for range 3 { // and it goes on
		if !t.Failed() {
			l.build()
			l.event(l.newest())
			l.prune()
		}
	}
	if t.Failed() {
		t.Logf("seed %d, asked: %v, API: %v, tells: %v\n%s\n%v", seed, l.past != nil, l.api, l.tells, strings.Join(l.lines, "\n"), l.tree)
	}
	return l.deleted
}

func (l *life) one(in int) bool { return l.dice.IntN(in) == 0 }

func (l *life) say(format string, args ...any) {
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}

func (l *life) step() {
	switch l.dice.IntN(16) {
	case 0, 1, 2, 3:
		l.build()
	case 4:
		l.buildAgain()
	case 5, 6:
		l.event(l.newest())
	case 7, 8:
		l.event(l.any())
	case 9:
		l.byHand()
	case 10:
		l.tagged()
	case 11:
		l.attached()
	case 12:
		l.idle += time.Duration(l.dice.IntN(20)) * time.Minute
	case 13, 14, 15:
		l.prune()
	}
}

func (l *life) now() time.Time {
	return pipelinetest.Epoch.Add(time.Duration(l.commits)*time.Minute + l.idle)
}

// both does the same to both, which must end alike.
func (l *life) both(what string, do func(*store) string) {
	l.t.Helper()
	here, there := do(l.store), do(l.twin)
	l.say("%s: %s", what, here)
	if here != there {
		l.t.Errorf("%s: %s, and without prunes: %s", what, here, there)
	}
	l.alike()
}

// alike wants each version to name the same in both, and none to be missing but those of what was deleted.
func (l *life) alike() {
	l.t.Helper()
	here, there := pipelinetest.Tags(l.t, l.Shelf), pipelinetest.Tags(l.t, l.twin.Shelf)
	for tag, d := range there {
		if isCommitTag(tag) && l.gone[digest.Digest(d)] {
			continue // the commit's other artifact may have it by now
		}
		if _, attached := subjectOf(tag); here[tag] != d && !attached && (here[tag] != "" || l.has(l.t, digest.Digest(d)) && !l.gone[digest.Digest(d)]) {
			l.t.Errorf("tag %s is on %s, and without prunes on %s", tag, l.name(here[tag]), l.name(d))
		}
	}
	for tag := range here {
		if _, attached := subjectOf(tag); !attached && there[tag] == "" {
			l.t.Errorf("tag %s is there, and not without prunes", tag)
		}
	}
}

// name is how a life calls an artifact.
func (l *life) name(d string) string {
	if n := l.made[digest.Digest(d)]; n > 0 {
		return fmt.Sprintf("%d/%.4s", n, digest.Digest(d).Encoded())
	}
	return strings.TrimPrefix(d, "sha256:")[:min(4, len(d))]
}

func (l *life) list(s *store) pipeline.Snapshot {
	return pipelinetest.Must((&pipeline.Store{Repo: s.Shelf}).List(l.t.Context()))
}

func (l *life) build() {
	if l.commits == 60 {
		return
	}
	l.commits++
	parent := l.commits - 1
	if l.one(6) {
		parent = l.dice.IntN(l.commits)
	}
	l.tree[l.commits] = parent
	if l.commits <= l.foreign {
		l.otherTool()
		return
	}
	l.run(l.commits, "", false)
}

// otherTool is a build without a height, whose number is the next.
func (l *life) otherTool() {
	n := l.commits
	c := version.Candidate{Base: version.Stable{Patch: 1}, N: 1}
	now := l.list(l.store).Ladder
	if s, ok := now.Stable(); ok {
		c.Base = s.Bump(version.Patch)
	}
	if top, open := now.Top(); open {
		c = version.Candidate{Base: top.Base, N: top.N + 1}
	}
	l.both(fmt.Sprintf("another tool builds %d as %s", n, c), func(s *store) string {
		d := s.Pack(l.t, n, fmt.Sprintf("%d*", n))
		l.made[d] = n
		for _, tag := range []string{c.String(), pipeline.SHAPrefix + pipelinetest.Commit(n)[:7], pipeline.IntegrationPrefix + pipelinetest.Commit(n)[:7]} {
			s.tag(l.t, d, tag)
		}
		return l.name(d.String())
	})
}

func (l *life) buildAgain() {
	if l.commits > l.foreign {
		l.run(l.commits, strings.Repeat("'", l.dice.IntN(3)), true)
	}
}

func (l *life) run(n int, more string, overwrite bool) {
	bump := []version.Bump{version.Patch, version.Patch, version.Patch, version.Minor}[l.dice.IntN(4)]
	kill := l.killed("candidate", "commit", "")
	l.both(fmt.Sprintf("build %d%s, killed at %q", n, more, kill), func(s *store) string {
		defer s.killAt(kill)()
		r, err := build.Build{
			Repo: s.Shelf, Name: pipelinetest.Name, Source: pipelinetest.Tree(fmt.Sprint(n, more)), Path: ".", History: l.past,
			Meta: bundle.Metadata{Revision: bundle.Revision{Ref: "main", Commit: pipelinetest.Commit(n)}},
			Origin: func(context.Context) (build.Origin, error) {
				return build.Origin{Height: uint64(n), Created: pipelinetest.Epoch.Add(time.Duration(n) * time.Minute)}, nil
			},
			Initial: version.Stable{Patch: 1}, Clusters: pipelinetest.Clusters(), SHALength: 7, Bump: bump, Overwrite: overwrite,
		}.Run(l.t.Context())
		if err == nil {
			l.made[r.Digest] = n
		}
		for tag, d := range pipelinetest.Tags(l.t, s.Shelf) { // of one that was killed
			if digest.Digest(d) != "" && l.made[digest.Digest(d)] == 0 && strings.HasSuffix(tag, fmt.Sprintf("-rc.%d", n)) {
				l.made[digest.Digest(d)] = n
			}
		}
		return l.told(r, err)
	})
}

// killed is at the write of which tag a run is killed; "-" for none, and "" for whichever it writes first.
func (l *life) killed(at ...string) string {
	if l.one(4) {
		return at[l.dice.IntN(len(at))]
	}
	return "-"
}

var errKilled = errors.New("killed")

// killAt has the write of some kind of tag fail.
func (s *store) killAt(kind string) (again func()) {
	s.Before = func(tag string) error {
		commit := strings.HasPrefix(tag, pipeline.SHAPrefix) || strings.HasPrefix(tag, pipeline.IntegrationPrefix) // which are written at once
		if kind == "commit" && commit || kind == "stable" && pipeline.IsStable(tag) || kind == "candidate" && pipeline.IsCandidate(tag) || kind != "-" && strings.HasPrefix(tag, kind) {
			return errKilled
		}
		return nil
	}
	return func() { s.Before = nil }
}

func (l *life) told(r pipeline.Report, err error) string {
	var refused *pipeline.Refusal
	switch {
	case errors.As(err, &refused):
		return "refused"
	case errors.Is(err, errKilled):
		return "killed"
	case err != nil:
		l.t.Error(err)
	}
	if r.Outcome == pipeline.Unchanged {
		r.Version = "" // of some that name it a run tells one
	}
	return fmt.Sprintf("%s %s %s %s", r.Outcome, r.Version, r.Candidate, l.name(r.Digest.String()))
}

// any is an artifact that is there.
func (l *life) any() digest.Digest {
	var there []digest.Digest
	for d := range l.made {
		if l.has(l.t, d) {
			there = append(there, d)
		}
	}
	if len(there) == 0 {
		return ""
	}
	slices.SortFunc(there, func(a, b digest.Digest) int { return cmp.Or(cmp.Compare(l.made[a], l.made[b]), cmp.Compare(a, b)) })
	return there[l.dice.IntN(len(there))]
}

// newest is what integration selects.
func (l *life) newest() digest.Digest {
	tag := pipelinetest.Clusters().Integration.Select(l.list(l.store).Tags)
	d := digest.Digest(pipelinetest.Tags(l.t, l.Shelf)[tag])
	if l.made[d] == 0 {
		return ""
	}
	return d
}

func (l *life) event(d digest.Digest) {
	if d != "" {
		l.promote(d, nil)
	}
}

func (l *life) byHand() {
	d := l.any()
	if d == "" {
		return
	}
	m := &promote.Manual{Next: true, Unvalidated: true}
	if l.one(2) {
		top, _ := l.list(l.store).Ladder.Stable()
		m = &promote.Manual{Version: top.Bump(version.Bump(l.dice.IntN(2))), Unvalidated: true}
	}
	l.promote(d, m)
}

func (l *life) promote(d digest.Digest, m *promote.Manual) {
	kill := l.killed("validated-", "stable")
	l.both(fmt.Sprintf("promote %s, by hand: %v, killed at %q", l.name(d.String()), m, kill), func(s *store) string {
		defer s.killAt(kill)()
		p := promote.Promotion{
			Repo: s.Shelf, Name: pipelinetest.Name, Manual: m, SHALength: 7, Clusters: pipelinetest.Clusters(),
			Subject: &promote.Subject{Digest: d, Commit: pipelinetest.Commit(l.made[d]), Proven: m == nil, Because: "because"},
		}
		if l.past != nil {
			p.History = l.past
		}
		r, err := p.Run(l.t.Context())
		return l.told(r, err)
	})
}

// tagged moves somebody's tag to an artifact, or has somebody's index list one.
func (l *life) tagged() {
	d := l.any()
	if d == "" {
		return
	}
	if l.one(5) {
		l.listed[d] = true
		l.both("an index", func(s *store) string {
			s.index(l.t, "all"+d.Encoded()[:4], ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: d, Size: 1})
			return l.name(d.String())
		})
		return
	}
	tag := []string{"latest", "prod", "0.0.1-dev", "v0.0.1", "v9.0.0", "9.9.9-beta.1"}[min(l.dice.IntN(12), 5)]
	if strings.HasPrefix(tag, "9") || strings.HasPrefix(tag, "v9") {
		if !l.one(4) {
			tag = "latest"
		}
	}
	l.both("tag "+tag, func(s *store) string { s.tag(l.t, d, tag); return l.name(d.String()) })
}

// attached attaches something to an artifact, or to what is attached.
func (l *life) attached() {
	d := l.any()
	for _, x := range slices.Sorted(maps.Keys(l.hung)) {
		if l.one(8) && l.has(l.t, x) {
			d = x
		}
	}
	if d == "" {
		return
	}
	var x digest.Digest
	switch text := fmt.Sprint(len(l.lines)); l.dice.IntN(4) {
	case 0:
		x = l.sign(l.t, d, "sig", "signature of "+d.String())
	case 1:
		x = l.sign(l.t, d, "sbom", "a bill that is the same for all")
	case 2:
		x = l.attach(l.t, d, text)
		l.attachedTo(l.attach(l.t, x, "on "+text), x)
	case 3:
		x = l.attach(l.t, d, text)
	}
	l.attachedTo(x, d)
}

func (l *life) attachedTo(x, d digest.Digest) {
	l.say("%s is attached to %s", l.name(x.String()), l.name(d.String()))
	if !slices.Contains(l.hung[x], d) {
		l.hung[x] = append(l.hung[x], d)
	}
}

// prune prunes until nothing is left, and once more.
func (l *life) prune() {
	p := keeping(l.store)
	p.Apply, p.Now, p.History = true, l.now(), nil
	if l.past != nil {
		p.History = l.past
	}
	p.KeepStables, p.KeepFor, p.MaxDeletes = 1+l.dice.IntN(5), time.Duration(l.dice.IntN(30))*time.Minute, 1+l.dice.IntN(6)
	if d := l.any(); d != "" && l.one(3) {
		p.Running = map[digest.Digest]string{d: "live"}
	}
	before := l.picture()
	for range 100 {
		r, ok := l.pruneOnce(p)
		switch {
		case l.t.Failed() || !ok:
			return
		case r.Retention.Left == 0:
			l.compareRollbacks(before, l.picture())
			l.requests = nil
			if again, _ := l.pruneOnce(p); again.Outcome != pipeline.Unchanged || l.count("delete") > 0 {
				l.t.Errorf("once more: %s (%s), %q", again.Outcome, again.Reason, l.requests)
			}
			return
		case r.Retention.Deleted == 0:
			l.t.Errorf("nothing deleted, and %d left", r.Retention.Left)
		}
	}
	l.t.Error("prunes have no end")
}

func (l *life) pruneOnce(p Prune) (pipeline.Report, bool) {
	before := l.picture()
	r, err := p.Run(l.t.Context())
	after := l.picture()
	var refused *pipeline.Refusal
	if errors.As(err, &refused) && p.History == nil && maps.Equal(before.tags, after.tags) {
		l.say("prune: refused: %v", err)
		return r, false
	}
	if err != nil {
		l.t.Error(pipeline.WithHint(err))
		return r, false
	}
	l.say("prune, keep %d stables, for %s, delete %d at most: %s (%s), left %d", p.KeepStables, p.KeepFor, p.MaxDeletes, r.Outcome, r.Reason, r.Retention.Left)
	for _, x := range r.Retention.Delete {
		l.gone[x.Digest] = l.gone[x.Digest] || x.State == pipeline.PrunedDeleted
		l.say("  %s %s %s: %s", x.State, l.name(x.Digest.String()), x.Version, x.Reason)
	}
	l.deleted += r.Retention.Deleted
	l.compare(p, before, after, r)
	return r, true
}
