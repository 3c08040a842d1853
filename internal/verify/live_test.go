package verify

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// reporting lets live report by commit statuses, and then some more.
func reporting(then ...func(*testing.T, *shelf, *Verify)) func(*testing.T, *shelf, *Verify) {
	return func(t *testing.T, s *shelf, v *Verify) {
		v.LiveContext = "kustomization/platform-live"
		for _, change := range then {
			change(t, s, v)
		}
	}
}

// second puts a second Kustomization onto live, for both, which is ready or checks health as kustomize-controller 1.9.5 says it.
func second(ready, applied string) []string {
	const alert = `{"kind":"Alert"`
	return []string{alert, `{"kind":"Kustomization","apiVersion":"kustomize.toolkit.fluxcd.io/v1","metadata":{"name":"zones","namespace":"flux-system","generation":1},
 "spec":{"wait":true,"sourceRef":{"kind":"OCIRepository","name":"platform"}},
 "status":{"observedGeneration":1,"lastAppliedRevision":"` + applied + `","lastAttemptedRevision":"REVISION","conditions":[
  {"type":"Reconciling","status":"True","reason":"Progressing","message":"Running health checks for revision REVISION with a timeout of 5m0s","lastTransitionTime":"2026-01-01T00:14:00Z","observedGeneration":1},
  {"type":"Ready","status":"` + ready + `","reason":"Progressing","message":"Reconciliation in progress","lastTransitionTime":"2026-01-01T00:14:00Z","observedGeneration":1},
  {"type":"Healthy","status":"` + ready + `","reason":"Progressing","message":"Running health checks for revision REVISION with a timeout of 5m0s","lastTransitionTime":"2026-01-01T00:14:00Z","observedGeneration":1}]}},` + alert}
}

