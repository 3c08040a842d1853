package pipeline

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// Whatever builds, promotions, rescues and rollbacks leave behind when none of them is disturbed, verify finds nothing
// wrong with it, for the newest candidate as for any commit.
func TestVerifyFindsNothingInAHealthyPipeline(t *testing.T) {
	for seed := range uint64(25) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rnd := rand.New(rand.NewPCG(seed, 4))
			s := newStore(t)
			var reports []Report
			for n := 1; n <= 16; n++ {
				did := ""
				switch roll := rnd.IntN(10); {
				case roll < 5 || len(reports) == 0:
					reports = append(reports, mustBuild(t, buildOf(t, s, n)))
					did = "build"
				case roll < 9:
					of := reports[max(0, len(reports)-1-rnd.IntN(3))]
					did = "tag " + of.Candidate
					mustTag(t, tagFor(t, s, &Subject{Digest: of.Digest, Commit: of.SHA, Proven: true}, nil))
				default:
					of := reports[rnd.IntN(len(reports))]
					did = "rollback to " + of.Candidate
					m := tagFor(t, s, &Subject{Digest: of.Digest}, manual("!next"))
					mustTag(t, m)
				}
				for _, commit := range []string{"", reports[rnd.IntN(len(reports))].SHA} {
					v := verifyOf(t, s, nil, 0)
					v.Commit, v.Now = commit, epoch.Add(30*time.Minute)
					r, err := v.Run(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					for _, f := range r.Findings {
						if f.Severity != Info {
							t.Errorf("after %q, of commit %.7s: %s %s: %s\n%s", did, commit, f.Severity, f.Code, f.Message, wholeOf(r))
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
