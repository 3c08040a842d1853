package verify

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
	"github.com/oci-promote/oci-promote/internal/version"
)

// line is the pipeline in small: what build and tag write, on a linear history, with the rules
// of the ladder and none of their care for others.
type line struct {
	*shelf
	*pipeline.Store
	digits int // of commit tags
}

func newLine(t *testing.T) *line {
	t.Helper()
	s := newShelf(t, "")
	return &line{s, &pipeline.Store{Repo: s, Name: "registry.test/acme/fleet", History: &told{}, Warn: t.Logf}, 7}
}

// yes asks a rule that says yes or no.
func (l *line) yes(ctx context.Context, now pipeline.Snapshot, rule func(*version.Ladder) (bool, version.Need)) (answer bool) {
	if err := l.Ask(ctx, now, func(l *version.Ladder) (need version.Need) { answer, need = rule(l); return need }); err != nil {
		panic(err)
	}
	return answer
}

// rank is the highest candidate of an artifact; the zero value for none.
func (l *line) rank(ctx context.Context, now pipeline.Snapshot, a *pipeline.Artifact) (c version.Candidate) {
	l.yes(ctx, now, func(l *version.Ladder) (ranked bool, need version.Need) {
		c, ranked, need = l.Rank(a.Known())
		return ranked, need
	})
	return c
}

// build builds the n-th commit. The digest is empty where a newer commit contains it.
func (l *line) build(t *testing.T, n int, bump version.Bump, text string) (digest.Digest, error) {
	t.Helper()
	ctx, a, now := t.Context(), must(l.ReadDigest(t.Context(), l.Pack(t, n, text))), must(l.List(t.Context()))
	if l.yes(ctx, now, func(l *version.Ladder) (bool, version.Need) { _, in, need := l.Containing(a.Known()); return in, need }) {
		return "", nil
	}
	tags := []string{a.Tag(pipeline.SHAPrefix, l.digits), a.Tag(pipeline.IntegrationPrefix, l.digits)}
	if l.rank(ctx, now, a) == (version.Candidate{}) {
		from, next := version.Stable{Patch: 1}, version.Candidate{}
		if s, ok := now.Ladder.Stable(); ok {
			from = s.Bump(bump)
		}
		l.yes(ctx, now, func(l *version.Ladder) (ok bool, need version.Need) {
			next, ok, need = l.Base(from, a.Height, a.Desc.Digest)
			return ok, need
		})
		tags = append([]string{next.String()}, tags...)
	}
	return a.Desc.Digest, l.write(ctx, a, tags...)
}

// promote gives an artifact the stable that rule 6 says or, by hand, another one.
func (l *line) promote(ctx context.Context, d digest.Digest, byHand version.Stable) error {
	now, a := must(l.List(ctx)), must(l.ReadDigest(ctx, d))
	to := l.rank(ctx, now, a).Base
	if s, ok := now.Ladder.Stable(); ok {
		live := must(l.ReadStable(ctx, now)).Known()
		newer := l.yes(ctx, now, func(l *version.Ladder) (bool, version.Need) { return l.Newer(a.Known(), live) })
		held := l.yes(ctx, now, func(l *version.Ladder) (bool, version.Need) { return l.HeldBack(a.Known()) })
		top, open := now.Ladder.Top()
		switch {
		case live.Digest == d:
			return l.write(ctx, a) // unchanged, with what is due
		case byHand == version.Stable{} && (!newer || held), !newer && open && top.Base.Compare(byHand) > 0:
			return nil // superseded, or a rollback that would not hold
		case to.Compare(s) <= 0:
			to = s.Bump(version.Patch)
		}
	}
	if byHand != (version.Stable{}) {
		to = byHand
	}
	return l.write(ctx, a, a.Tag(pipeline.ValidatedPrefix, l.digits), to.String())
}

// write writes tags, and what is due then.
func (l *line) write(ctx context.Context, a *pipeline.Artifact, tags ...string) error {
	for _, tag := range tags {
		if err := l.Write(ctx, a, tag); err != nil {
			return err
		}
	}
	_, _, err := l.WriteDue(ctx, must(l.List(ctx)), false)
	return err
}

// story is a pipeline that lives its life: builds, some of them again with other content, promotions, late ones too,
// rollbacks, versions by hand and, once, longer commit tags.
type story struct {
	*rand.Rand
	*line
	digests []digest.Digest
	built   []int
	told    []string
	twice   bool // a commit was built twice
}