// What live says of itself, by statuses and by its objects: the last stage and its findings.
func TestVerifyRunningOnLive(t *testing.T) {
	const (
		one      = "@a +a 0.0.1-rc.1=a 0.0.1=a "
		two      = one + "@b +b 0.0.2-rc.2=b 0.0.2=b "
		onItsWay = two + "@c 0.0.3-rc.3=c "
		back     = two + "0.0.3=a "
	)
	for _, row := range []verifyRow{
		{name: "healthy", words: two, host: &told{words: "b:success@9", head: "b", live: "0.0.1=a:success@6 0.0.2=b:success@14"}, at: late, change: reporting(), path: "+++++++"},
		{name: "healthy, by its commit", words: two, host: &told{words: "b:success@9", head: "b", live: "=a:success@6 =b:success@14"}, at: late, change: reporting(), path: "+++++++"},
		{name: "failed", words: two, host: &told{words: "b:success@9", head: "b", live: "0.0.1=a:success@6 0.0.2=b:failure@14"}, at: early, change: reporting(), path: "++++++x", want: "!live-failed", message: "failure, what Flux says"},
		{name: "an error is a failure", words: two, host: &told{words: "b:success@9", head: "b", live: "0.0.2=b:error@14"}, at: early, change: reporting(), path: "++++++x", want: "!live-failed"},
		{name: "failed, by its commit", words: two, host: &told{words: "b:success@9", head: "b", live: "=b:failure@14"}, at: early, change: reporting(), path: "++++++x", want: "!live-failed"},
		{name: "mended", words: one, host: &told{words: "a:success@5", head: "a", live: "0.0.1=a:success@90"}, at: late, change: reporting(), path: "+++++++"},
		{name: "failure and success of one second", words: one, host: &told{words: "a:success@5", head: "a", live: "0.0.1=a:success@9 =a:failure@9"}, at: late, change: reporting(), path: "++++++x", want: "!live-failed"},
		{name: "a success that is no health", words: two, host: &told{words: "b:success@9", head: "b", live: "0.0.2=b:unready@14"}, at: early, change: reporting(), path: "++++++w"},
		{name: "a success that is no health, for long", words: two, host: &told{words: "b:success@9", head: "b", live: "0.0.2=b:unready@14"}, at: late, change: reporting(), path: "++++++x", want: "!live-no-report", message: "live does not report 0.0.2 (commit a000200) healthy: since 2026-01-01T00:15:00Z there is no more than"},
		{name: "pending for long", words: two, host: &told{words: "b:success@9", head: "b", live: "0.0.2=b:pending@14"}, at: late, change: reporting(), path: "++++++x", want: "!live-no-report", message: "pending"},
		{name: "was healthy, and is not sure lately", words: one, host: &told{words: "a:success@5", head: "a", live: "0.0.1=a:unready@170"}, at: late, change: reporting(), path: "++++++w"},
		{name: "no report yet", words: two, host: &told{words: "b:success@9", head: "b"}, at: early, change: reporting(), path: "++++++w"},
		{name: "no report", words: two, host: &told{words: "b:success@9", head: "b"}, at: late, change: reporting(), path: "++++++x", want: "!live-no-report", message: "no commit status kustomization/platform-live/"},
		{name: "no report, and nobody knows when it was promoted", words: two, host: &told{head: "b"}, at: late, change: reporting(), path: "++++++x", want: "?live-no-report"},
		{name: "on its way", words: two, host: &told{words: "b:success@9", head: "b", live: "0.0.1=a:success@6"}, at: early, change: reporting(), path: "++++++w"},
		{name: "behind", words: two, host: &told{words: "b:success@9", head: "b", live: "0.0.1=a:success@6"}, at: late, change: reporting(), path: "++++++x", want: "!live-behind", message: "is of 0.0.1 (commit a000100)"},
		{name: "behind, by its commit", words: two, host: &told{words: "b:success@9", head: "b", live: "=a:success@6"}, at: late, change: reporting(), path: "++++++x", want: "!live-behind", message: "is of 0.0.1 (commit a000100)"},
		{name: "behind, and not healthy", words: two, host: &told{words: "b:success@9", head: "b", live: "0.0.1=a:failure@6"}, at: late, change: reporting(), path: "++++++x", want: "!live-behind", message: "failure"},
		{name: "went back by itself", words: two, host: &told{words: "b:success@9", head: "b", live: "0.0.2=b:success@14 0.0.1=a:success@20"}, at: late, change: reporting(), path: "++++++x", want: "!live-behind"},

		{name: "on its way after a soak", words: two, host: &told{words: "b:success@9", head: "b", live: "0.0.1=a:success@6"}, at: 10 + 6*60 + 30, change: reporting(soaking(6 * time.Hour)), path: "++++++w"},
		{name: "no report after a soak", words: two, host: &told{words: "b:success@9", head: "b"}, at: 10 + 8*60 + 1, change: reporting(soaking(6 * time.Hour)), path: "++++++x", want: "!live-no-report", message: "selects it since 2026-01-01T06:11:00Z"},
		{name: "behind after a soak", words: two, host: &told{words: "b:success@9", head: "b", live: "0.0.1=a:success@6"}, at: 10 + 8*60 + 1, change: reporting(soaking(6 * time.Hour)), path: "++++++x", want: "!live-behind"},
		{name: "no report after a soak, and integration has the stable", words: two, host: &told{words: "b:success@9", bound: "0.0.2=b", head: "b"}, at: 10 + 2*60 + 1, change: reporting(soaking(6 * time.Hour)), path: "++++++x", want: "!live-no-report"},
		{name: "promoted by hand while it soaked", words: two, host: &told{words: "b:success@9", head: "b"}, at: 10 + 3*60, change: reporting(soaking(6 * time.Hour)), path: "++++++w"},
		{name: "no report of what failed on integration since", words: two, host: &told{words: "b:failure@9", head: "b"}, at: 10 + 3*60, change: reporting(soaking(6 * time.Hour)), path: "++++++x", want: "?validation-failed ?live-no-report"},
		{name: "its objects are behind, a moment after a soak", words: two, host: &told{words: "b:success@9", head: "b"}, at: 10 + 6*60 + 30, change: func(t *testing.T, s *shelf, v *Verify) {
			both("0.0.2=b", "0.0.1=a")(t, s, v)
			soaking(6*time.Hour)(t, s, v)
		}, path: "+++++w.", want: "behind"},

		{name: "rolled back, and reported", words: back, host: &told{words: "b:success@9", head: "b", live: "0.0.1=a:success@6 0.0.2=b:success@14 0.0.3=a:success@30"}, at: late, change: reporting(ask("a")), path: "+++++++"},
		{name: "rolled back, and failed", words: back, host: &told{words: "b:success@9", head: "b", live: "0.0.1=a:success@6 0.0.2=b:success@14 0.0.3=a:failure@30"}, at: late, change: reporting(ask("a")), path: "++++++x", want: "!live-failed"},
		{name: "rolled back, and not reported", words: back, host: &told{words: "b:success@9", head: "b", live: "0.0.1=a:success@6 0.0.2=b:success@14"}, at: late, change: reporting(ask("a")), path: "++++++x", want: "?live-behind", message: "is of 0.0.2"},
		{name: "rolled back, and integration tells since when", words: back, host: &told{words: "a:success@25 b:success@9", bound: "0.0.3=a", head: "b", live: "0.0.1=a:success@6 0.0.2=b:success@14"}, at: late, change: reporting(ask("a")), path: "++++++x", want: "!live-behind", message: "is of 0.0.2"},
		{name: "rolled back, and integration's word is of before", words: back, host: &told{words: "a:success@25 b:success@9", bound: "0.0.1=a", head: "b", live: "0.0.1=a:success@6 0.0.2=b:success@14"}, at: late, change: reporting(ask("a")), path: "++++++x", want: "?live-behind"},
		{name: "rolled back lately, and not reported", words: back, host: &told{words: "a:success@25 b:success@9", head: "b", live: "0.0.1=a:success@6 0.0.2=b:success@14"}, at: early, change: reporting(ask("a")), path: "++++++w"},
		{name: "rolled back, and the bad one is asked for", words: back, host: &told{words: "b:success@9", head: "b", live: "0.0.2=b:failure@14 0.0.3=a:success@30"}, at: late, change: reporting(ask("b")), path: "+++++f.", want: "superseded"},
		{name: "rolled back, and only commits are reported", words: back, host: &told{words: "b:success@9", head: "b", live: "=a:success@6 =b:success@14"}, at: late, change: reporting(ask("a")), path: "++++++?"},
		{name: "rolled back, reported by commit, the next one is live", words: back + "@c +c 0.0.4-rc.3=c 0.0.4=c", host: &told{words: "c:success@40", head: "c", live: "=a:success@6 =b:success@14 =c:success@50"}, at: late, change: reporting(), path: "+++++++"},
		{name: "a word on a commit of two artifacts", words: "@x +x 0.0.1-rc.24=x sha-of-x=x' integration-of-x=x' 0.0.2-rc.24=x' validated-of-x=x' 0.0.2=x'", host: &told{head: "x", live: "=x:success@25"}, at: late, change: reporting(), path: "++++++?"},
		{name: "built twice, and live has the other", words: "@x +x 0.0.1-rc.24=x 0.0.1=x sha-of-x=x' integration-of-x=x' 0.0.2-rc.24=x' validated-of-x=x' 0.0.2=x'", host: &told{head: "x", live: "0.0.1=x:success@25"}, at: 300, change: reporting(), path: "++++++x", want: "?live-behind", message: "0.0.1"},

		{name: "live does not report", words: two, host: &told{words: "b:success@9", head: "b", live: "0.0.2=b:failure@14"}, at: late, path: "++++++?"},
		{name: "no token", words: two, at: late, change: reporting(), path: "++++++?", want: "token-cannot-read"},
		{name: "no statuses can be read", words: two + "@c +c 0.0.3-rc.3=c 0.0.3=c @d +d 0.0.4-rc.4=d 0.0.4=d @e 0.0.5-rc.5=e", host: &told{head: "e", err: map[string]error{"statuses": errLost, "head": errLost}}, at: early, change: reporting(), path: "+++?...", want: "?github-not-read", message: "and 1 more like this"},
		{name: "the statuses of one stable cannot be read", words: two, host: &told{words: "b:success@9", head: "b", live: "0.0.2=b:success@14", err: map[string]error{"statuses a": errors.New("502")}}, at: late, change: reporting(), path: "++++++?", want: "?github-not-read"},

		{name: "superseded while it was live", words: onItsWay + "+c 0.0.3=c", host: &told{words: "c:success@9", head: "c", live: "0.0.2=b:success@14 0.0.3=c:success@20"}, at: late, change: reporting(ask("b")), path: "+++++f.", want: "superseded"},
		{name: "in integration while live failed", words: onItsWay, host: &told{words: "b:success@9", head: "c", live: "0.0.2=b:failure@14"}, at: early, change: reporting(), path: "+++w...", want: "!live-failed", message: "0.0.2 (commit a000200)"},
		{name: "in integration while live says nothing", words: onItsWay, host: &told{words: "b:success@9", head: "c"}, at: 140, change: reporting(within(40 * time.Hour)), path: "+++w..."},
		{name: "in integration while live is behind", words: onItsWay, host: &told{words: "b:success@9 c:pending@100", head: "c", live: "0.0.1=a:success@6"}, at: 140, change: reporting(), path: "+++x...", want: "!no-report !live-behind"},
		{name: "nothing is promoted", words: "@a 0.0.1-rc.1=a", host: &told{head: "a"}, at: early, change: reporting(), path: "+++w..."},
		{name: "live selects another one", words: two + "v2.0.0=a", host: &told{words: "b:success@9", head: "b", live: "0.0.1=a:success@6"}, at: late, change: reporting(integration(">= 0.0.0-0 < 2.0.0-0")), path: "+++++x.", want: "!not-selected-by-live"},
		{name: "the stable does not tell its commit", words: one + "0.0.2=0", host: &told{head: "a", live: "0.0.1=a:success@6"}, at: late, change: reporting(ask("a")), path: "+++++f.", want: "!not-a-flux-artifact superseded"},

		{name: "its objects alone", words: two, host: &told{words: "b:success@9", head: "b"}, at: late, change: both("0.0.2=b", "0.0.2=b"), path: "+++++++"},
		{name: "its objects alone, and without a token", words: two, at: late, change: both("0.0.2=b", "0.0.2=b"), path: "+++++++", want: "token-cannot-read"},
		{name: "its objects fail", words: two, host: &told{words: "b:success@9", head: "b"}, at: late, change: both("0.0.2=b", "0.0.2=b", "LIVE_READY", "False"), path: "++++++x", want: "!kustomization-failing", message: "on live"},
		{name: "it applies, and is not ready yet", words: two, host: &told{words: "b:success@9", head: "b"}, at: 115, change: both("0.0.2=b", "0.0.2=b", "LIVE_READY", "Unknown"), path: "++++++w"},
		{name: "one of two Kustomizations is under way", words: two, host: &told{words: "b:success@9", head: "b"}, at: 115, change: both("0.0.2=b", "0.0.2=b", second("Unknown", "REVISION")...), path: "++++++w"},
		{name: "one of two Kustomizations is behind", words: two, host: &told{words: "b:success@9", head: "b"}, at: 115, change: both("0.0.2=b", "0.0.2=b", second("True", "0.0.1@sha256:"+strings.Repeat("a", 64))...), path: "++++++w", want: "behind"},
		{name: "both Kustomizations are well", words: two, host: &told{words: "b:success@9", head: "b"}, at: 115, change: both("0.0.2=b", "0.0.2=b", second("True", "REVISION")...), path: "+++++++"},
		{name: "it has a source and nothing that applies it", words: two, host: &told{words: "b:success@9", head: "b"}, at: late, change: both("0.0.2=b", "0.0.2=b", `"kind":"OCIRepository","name":"platform"`, `"kind":"GitRepository","name":"LIVE_READY"`), path: "++++++?", want: "!wrong-url"},
		{name: "the report did not arrive, and its objects are well", words: two, host: &told{words: "b:success@9", head: "b", live: "0.0.1=a:success@6"}, at: late, change: reporting(both("0.0.2=b", "0.0.2=b")), path: "+++++++"},
		{name: "its objects are newer than a failure", words: two, host: &told{words: "b:success@9", head: "b", live: "0.0.2=b:failure@10"}, at: late, change: reporting(both("0.0.2=b", "0.0.2=b")), path: "+++++++"},
		{name: "a failure is newer than its objects", words: two, host: &told{words: "b:success@9", head: "b", live: "0.0.2=b:failure@60"}, at: late, change: reporting(both("0.0.2=b", "0.0.2=b")), path: "++++++x", want: "!live-failed"},
		{name: "a report is newer than its objects", words: two, host: &told{words: "b:success@9", head: "b", live: "0.0.2=b:success@14"}, at: early, change: reporting(both("0.0.2=b", "0.0.2=b", "LIVE_READY", "Unknown")), path: "+++++++"},
		{name: "its objects fail, and so does its report", words: two, host: &told{words: "b:success@9", head: "b", live: "0.0.2=b:failure@14"}, at: late, change: reporting(both("0.0.2=b", "0.0.2=b", "LIVE_READY", "False")), path: "++++++x", want: "!kustomization-failing"},
		{name: "its objects fail, and its report was good", words: two, host: &told{words: "b:success@9", head: "b", live: "0.0.2=b:success@60"}, at: late, change: reporting(both("0.0.2=b", "0.0.2=b", "LIVE_READY", "False")), path: "++++++x", want: "!kustomization-failing"},
		{name: "pinned to the one before, since it failed", words: two, host: &told{words: "b:success@9", head: "b", live: "0.0.2=b:failure@14"}, at: late, change: reporting(both("0.0.2=b", "0.0.1=a", `"semver":"LIVE_SEMVER"`, `"tag":"0.0.1"`)), path: "+++++x.", want: "!pinned"},
		{name: "its objects are behind, and so is its report", words: two, host: &told{words: "b:success@9", head: "b", live: "0.0.1=a:success@6"}, at: late, change: reporting(both("0.0.2=b", "0.0.1=a")), path: "+++++x.", want: "!behind"},
	} {
		t.Run(row.name, row.check)
	}
}

