package pipeline

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/oci-promote/oci-promote/internal/version"
)

// story is a pipeline that lives its life: builds, some of them again with other content, promotions, late ones too,
// rollbacks, versions by hand and, once, longer commit tags.
type story struct {
	*rand.Rand
	store   *hooked
	length  int
	reports []Report
	told    []string
	twice   bool // a commit was built twice
}

func (s *story) any() Report { return s.reports[s.IntN(len(s.reports))] }

// next lets one more thing happen. What the pipeline refuses did not happen.
func (s *story) next(t *testing.T, n int) {
	t.Helper()
	switch roll := s.IntN(20); {
	case roll < 8 || len(s.reports) == 0:
		b := buildOf(t, s.store, n)
		b.Bump = []version.Bump{version.Patch, version.Patch, version.Patch, version.Minor, version.Major}[s.IntN(5)]
		s.build(t, b)
	case roll < 9:
		b := buildOf(t, s.store, n-1)
		b.Source, b.Overwrite, s.twice = tree(fmt.Sprint("again ", n)), true, true
		s.build(t, b)
	case roll < 15:
		of := s.reports[max(0, len(s.reports)-1-s.IntN(3))]
		s.tag(t, of, &Subject{Digest: of.Digest, Commit: of.SHA, Proven: true}, nil)
	case roll < 17:
		of := s.any()
		s.tag(t, of, &Subject{Digest: of.Digest}, manual("!next"))
	case roll < 19:
		of := s.any()
		stable, _ := must(store{s.store, "test"}.list(t.Context())).ladder.Stable()
		s.tag(t, of, &Subject{Digest: of.Digest}, &Manual{Version: stable.Bump([]version.Bump{version.Patch, version.Minor}[s.IntN(2)]), Unvalidated: true})
	default:
		s.length = 12
		s.told = append(s.told, "sha-length 12")
	}
}

func (s *story) build(t *testing.T, b Build) {
	b.SHALength = s.length
	if r, err := b.Run(t.Context()); err == nil && r.Digest != "" {
		s.reports = append(s.reports, r)
		s.told = append(s.told, fmt.Sprintf("build %.7s: %s %s", r.SHA, r.Outcome, r.Candidate))
	}
}

func (s *story) tag(t *testing.T, of Report, subject *Subject, m *Manual) {
	p := tagFor(t, s.store, subject, m)
	p.SHALength = s.length
	if r, err := p.Run(t.Context()); err == nil {
		s.told = append(s.told, fmt.Sprintf("tag %s %+v: %s %s", of.Candidate, m, r.Outcome, r.Version))
	}
}

// Whatever builds, promotions, rescues and rollbacks leave behind when none of them is disturbed, verify finds nothing
// wrong with it, for the newest candidate as for any commit; but that a commit which was built twice has two artifacts.
func TestVerifyFindsNothingInAHealthyPipeline(t *testing.T) {
	for seed := range uint64(16) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			s := &story{Rand: rand.New(rand.NewPCG(seed, 4)), store: newStore(t), length: 7}
			for n := 1; n <= 16; n++ {
				s.next(t, n)
				for _, commit := range []string{"", s.any().SHA} {
					v := verifyOf(t, s.store, nil, 0)
					v.Commit, v.Now, v.SHALength = commit, epoch.Add(30*time.Minute), s.length
					r, err := v.Run(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					for _, f := range r.Findings {
						known := f.Severity == Warning && (s.twice && f.Code == TagMoved || strings.Contains(f.Message, "unless"))
						if f.Severity != Info && !known {
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
	for _, test := range []struct {
		name string
		run  func(t *testing.T, s *hooked) error
	}{
		{"build", func(t *testing.T, s *hooked) error { _, err := buildOf(t, s, 2).Run(t.Context()); return err }},
		{"tag", func(t *testing.T, s *hooked) error {
			d := must(store{s, "test"}.resolve(t.Context(), "0.0.1-rc.1"))
			_, err := tagFor(t, s, &Subject{Digest: d, Commit: commitNumber(1), Proven: true}, nil).Run(t.Context())
			return err
		}},
	} {
		for after := range 4 {
			t.Run(fmt.Sprint(test.name, " after ", after), func(t *testing.T) {
				s := newStore(t)
				mustBuild(t, buildOf(t, s, 1))
				if test.name == "tag" {
					mustBuild(t, buildOf(t, s, 2)) // so that a rescue is due
				} else {
					d := must(store{s, "test"}.resolve(t.Context(), "0.0.1-rc.1"))
					mustTag(t, tagFor(t, s, &Subject{Digest: d, Commit: commitNumber(1), Proven: true}, nil))
				}
				writes := 0
				s.before = func(string) error {
					if writes++; writes > after {
						return killed
					}
					return nil
				}
				err := test.run(t, s)
				s.before = nil
				if err == nil {
					return // it has fewer writes
				}
				look := func(minutes int) string {
					v := verifyOf(t, s, nil, 0)
					v.Now = epoch.Add(time.Duration(minutes+2) * time.Minute)
					r, err := v.Run(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					return strings.TrimSuffix(strings.TrimSuffix(codes(r.Findings), string(TokenCannotRead)), " ")
				}
				t.Logf("soon %q, late %q", look(5), look(90))
				if found := look(90); found == "" && writes > 1 || found != "" && writes == 1 && test.name == "build" {
					t.Errorf("killed at write %d, and later found %q", writes, found)
				}
				if err := test.run(t, s); err != nil {
					t.Fatal(err)
				}
				if got := look(5); got != "" {
					t.Errorf("after the next run: %q", got)
				}
			})
		}
	}
}

func mustTag(t *testing.T, p Tag) Report {
	t.Helper()
	r, err := p.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}