// next lets one more thing happen.
func (s *story) next(t *testing.T, n int) {
	t.Helper()
	var err error
	switch roll := s.IntN(20); {
	case roll < 8 || len(s.built) == 0:
		bump := []version.Bump{version.Patch, version.Patch, version.Patch, version.Minor, version.Major}[s.IntN(5)]
		err = s.more(t, n, bump, fmt.Sprint(n))
	case roll < 9:
		s.twice = true
		err = s.more(t, n-1, version.Patch, fmt.Sprint("again ", n))
	case roll < 15:
		err = s.promote(t.Context(), s.digests[max(0, len(s.digests)-1-s.IntN(3))], version.Stable{})
	case roll < 17:
		to := must(must(s.List(t.Context())).Ladder.Following())
		err = s.promote(t.Context(), s.digests[s.IntN(len(s.digests))], to)
	case roll < 19:
		stable, _ := must(s.List(t.Context())).Ladder.Stable()
		to := stable.Bump([]version.Bump{version.Patch, version.Minor}[s.IntN(2)])
		err = s.promote(t.Context(), s.digests[s.IntN(len(s.digests))], to)
	default:
		s.digits = 12
	}
	if err != nil {
		t.Fatal(err)
	}
	s.told = append(s.told, strings.Join(must(s.List(t.Context())).Tags, " "))
}

func (s *story) more(t *testing.T, n int, bump version.Bump, text string) error {
	t.Helper()
	d, err := s.build(t, n, bump, text)
	if d != "" {
		s.digests, s.built = append(s.digests, d), append(s.built, n)
	}
	return err
}

// Whatever builds, promotions, rescues and rollbacks leave behind when none of them is disturbed, verify finds nothing
// wrong with it, for the newest candidate as for any commit; but that a commit which was built twice has two artifacts.
func TestVerifyFindsNothingInAHealthyPipeline(t *testing.T) {
	for seed := range uint64(16) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			s := &story{Rand: rand.New(rand.NewPCG(seed, 4)), line: newLine(t)}
			for n := 1; n <= 16; n++ {
				s.next(t, n)
				for _, commit := range []string{"", pipelinetest.Commit(s.built[s.IntN(len(s.built))])} {
					v := verifyOf(t, s.shelf, &told{}, 0)
					v.Commit, v.Now, v.SHALength = commit, epoch.Add(30*time.Minute), s.digits
					r, err := v.Run(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					for _, f := range r.Findings {
						if known := f.Severity == pipeline.Warning && s.twice && f.Code == pipeline.TagMoved; f.Severity != pipeline.Info && !known {
							t.Errorf("of commit %.7s: %s %s: %s\n%s\n%s", commit, f.Severity, f.Code, f.Message, strings.Join(s.told, "\n"), wholeOf(r))
						}
					}
				}
			}
		})
	}
}

// A build or a promotion that is killed at any write is found when it is late, and not before; the next run mends it, and
// verify is content again.
func TestVerifyFindsWhatWasKilled(t *testing.T) {
	killed := errors.New("killed")
	first := func(t *testing.T, l *line) digest.Digest {
		return must(l.shelf.Resolve(t.Context(), "0.0.1-rc.1")).Digest
	}
	builds := func(t *testing.T, l *line, n int) error {
		_, err := l.build(t, n, version.Patch, fmt.Sprint(n))
		return err
	}
	for _, test := range []struct {
		name string
		run  func(t *testing.T, l *line) error
	}{
		{"build", func(t *testing.T, l *line) error { return builds(t, l, 2) }},
		{"tag", func(t *testing.T, l *line) error { return l.promote(t.Context(), first(t, l), version.Stable{}) }},
	} {
		for after := range 4 {
			t.Run(fmt.Sprint(test.name, " after ", after), func(t *testing.T) {
				l := newLine(t)
				must(0, builds(t, l, 1))
				if test.name == "tag" {
					must(0, builds(t, l, 2)) // so that a rescue is due
				} else {
					must(0, l.promote(t.Context(), first(t, l), version.Stable{}))
				}
				writes := 0
				l.Before = func(string) error {
					if writes++; writes > after {
						return killed
					}
					return nil
				}
				err := test.run(t, l)
				if l.Before = nil; err == nil {
					return // it has fewer writes
				}
				look := func(minutes int) string {
					v := verifyOf(t, l.shelf, nil, 0)
					v.Now = epoch.Add(time.Duration(minutes+2) * time.Minute)
					return strings.TrimSuffix(strings.TrimSuffix(codes(must(v.Run(t.Context())).Findings), string(pipeline.TokenCannotRead)), " ")
				}
				t.Logf("soon %q, late %q", look(5), look(90))
				if found := look(90); (found != "") != (writes > 1) {
					t.Errorf("killed at write %d, and later found %q", writes, found)
				}
				must(0, test.run(t, l))
				if got := look(90); got != "" {
					t.Errorf("after the next run: %q", got)
				}
			})
		}
	}
}