// A step that waits for the end of a soak says how far it is.
func TestVerifyTellsOfASoak(t *testing.T) {
	s := newShelf(t, expand("@a 0.0.1-rc.1=a"))
	for minutes, want := range map[int]string{35: "healthy for 30m of 1h", 64: "healthy for 59m of 1h", 65: "", 66: ""} {
		v := verifyOf(t, s, &told{s: s, words: "a:success@5", head: "a"}, minutes)
		soaking(time.Hour)(t, s, &v)
		step := must(v.Run(t.Context())).Path[4]
		if step.Stage != pipeline.PromotedStage || step.State != pipeline.Waiting || step.Evidence.Status != want {
			t.Errorf("after %d minutes %+v, want %q", minutes, step, want)
		}
	}
}

// What fails on live is rolled back to an earlier artifact that live was healthy with; to none where none is known.
func TestVerifyNamesTheWayBackOfLive(t *testing.T) {
	const (
		one  = "@a +a 0.0.1-rc.1=a 0.0.1=a "
		two  = one + "@b +b 0.0.2-rc.2=b 0.0.2=b "
		back = two + "0.0.3=a "
		deep = two + "0.0.3=b 0.0.4=b @c +c 0.0.5-rc.3=c 0.0.5=c 0.0.6=a "
		none = "no earlier artifact is known to have been healthy there, so that there is none to roll back to"
	)
	for _, test := range []struct {
		words, live, want string // a part of the hint; of an artifact its letter
	}{
		{two, "0.0.1=a:success@6 0.0.2=b:failure@14", "and digest a, which is 0.0.1"},
		{back, "0.0.1=a:success@6 0.0.2=b:success@14 0.0.3=a:failure@30", none}, // b was rolled back from
		{back, "0.0.1=a:success@6 0.0.2=b:failure@14 0.0.3=a:failure@30", none}, // a is what fails
		{two + "0.0.3=b 0.0.4=b ", "0.0.1=a:success@6 0.0.2=b:success@14 0.0.4=b:failure@30", "and digest a, which is 0.0.1"},
		{deep, "0.0.2=b:success@14 0.0.5=c:success@20 0.0.6=a:failure@30", "the digest of a version that live was healthy with"}, // what a followed was not read
		{two, "0.0.1=a:failure@6 0.0.2=b:failure@14", none},
		{one, "0.0.1=a:failure@6", none},
		{one, "=a:failure@6", none},
		{two, "0.0.2=b:failure@14", "the digest of a version that live was healthy with"}, // reports may have begun with it
	} {
		s := newShelf(t, expand(test.words))
		v := verifyOf(t, s, &told{s: s, words: "a:success@5 b:success@9", head: "b", live: test.live}, 60)
		reporting()(t, s, &v)
		want := test.want
		for _, letter := range []string{"a", "b"} {
			want = strings.Replace(want, "digest "+letter+",", "digest "+s.Digests[letter].String()+",", 1)
		}
		r := must(v.Run(t.Context()))
		if r.Findings[0].Code != pipeline.LiveFailed || !strings.Contains(r.Findings[0].Hint, want) {
			t.Errorf("%q:\n%s\nwant %q", test.live, wholeOf(r), want)
		}
	}
}

