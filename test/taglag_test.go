package test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

// TestPromotionWhoseReadsLag: a run believes its own writes only when a reading shows them, and waits for that (docs/facts.md
// 16). Where it takes too long the run fails and says why, and the next one completes it.
func TestPromotionWhoseReadsLag(t *testing.T) {
	for _, test := range []struct {
		name  string
		lag   time.Duration
		fails bool
	}{
		{"two seconds", 2 * time.Second, false},
		{"a minute", time.Minute, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := registrytest.Start(t, registrytest.Options{Token: true})
			a, b := programtest.BuildFor(t, s, commitA, 0), programtest.BuildFor(t, s, commitB, 1)
			want := map[string]string{"validated-aaaaaaa": a.Digest, "0.0.1": a.Digest, "0.0.2-rc.2": b.Digest}
			maps.Copy(want, s.Tags(fleet))
			j := programtest.Keep(s, new(programtest.Journal), registrytest.Lag(test.lag))
			outcome := "promoted"
			if test.fails {
				said := programtest.Run(t, append([]string{"OCI_PROMOTE_PASSWORD=" + s.Password}, a.BoundStatus(t)...), programtest.TagArgs(s)...)
				if said.Code != 1 || !strings.Contains(said.Stderr, `took tag "0.0.1" and does not show it`) || !strings.Contains(said.Stderr, "run again in a minute") {
					t.Errorf("exit status %d, it says %q", said.Code, said.Stderr)
				}
				s.Intercept(nil)
				outcome = "unchanged"
			}
			r := programtest.TagOnce(t, s, a.BoundStatus(t))
			if r.Outcome != outcome || r.Version != "0.0.1" || len(r.Rescued) != 1 || r.Rescued[0].Candidate != "0.0.2-rc.2" || len(r.Warnings) > 0 {
				t.Errorf("report %s", r.Log)
			}
			if got := s.Tags(fleet); !maps.Equal(got, want) {
				t.Errorf("tags %v, want %v", got, want)
			}
			if moved := programtest.Moves(j.All()); len(moved) > 0 {
				t.Error(moved)
			}
		})
	}
}

// Promotions at once where readings lag by a second: each sees the others late.
func TestPromotionsWhoseReadsLag(t *testing.T) {
	t.Parallel()
	races(t, false, func() registrytest.Interceptor { return registrytest.Lag(time.Second) }, func(t *testing.T, r *race) {
		artifacts := []programtest.Artifact{r.older, r.newer, r.newer}
		r.check(t, artifacts, r.promote(t, nil, artifacts...))
	})
}