// Whatever live reports of what, and whoever asks: a stage that is reached has no finding, one that stopped has, and no
// finding comes twice.
func TestVerifyNeverDoubtsWhatRuns(t *testing.T) {
	rng := rand.New(rand.NewPCG(18, 2))
	var shelves []*shelf
	for _, words := range []string{
		"@a +a 0.0.1-rc.1=a 0.0.1=a @b +b 0.0.2-rc.2=b 0.0.2=b",
		"@a +a 0.0.1-rc.1=a 0.0.1=a @b +b 0.0.2-rc.2=b 0.0.2=b @c 0.0.3-rc.3=c",
		"@a +a 0.0.1-rc.1=a 0.0.1=a @b +b 0.0.2-rc.2=b 0.0.2=b 0.0.3=a",
		"@a +a 0.0.1-rc.1=a 0.0.1=a @b +b 0.0.2-rc.2=b 0.0.2=b 0.0.3=a @c +c 0.0.4-rc.3=c 0.0.4=c",
	} {
		shelves = append(shelves, newShelf(t, expand(words)))
	}
	pick := func(all ...string) string { return all[rng.IntN(len(all))] }
	seen := map[string]int{}
	for n := range 300 {
		host := &told{head: "b", words: fmt.Sprintf("a:success@%d b:%s@%d", rng.IntN(60), pick("success", "failure", "pending"), rng.IntN(60))}
		for _, tag := range []string{"0.0.1=a", "0.0.2=b", "0.0.3=a", "0.0.4=c", "=a", "=b"} {
			if rng.IntN(3) == 0 {
				host.live += fmt.Sprintf(" %s:%s@%d", tag, pick("success", "success", "failure", "pending", "unready"), rng.IntN(200))
			}
		}
		s := shelves[rng.IntN(len(shelves))]
		host.s = s
		v := verifyOf(t, s, host, 20+rng.IntN(300))
		reporting()(t, s, &v)
		if rng.IntN(4) == 0 {
			both("0.0.2=b", pick("0.0.1=a", "0.0.2=b", "0.0.3=a"), "LIVE_READY", pick("True", "False", "Unknown"))(t, s, &v)
		}
		if rng.IntN(2) == 0 {
			ask(pick("a", "b"))(t, s, &v)
		}
		r := must(v.Run(t.Context()))
		last := r.Path[len(r.Path)-1]
		about := slices.DeleteFunc(slices.Clone(r.Findings), func(f pipeline.Finding) bool { return !strings.HasPrefix(string(f.Code), "live-") })
		seen[string(last.State)+" "+codes(about)]++
		ofStable := r.Version == r.Highest
		switch {
		case len(about) > 1,
			last.State == pipeline.Reached && len(about) > 0,
			last.State == pipeline.Waiting && len(about) > 0,
			last.State == pipeline.Unknown && len(about) > 0,
			last.State == pipeline.Stopped && len(about) == 0 && !strings.Contains(codes(r.Findings), "kustomization-failing"),
			last.State == pipeline.Followed && ofStable:
			t.Errorf("%d: live:%s words:%s\n%s", n, host.live, host.words, wholeOf(r))
		}
	}
	for _, want := range []string{"reached ", "waiting ", "stopped !live-failed", "stopped !live-behind", "stopped ?live-behind", "unknown "} {
		if seen[want] == 0 {
			t.Errorf("no %q among %v", want, seen)
		}
	}
	t.Log(seen)
}

// The first line says that a commit is live only where live says so, by one voice or another, and says what is known else.
func TestVerifySaysWhatLiveRuns(t *testing.T) {
	const two = "@a +a 0.0.1-rc.1=a 0.0.1=a @b +b 0.0.2-rc.2=b 0.0.2=b"
	checking := []string{"LIVE_READY", "Unknown"}
	for name, test := range map[string]struct {
		live   string // its statuses
		change func(*testing.T, *shelf, *Verify)
		want   string
	}{
		"nobody reports":                      {"", nil, "live selects commit a000200 as 0.0.2; whether it runs there nobody reports"},
		"its status":                          {"0.0.2=b:success@14", reporting(), "commit a000200 is live as 0.0.2"},
		"no status yet":                       {"0.0.1=a:success@6", reporting(), "commit a000200 is selected by live, and waits to be running on live; nothing is late"},
		"its status is no health":             {"0.0.2=b:unready@14", reporting(), "commit a000200 is selected by live, and waits to be running on live; nothing is late"},
		"its objects":                         {"", both("0.0.2=b", "0.0.2=b"), "commit a000200 is live as 0.0.2"},
		"its objects check health":            {"", both("0.0.2=b", "0.0.2=b", checking...), "commit a000200 is selected by live, and waits to be running on live; nothing is late"},
		"one of its objects checks health":    {"", both("0.0.2=b", "0.0.2=b", second("Unknown", "REVISION")...), "commit a000200 is selected by live, and waits to be running on live; nothing is late"},
		"one of two clusters checks health":   {"", reporting(both("0.0.2=b", "0.0.2=b"), both("0.0.2=b", "0.0.2=b", checking...)), "commit a000200 is selected by live, and waits to be running on live; nothing is late"},
		"the other of two has the one before": {"", reporting(both("0.0.2=b", "0.0.1=a"), both("0.0.2=b", "0.0.2=b")), "commit a000200 is selected by live, and waits to be running on live; nothing is late"},
		"both of two clusters":                {"", reporting(both("0.0.2=b", "0.0.2=b"), both("0.0.2=b", "0.0.2=b")), "commit a000200 is live as 0.0.2"},
		"it was followed":                     {"0.0.1=a:success@6", reporting(ask("a")), "commit a000100 was promoted as 0.0.1, and 0.0.2 followed"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShelf(t, expand(two))
			v := verifyOf(t, s, &told{s: s, words: "b:success@9", head: "b", live: test.live}, early)
			if test.change != nil {
				test.change(t, s, &v)
			}
			if r := must(v.Run(t.Context())); r.Reason != test.want || r.Outcome != pipeline.Healthy {
				t.Errorf("got %q, want %q\n%s", r.Reason, test.want, wholeOf(r))
			}
		})
	}
}
