package verify

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/cluster"
	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
	"github.com/oci-promote/oci-promote/internal/version"
)

func init() { moment = 0 } // nothing happens meanwhile

// told is a git host that answers from what a test wrote down. Commits are letters, times
// are minutes after their commit.
type told struct {
	s          *shelf
	words      string // LETTER:STATE@MINUTES; cancelled for a success that is no health
	bound      string // TAG=LETTER: integration's word on it names that tag
	live       string // TAG=LETTER:STATE@MINUTES after a, no TAG for a context without an artifact; unready for a success that is no health
	head       string // letter
	builds     string // LETTER:STATE@MINUTES, * for the one that did not say "build"
	promotions string // STATE@MINUTES after a; ~ before it for a run of verify
	diverged   string // letters that are beside the others
	err        map[string]error
	asked      atomic.Int64 // for statuses
}

func (h *told) find(list, letter string) (state string, at time.Time, ok bool) {
	for word := range strings.FieldsSeq(list) {
		of, rest, _ := strings.Cut(word, ":")
		if of == letter {
			state, minutes, _ := strings.Cut(rest, "@")
			return state, committed(letter).Add(minute(minutes)), true
		}
	}
	return "", time.Time{}, false
}

func minute(s string) time.Duration {
	var n int
	_, _ = fmt.Sscan(s, &n)
	return time.Duration(n) * time.Minute
}

func committed(letter string) time.Time {
	return epoch.Add(time.Duration(pipelinetest.Number(letter)) * time.Minute)
}

func letterOf(commit string) string {
	for n := 'a'; n <= 'z'; n++ {
		if pipelinetest.CommitOf(string(n)) == commit {
			return string(n)
		}
	}
	return "?"
}

func (h *told) Words(_ context.Context, commit string, _ digest.Digest) (w Words, err error) {
	h.asked.Add(1)
	if err := h.err["statuses "+letterOf(commit)]; err != nil {
		return Words{}, err
	}
	if state, at, ok := h.find(h.words, letterOf(commit)); ok {
		w.Integration = Word{State: state, Context: "kustomization/platform/1", Description: "what Flux says", Commit: commit, Healthy: state == "success", At: at}
		if state == "cancelled" {
			w.Integration.State, w.Integration.Description = "success", "health check canceled"
		}
		if w.Integration.Healthy {
			w.Proven = at
		}
		if tag, letter, _ := strings.Cut(h.bound, "="); letter == letterOf(commit) {
			w.Integration.Tag, w.Integration.Digest = tag, h.s.Digests[letter]
		}
	}
	for word := range strings.FieldsSeq(h.live) {
		of, said, _ := strings.Cut(word, ":")
		tag, letter, _ := strings.Cut(of, "=")
		if state, minutes, _ := strings.Cut(said, "@"); pipelinetest.CommitOf(letter) == commit {
			w.Live = append(w.Live, h.liveWord(tag, letter, state, committed("a").Add(minute(minutes))))
		}
	}
	return w, h.err["statuses"]
}

func (h *told) liveWord(tag, letter, state string, at time.Time) Word {
	w := Word{State: state, Context: "kustomization/platform-live/1", Description: "what Flux says", Commit: pipelinetest.CommitOf(letter), Healthy: state == "success", At: at}
	if state == "unready" {
		w.State, w.Description = "success", "dependency not ready"
	}
	if tag != "" {
		w.Tag, w.Digest = tag, h.s.Digests[letter]
		w.Context = fmt.Sprintf("kustomization/platform-live/%s@%s", tag, w.Digest)
	}
	return w
}

func (h *told) Head(context.Context, string) (string, time.Time, error) {
	if h.head == "" {
		return "", time.Time{}, h.err["head"]
	}
	return pipelinetest.CommitOf(h.head), committed(h.head), h.err["head"]
}

func (h *told) Compare(_ context.Context, commit, base string) (string, error) {
	words := map[int]string{-1: "behind", 0: "identical", 1: "ahead"}
	if strings.Contains(h.diverged, letterOf(commit)) || strings.Contains(h.diverged, letterOf(base)) {
		words = map[int]string{-1: "diverged", 1: "diverged"}
	}
	return words[strings.Compare(commit, base)], h.err["compare"]
}

func (h *told) Full(_ context.Context, short string) (string, error) {
	for n := 'a'; n <= 'z'; n++ {
		if commit := pipelinetest.CommitOf(string(n)); strings.HasPrefix(commit, short) && strings.Contains(h.builds, string(n)+":") {
			return commit, h.err["full"]
		}
	}
	return "", h.err["full"]
}

func runOf(name, state string, at time.Time) Run {
	done := state != "queued" && state != "in_progress"
	run := Run{ID: at.Unix(), Name: name, State: state, Done: done, URL: "https://github.test/acme/fleet/actions/runs/7", Started: at}
	if done {
		run.Ended = at.Add(time.Minute)
	}
	return run
}

func (h *told) Builds(_ context.Context, commit string) ([]Run, error) {
	state, at, ok := h.find(h.builds, letterOf(commit))
	if !ok {
		return nil, h.err["runs"]
	}
	run := runOf("Build", state, at)
	run.Builds = true
	return []Run{run}, h.err["runs"]
}

func (h *told) Promotions(_ context.Context, since time.Time) (runs []Run, err error) {
	for word := range strings.FieldsSeq(h.promotions) {
		state, minutes, _ := strings.Cut(word, "@")
		state, watches := strings.CutPrefix(state, "~")
		if at := committed("a").Add(minute(minutes)); !at.Before(since) {
			run := runOf("Promote", state, at)
			run.Watches = watches
			runs = append(runs, run)
		}
	}
	slices.SortFunc(runs, func(a, b Run) int { return b.Started.Compare(a.Started) })
	return runs, h.err["promotions"]
}

func (h *told) FailedStep(context.Context, Run) (string, error) { return "job build, step Push", nil }

// verifyOf verifies at a number of minutes after commit a.
func verifyOf(t *testing.T, repo pipeline.Repository, host Host, minutes int) Verify {
	t.Helper()
	return Verify{
		Repo: repo, Name: "registry.test/acme/fleet", SHALength: 7, Path: "platform", NoHost: "token", MaxAge: 2 * time.Hour, Host: host,
		Clusters: pipeline.Clusters{Integration: must(version.ParseConstraint(">= 0.0.0-0")), Live: must(version.ParseConstraint(">= 0.0.0"))},
		Now:      committed("a").Add(time.Duration(minutes) * time.Minute),
	}
}

// letters are a path's states in short.
func letters(path []pipeline.Step) string {
	var b strings.Builder
	for _, step := range path {
		b.WriteByte(map[pipeline.State]byte{pipeline.Reached: '+', pipeline.Waiting: 'w', pipeline.Stopped: 'x', pipeline.Followed: 'f', pipeline.Unknown: '?', pipeline.Ahead: '.'}[step.State])
	}
	return b.String()
}

// codes are findings in short: CODE, with ! for an error and ? for a warning.
func codes(all []pipeline.Finding) string {
	var words []string
	for _, f := range all {
		words = append(words, map[pipeline.Severity]string{pipeline.Error: "!", pipeline.Warning: "?"}[f.Severity]+string(f.Code))
	}
	return strings.Join(words, " ")
}

const (
	late  = 180 // minutes: later than max-age
	early = 30
)

// forbidden is a token that may not ask.
type forbidden struct{ error }

func (forbidden) Refused() bool { return true }
func (forbidden) Hint() string  { return "the job needs `permissions: statuses: read`" }

type verifyRow struct {
	name    string
	words   string // of newShelf
	host    *told  // nil for no token
	at      int    // minutes after commit a
	change  func(t *testing.T, s *shelf, v *Verify)
	path    string // in letters
	want    string // codes
	message string // part of the first one
}

// The failures that people of the scripts before us met most, each as a row of TestVerifyFindings that shows it.
var commonFailures = map[string]string{
	"build succeeds but integration does not update": "the constraint excludes candidates",
	"validation passes but live does not update":     "validated, and no promotion ran",
	"dispatch or status not received":                "no report",
	"promotion fires again every ten minutes":        "the promotion repeats",
	"push fails":                             "its build failed",
	"live picks up the wrong version":        "live picks the wrong version",
	"integration shows no matching artifact": "integration finds no match",
	"health checks failing on integration":   "not healthy",
}

// Each fault alone: its code comes first, and no other error with it.
func TestVerifyFindings(t *testing.T) {
	const (
		live    = "@a +a 0.0.1-rc.1=a 0.0.1=a "
		oneMore = live + "@b 0.0.2-rc.2=b "
	)
	tests := []verifyRow{
		{name: "all is live", words: live, host: &told{words: "a:success@5", head: "a", builds: "a:success@1"}, at: late, path: "++++++?"},
		{name: "on its way", words: oneMore, host: &told{words: "a:success@5", head: "b", builds: "b:success@1"}, at: early, path: "+++w..."},
		{name: "promoted just now", words: oneMore + "+b 0.0.2=b", host: &told{words: "b:success@20", head: "b"}, at: early, path: "++++++?"},
		{name: "the promotion is under way", words: oneMore, host: &told{words: "b:success@20", head: "b", promotions: "in_progress@21"}, at: early, path: "++++w.."},
		{name: "the promotion does not end", words: oneMore, host: &told{words: "b:success@20", head: "b", promotions: "queued@21"}, at: late, path: "++++x..", want: "!validated-not-promoted", message: "does not end"},
		{name: "no token", words: live, at: late, path: "++++++?", want: "token-cannot-read", message: "no token"},
		{name: "no token, on its way", words: oneMore, at: early, path: "+++?...", want: "token-cannot-read"},

		{name: "nothing was ever pushed", host: &told{}, at: late, path: "x......", want: "!not-built", message: "nothing was ever pushed"},
		{name: "the asked commit is not built", words: live, host: &told{head: "a"}, at: late, change: ask("b"), path: "x......", want: "!not-built", message: "no workflow ran for it"},
		{name: "its build is under way", words: live, host: &told{head: "b", builds: "b:in_progress@1"}, at: early, change: ask("b"), path: "w......"},
		{name: "its build failed", words: live, host: &told{head: "b", builds: "b:failure@1"}, at: early, change: ask("b"), path: "x......", want: "!build-failed", message: "job build, step Push"},
		{name: "its build failed, and a few digits are given", words: live, host: &told{head: "c", builds: "b:failure@1"}, at: early, change: askShort("b"), path: "x......", want: "!build-failed", message: "job build, step Push"},
		{name: "digits of no commit", words: live, host: &told{head: "a"}, at: early, change: askShort("b"), path: "x......", want: "!not-built", message: "does not know"},
		{name: "a newer build contains it", words: live + "@c 0.0.2-rc.3=c", host: &told{head: "c"}, at: early, change: ask("b"), path: "f......", want: "superseded", message: "contains it"},
		{name: "tags, but no version", words: "latest=a main=a", host: &told{}, at: late, path: "x......", want: "!no-candidate", message: "none of the 2 tags"},
		{name: "its candidate was deleted, and a commit tag too", words: live + "sha-=b", host: &told{head: "a"}, at: late, change: ask("b"), path: "+x.....", want: "!no-candidate", message: "no candidate names its artifact"},
		{name: "no number, and a newer one contains it", words: live + "sha-=b @c 0.0.2-rc.3=c", host: &told{head: "c"}, at: 30, change: ask("b"), path: "+f.....", want: "superseded", message: "0.0.2-rc.3 is of commit"},
		{name: "no number, and a newer one is there by its height", words: live + "sha-=b @c 0.0.2-rc.3=c", at: 30, change: ask("b"), path: "+f.....", want: "superseded token-cannot-read", message: "0.0.2-rc.3 is of commit"},
		{name: "no number, and not asked for", words: live + "sha-=b", host: &told{words: "a:success@5", head: "a"}, at: late, path: "++++++?", want: "!no-candidate", message: "a clean-up deleted the tag"},
		{name: "the head has no number, and its build failed", words: live + "sha-=b", host: &told{words: "a:success@5", head: "b", builds: "b:failure@1"}, at: late, path: "++++++?", want: "!no-candidate"},
		{name: "no number, not asked for, and a newer one contains it", words: live + "sha-=b @c 0.0.2-rc.3=c", host: &told{head: "c"}, at: early, path: "+++w..."},
		{name: "cut short after two tags", words: live + "sha-=b 0.0.2-rc.2=b", host: &told{head: "b"}, at: early, path: "+++w...", want: "?not-built", message: "was cut short"},
		{name: "young, and without a number", words: live + "sha-=b", host: &told{head: "a"}, at: 5, change: ask("b"), path: "+w....."},
		{name: "its candidate was deleted, and a newer one contains it", words: live + "@b @c 0.0.2-rc.3=c", host: &told{words: "c:success@1", head: "a"}, at: 5, change: ask("b"), path: "+f.....", want: "superseded"},

		{name: "its candidate was deleted", words: live + "@b", host: &told{head: "b"}, at: late, change: ask("b"), path: "+x.....", want: "!no-candidate", message: "a clean-up deleted the tag"},
		{name: "the head's candidate was deleted", words: live + "@b", host: &told{words: "a:success@5", head: "b"}, at: late, path: "++++++?", want: "!no-candidate", message: "a clean-up deleted the tag"},
		{name: "the head has no number yet", words: live + "@b", host: &told{words: "a:success@5", head: "b"}, at: 5, path: "++++++?"},
		{name: "its candidate was deleted, and a newer commit does not contain it", words: live + "@b @c 0.0.2-rc.3=c", host: &told{head: "c", diverged: "b"}, at: early, change: ask("b"), path: "+x.....", want: "!no-candidate"},
		{name: "its candidate was deleted, and what is live is newer", words: "@a @b +b 0.0.1-rc.2=b 0.0.1=b", host: &told{words: "b:success@1", head: "b"}, at: late, change: ask("a"), path: "+f.....", want: "superseded", message: "0.0.1 is of commit"},
		{name: "its candidate was deleted, and it was live long ago", words: "@a +a 0.0.1=a @b +b 0.0.2-rc.2=b 0.0.2=b @c +c 0.0.3-rc.3=c 0.0.3=c @d +d 0.0.4-rc.4=d 0.0.4=d @e +e 0.0.5-rc.5=e 0.0.5=e", host: &told{words: "e:success@1", head: "e"}, at: late, change: ask("a"), path: "++++f..", want: "superseded"},
		{name: "cut short after its candidate", words: live + "0.0.2-rc.2=b", host: &told{head: "b"}, at: early, path: "+++w...", want: "?not-built", message: "was cut short"},
		{name: "cut short after its candidate, and asked for", words: live + "0.0.2-rc.2=b", host: &told{head: "b"}, at: early, change: askShort("b"), path: "+++w...", want: "?not-built"},
		{name: "about to get its commit tags", words: live + "0.0.2-rc.2=b", host: &told{head: "b"}, at: 5, path: "+++w..."},

		{name: "stranded", words: "@a +a 0.0.1-rc.1=a 0.0.1=a @b 0.0.1-rc.2=b", host: &told{words: "a:success@5", head: "b"}, at: early, path: "++x....", want: "!stranded", message: "0.0.1-rc.2"},
		{name: "stranded, and a newer one goes on", words: "@a +a 0.0.1-rc.1=a 0.0.1=a @b 0.0.1-rc.2=b @c 0.0.2-rc.3=c", host: &told{head: "c"}, at: early, change: ask("b"), path: "++f....", want: "superseded"},
		{name: "stranded, and a rescue is under way", words: "@a +a 0.0.1-rc.1=a 0.0.1=a @b 0.0.1-rc.2=b", host: &told{words: "a:success@5", head: "b"}, at: early, change: meanwhile("b", "0.0.2-rc.2"), path: "++x...."},
		{name: "integration goes on with an older commit", words: live + "@b 0.1.0-rc.2=b @c 0.0.2-rc.3=c", host: &told{head: "c"}, at: early, path: "+++w...", want: "!stranded", message: "0.0.2-rc.3 (commit a000300), which is newer, is due 0.1.0-rc.3"},
		{name: "integration goes on with an older commit, and the newer is asked for", words: live + "@b 0.1.0-rc.2=b @c 0.0.2-rc.3=c", host: &told{head: "c"}, at: early, change: ask("c"), path: "++x....", want: "!stranded"},
		{name: "integration goes on with another branch", words: live + "@b 0.1.0-rc.2=b @c 0.0.2-rc.3=c", host: &told{head: "b", diverged: "b"}, at: early, path: "+++w..."},
		{name: "nobody knows whose commit is older", words: live + "@b 0.1.0-rc.2=b @c 0.0.2-rc.3=c", at: early, path: "+++?...", want: "token-cannot-read"},
		{name: "the order of commits is not told", words: live + "@b 0.1.0-rc.2=b @c 0.0.2-rc.3=c", host: &told{head: "b", err: map[string]error{"compare": errors.New("502")}}, at: early, path: "+++w...", want: "?github-not-read", message: "502"},
		{name: "lifted above an older commit", words: live + "@b 0.1.0-rc.2=b @c 0.0.2-rc.3=c 0.1.0-rc.3=c", host: &told{head: "c"}, at: early, path: "+++w..."},
		{name: "the older commit below a lifted one is validated and not promoted", words: live + "@b 0.1.0-rc.2=b @c 0.0.2-rc.3=c 0.1.0-rc.3=c", host: &told{words: "b:success@5", head: "c", promotions: "failure@7"}, at: early, path: "+++w...", want: "!validated-not-promoted", message: "0.1.0-rc.2"},
		{name: "followed before it was reported", words: oneMore + "@c 0.0.2-rc.3=c", host: &told{head: "c"}, at: early, change: ask("b"), path: "++f....", want: "superseded", message: "is followed by 0.0.2-rc.3"},
		{name: "followed, and its check was cancelled", words: oneMore + "@z 0.0.2-rc.26=z", host: &told{words: "b:cancelled@5", head: "z"}, at: early, change: ask("b"), path: "+++f...", want: "superseded", message: "is followed by 0.0.2-rc.26"},
		{name: "followed long ago, and its check was cancelled", words: oneMore + "@z 0.0.2-rc.26=z", host: &told{words: "b:cancelled@5", head: "z"}, at: 140, change: ask("b"), path: "+++f...", want: "!stuck superseded", message: "health check canceled"},
		{name: "followed, and the cluster has it still", words: oneMore + "@z 0.0.2-rc.26=z", host: &told{words: "b:cancelled@5", head: "z"}, at: 140, change: askBoth("b", "0.0.2-rc.2=b", "0.0.1=a"), path: "+++x...", want: "!no-report behind"},
		{name: "the newest's check was cancelled", words: oneMore, host: &told{words: "b:cancelled@5", head: "b"}, at: late, path: "+++x...", want: "!no-report", message: "health check canceled"},
		{name: "live long ago", words: live + "@b +b 0.0.2-rc.2=b 0.0.2=b @c +c 0.0.3-rc.3=c 0.0.3=c @d +d 0.0.4-rc.4=d 0.0.4=d @e +e 0.0.5-rc.5=e 0.0.5=e", host: &told{words: "e:success@5", head: "e"}, at: late, change: ask("a"), path: "+++++f.", want: "superseded", message: "0.0.1 was promoted"},
		{name: "candidates of another tool", words: "0.0.1-rc.1=a* 0.0.1=a* 0.0.2-rc.1=b*", host: &told{words: "a:success@5", head: "b"}, at: early, path: "+++w..."},
		{name: "live again after a rollback", words: "@a +a 0.0.1-rc.1=a 0.0.1=a @b +b 0.0.2-rc.2=b 0.0.2=b @c +c 0.0.3-rc.3=c 0.0.3=c 0.0.4=a 0.0.5=b", host: &told{words: "b:success@9", head: "c"}, at: late, change: ask("b"), path: "++++++?"},
		{name: "beside a stable by hand", words: "0.0.5=a @b 0.0.1-rc.2=b", host: &told{head: "b"}, at: early, path: "++x....", want: "!stranded", message: "is due 0.0.6-rc.2"},
		{name: "older than what is live", words: "@a 0.0.1-rc.1=a @b +b 0.0.1-rc.2=b 0.0.1=b", host: &told{words: "b:success@1", head: "b"}, at: late, change: ask("a"), path: "++f....", want: "superseded", message: "will not go live"},
		{name: "validated late", words: "@a 0.0.1-rc.1=a @b +b 0.0.1-rc.2=b 0.0.1=b", host: &told{words: "a:success@9", head: "b"}, at: late, change: ask("a"), path: "++++f..", want: "superseded"},
		{name: "rolled back", words: "@a +a 0.0.1-rc.1=a 0.0.1=a @b +b 0.0.2-rc.2=b 0.0.2=b 0.0.3=a", host: &told{words: "b:success@9", head: "b"}, at: late, path: "+++++f.", want: "superseded", message: "rolled back"},
		{name: "held back by a rollback", words: "@a +a 0.0.1-rc.1=a 0.0.1=a @b +b 0.0.2-rc.2=b 0.0.2=b @c 0.0.3-rc.3=c 0.0.3=a", host: &told{head: "c"}, at: late, path: "++f....", want: "superseded", message: "is held back: live was rolled back to 0.0."},

		{name: "a rollback took the version of what was validated", words: "@a +a 0.0.1-rc.1=a 0.0.1=a @b +b 0.0.2-rc.2=b 0.0.2=b @c +c 0.0.3-rc.3=c 0.0.3=a", host: &told{words: "b:success@9", head: "c"}, at: late, path: "++++f..", want: "superseded", message: "is held back"},
		{name: "it does not tell its height", words: live + "0.0.2-rc.9=b*", host: &told{head: "b"}, at: early, path: "+++f...", want: "superseded", message: "does not tell the height"},
		{name: "the oldest is stuck, the newest is young", words: live + "@b 0.0.2-rc.2=b @z 0.0.2-rc.26=z", host: &told{words: "b:failure@5", head: "z"}, at: 140, path: "+++w...", want: "!stuck", message: "0.0.2-rc.2"},
		{name: "built again lately", words: oneMore, host: &told{builds: "b:success@100", head: "b"}, at: 190, path: "+++w..."},
		{name: "a commit's time to come", words: live + "@z 0.0.2-rc.26=z", host: &told{head: "z", builds: "z:success@-22"}, at: 10, change: within(time.Minute), path: "+++x...", want: "!no-report"},
		{name: "the newest is superseded and was not healthy", words: "@a 0.0.1-rc.1=a @b +b 0.0.1-rc.2=b 0.0.1=b", host: &told{words: "a:failure@9", head: "b"}, at: late, change: ask("a"), path: "+++f...", want: "superseded"},
		{name: "not healthy, and rolled back for it", words: "@a +a 0.0.1-rc.1=a 0.0.1=a @b +b 0.0.2-rc.2=b 0.0.2=b 0.0.3=a", host: &told{words: "b:failure@50", head: "b"}, at: late, path: "+++++f.", want: "superseded"},
		{name: "rolled back a long way", words: "@a +a 0.0.1-rc.1=a 0.0.1=a @b +b 0.0.2-rc.2=b 0.0.2=b @c +c 0.0.3-rc.3=c 0.0.3=c @d +d 0.0.4-rc.4=d 0.0.4=d @e +e 0.0.5-rc.5=e 0.0.5=e @f +f 0.0.6-rc.6=f 0.0.6=f @g 0.0.7-rc.7=g 0.0.8=a",
			host: &told{head: "g"}, at: late, path: "++f....", want: "superseded", message: "is held back: live was rolled back to 0.0."},
		{name: "rescued, nobody knows when", words: live + "@b 0.0.1-rc.2=b 0.0.2-rc.2=b", host: &told{head: "b"}, at: 190, path: "+++x...", want: "?no-report"},
		{name: "rescued long ago", words: live + "@b 0.0.1-rc.2=b 0.0.2-rc.2=b", host: &told{head: "b"}, at: 1900, path: "+++x...", want: "!no-report"},
		{name: "stuck without a token", words: oneMore, at: late, path: "+++?...", want: "!stuck token-cannot-read"},
		{name: "rescued lately", words: live + "@b 0.0.1-rc.2=b 0.0.2-rc.2=b", host: &told{words: "a:success@100", head: "b"}, at: 190, path: "+++w..."},
		{name: "the head is not built", words: live, host: &told{words: "a:success@5", head: "b"}, at: late, path: "++++++?", want: "!head-not-built", message: "no workflow ran"},
		{name: "the head is not built, and no path is set", words: live, host: &told{words: "a:success@5", head: "b"}, at: late, change: anyPath, path: "++++++?", want: "?head-not-built"},
		{name: "the head is young", words: live, host: &told{words: "a:success@5", head: "b"}, at: early, path: "++++++?"},
		{name: "the build of the head failed", words: live, host: &told{words: "a:success@5", head: "b", builds: "b:failure@1"}, at: early, path: "++++++?", want: "!build-failed"},
		{name: "the build of the head failed, and no path is set", words: live, host: &told{words: "a:success@5", head: "b", builds: "b:failure@1"}, at: early, change: anyPath, path: "++++++?", want: "!build-failed"},
		{name: "the build of the head does not end", words: live, host: &told{words: "a:success@5", head: "b", builds: "b:queued@1"}, at: 4000, path: "++++++?", want: "!build-failed", message: "does not end"},
		{name: "the build of the head is under way", words: live, host: &told{words: "a:success@5", head: "b", builds: "b:in_progress@100"}, at: late, path: "++++++?"},
		{name: "neither the asked one nor the head is built", words: live, host: &told{words: "a:success@5", head: "c", builds: "c:failure@1"}, at: early, change: ask("b"), path: "x......", want: "!not-built !build-failed"},
		{name: "asked by a longer tag than there is", words: live, host: &told{words: "a:success@5", head: "a"}, at: late, change: longTags("a"), path: "++++++?"},
		{name: "the build of the head pushed nothing", words: live, host: &told{words: "a:success@5", head: "b", builds: "b:success@1"}, at: late, path: "++++++?", want: "?head-not-built", message: "success"},
		{name: "a newer artifact contains the head", words: live + "@c 0.0.2-rc.3=c", host: &told{head: "b"}, at: early, path: "+++w..."},

		{name: "the constraint excludes candidates", words: oneMore, host: &told{words: "a:success@5", head: "b"}, at: early, change: integration(">= 0.0.0"), path: "++x....", want: "!not-selected-by-integration", message: "excludes it"},
		{name: "a foreign tag is higher", words: oneMore + "9.9.9-beta.1=a", host: &told{words: "a:success@5", head: "b"}, at: early, path: "++x....", want: "!not-selected-by-integration", message: "9.9.9-beta.1"},
		{name: "the constraint excludes the next candidate", words: live, host: &told{words: "a:success@5", head: "a"}, at: early, change: integration(">= 0.0.0"), path: "++++++?", want: "!not-selected-by-integration", message: "0.0.2-rc.2"},
		{name: "live would let candidates in", words: live, host: &told{words: "a:success@5", head: "a"}, at: early, change: onLive(">= 0.0.0-0"), path: "++++++?", want: "!not-selected-by-live", message: "nobody validated"},
		{name: "live picks the wrong version", words: live + "v2.0.0=b", host: &told{words: "a:success@5", head: "a"}, at: late, change: integration(">= 0.0.0-0 < 2.0.0-0"), path: "+++++x.", want: "!not-selected-by-live", message: `"v2.0.0"`},
		{name: "the constraint excludes the stable", words: live, host: &told{words: "a:success@5", head: "a"}, at: late, change: onLive(">= 1.0.0"), path: "+++++x.", want: "!not-selected-by-live", message: "selects nothing"},
		{name: "live lets candidates in", words: oneMore, host: &told{words: "a:success@5", head: "b"}, at: early, change: onLive(">= 0.0.0-0"), path: "+++w...", want: "!not-selected-by-live", message: "0.0.2-rc.2"},

		{name: "integration's constraint is read in two ways", words: oneMore, host: &told{words: "a:success@5", head: "b"}, at: early, change: integration(">= 0.0.0-0 < 2.0.0"), path: "+++w...", want: "?not-selected-by-integration", message: `source-controller 1.7.0 (Flux 2.7) and later selects "0.0.2-rc.2", an older one "0.0.1"`},
		{name: "the next candidate will tell two ways apart", words: live, host: &told{words: "a:success@5", head: "a"}, at: early, change: integration(">= 0.0.0-0 < 2.0.0"), path: "++++++?", want: "?not-selected-by-integration", message: `selects "0.0.2-rc.2" once 0.0.2-rc.2 is built, an older one "0.0.1"`},
		{name: "live's constraint lets candidates in by the older way", words: oneMore, host: &told{words: "a:success@5", head: "b"}, at: early, change: onLive("!= 0.0.9"), path: "+++w...", want: "?not-selected-by-live", message: `later selects "0.0.1", an older one "0.0.2-rc.2"`},
		{name: "live's constraint lets candidates in by the newer way", words: oneMore, host: &told{words: "a:success@5", head: "b"}, at: early, change: onLive(">= 0.0.0, != 1.0.0-rc.1"), path: "+++w...", want: "!not-selected-by-live", message: `later selects "0.0.2-rc.2", an older one "0.0.1"`},
		{name: "no report", words: oneMore, host: &told{words: "a:success@5", head: "b"}, at: late, path: "+++x...", want: "!no-report", message: "its report did not arrive"},
		{name: "no end of a report", words: oneMore, host: &told{words: "b:pending@5", head: "b"}, at: late, path: "+++x...", want: "!no-report", message: "pending"},
		{name: "not healthy", words: oneMore, host: &told{words: "b:failure@5", head: "b"}, at: early, path: "+++x...", want: "!validation-failed", message: "what Flux says"},
		{name: "no longer healthy", words: live, host: &told{words: "a:failure@50", head: "a"}, at: late, path: "++++++?", want: "?validation-failed", message: "was promoted"},
		{name: "validated, and no promotion ran", words: oneMore, host: &told{words: "b:success@5", head: "b"}, at: 60, path: "++++x..", want: "!validated-not-promoted", message: "no workflow run"},
		{name: "validated, and a schedule may promote it", words: oneMore, host: &told{words: "b:success@5", head: "b"}, at: early, path: "++++x..", want: "?validated-not-promoted", message: "no workflow run"},
		{name: "validated, and another's promotion failed too", words: oneMore, host: &told{words: "b:success@5", head: "b", promotions: "failure@7 success@6"}, at: 8, path: "++++w.."},
		{name: "the oldest is validated and not promoted", words: oneMore + "@c 0.0.2-rc.3=c", host: &told{words: "b:success@5", head: "c", promotions: "failure@7"}, at: early, path: "+++w...", want: "!validated-not-promoted", message: "0.0.2-rc.2"},
		{name: "a word on a commit of two artifacts", words: "@x +x 0.0.1-rc.24=x 0.0.1=x sha-of-x=x' integration-of-x=x' 0.0.2-rc.24=x'", host: &told{words: "x:success@5", head: "x"}, at: 60, path: "+++w...", want: "?tag-moved"},
		{name: "an older one's promotion is under way", words: oneMore + "+b @c 0.0.2-rc.3=c", host: &told{words: "b:success@5", head: "c", promotions: "in_progress@7"}, at: 8, path: "+++w..."},
		{name: "validated, and the promotion failed", words: oneMore, host: &told{words: "b:success@5", head: "b", promotions: "failure@7"}, at: 8, path: "++++x..", want: "!validated-not-promoted", message: "ended with failure (https://"},
		{name: "validated, and the promotion was evicted", words: oneMore, host: &told{words: "b:success@5", head: "b", promotions: "cancelled@7"}, at: 8, path: "++++x..", want: "!validated-not-promoted", message: "cancelled"},
		{name: "validated, and the promotion was skipped", words: oneMore, host: &told{words: "b:success@5", head: "b", promotions: "skipped@7"}, at: early, path: "++++x..", want: "!validated-not-promoted", message: "skipped"},
		{name: "validated, and the promotion ignored it", words: oneMore, host: &told{words: "b:success@5", head: "b", promotions: "success@7"}, at: early, path: "++++x..", want: "!validated-not-promoted", message: "did not promote it"},
		{name: "validated, and its report started verify alone", words: oneMore, host: &told{words: "b:success@5", head: "b", promotions: "~skipped@6 ~in_progress@28"}, at: early, path: "++++x..", want: "?validated-not-promoted", message: "no workflow run was started by its report"},
		{name: "promoted halfway, and verify is under way", words: oneMore + "+b @c 0.0.3-rc.3=c", host: &told{head: "c", promotions: "~in_progress@7"}, at: 8, path: "+++w...", want: "!half-promoted"},
		{name: "validated a moment ago", words: oneMore, host: &told{words: "b:success@5", head: "b"}, at: 8, path: "++++w.."},
		{name: "validated, and it soaks", words: oneMore, host: &told{words: "b:success@5", head: "b", promotions: "success@6"}, at: early, change: soaking(time.Hour), path: "++++w.."},
		{name: "validated, it soaks, and the run of its report failed", words: oneMore, host: &told{words: "b:success@5", head: "b", promotions: "failure@6"}, at: early, change: soaking(time.Hour), path: "++++w.."},
		{name: "its soak is over", words: oneMore, host: &told{words: "b:success@5", head: "b", promotions: "success@6"}, at: 75, change: soaking(time.Hour), path: "++++w.."},
		{name: "its soak is over, and the schedule is late", words: oneMore, host: &told{words: "b:success@5", head: "b", promotions: "success@6"}, at: 95, change: soaking(time.Hour), path: "++++x..", want: "?validated-not-promoted", message: "its soak of 1h ended at 2026-01-01T01:07:00Z"},
		{name: "its soak is over, and no schedule promotes it", words: oneMore, host: &told{words: "b:success@5", head: "b", promotions: "success@6"}, at: 115, change: soaking(time.Hour), path: "++++x..", want: "!validated-not-promoted", message: "its soak of 1h ended"},
		{name: "it soaks longer than max-age", words: oneMore, host: &told{words: "b:success@5", head: "b"}, at: late, change: soaking(6 * time.Hour), path: "++++w.."},
		{name: "the oldest soaks longer than max-age", words: oneMore + "@z 0.0.2-rc.26=z", host: &told{words: "b:success@5", head: "z"}, at: 145, change: soaking(6 * time.Hour), path: "+++w..."},
		{name: "promoted halfway", words: oneMore + "+b", host: &told{words: "b:success@5", head: "b"}, at: 8, path: "++++x..", want: "!half-promoted", message: "validated-"},
		{name: "an older one is promoted halfway", words: oneMore + "+b @c 0.0.2-rc.3=c", host: &told{head: "c"}, at: 8, path: "+++w...", want: "!half-promoted"},
		{name: "the promotion repeats", words: live, host: &told{words: "a:success@5", head: "a", promotions: "success@125 success@135 success@145 success@155"}, at: 160, path: "++++++?", want: "promotion-repeats", message: "that is normal"},

		{name: "the commit's tags disagree", words: oneMore + "sha-of-b=a", host: &told{head: "b"}, at: early, path: "+++w...", want: "!tag-moved", message: "disagree"},
		{name: "the commit was built twice", words: live + "@x 0.0.2-rc.24=x sha-of-x=x' integration-of-x=x' 0.0.3-rc.24=x'", host: &told{head: "x"}, at: early, path: "+++w..."},
		{name: "what is live was built again", words: "@x +x 0.0.1-rc.24=x 0.0.1=x sha-of-x=x' integration-of-x=x' 0.0.2-rc.24=x'", host: &told{words: "x:success@5", head: "x"}, at: early, want: "?tag-moved", message: "disagree"},
		{name: "the stable was moved", words: "@a +a 0.0.1-rc.1=a @b 0.0.1-rc.2=b 0.0.1=b", host: &told{words: "b:success@5", head: "b"}, at: late, path: "++++++?", want: "!tag-moved", message: "was validated and has no stable"},
		{name: "the stable is of no candidate", words: "@a 0.0.1-rc.1=a @b 0.0.1=b", host: &told{words: "a:success@5", head: "a"}, at: late, want: "!tag-moved superseded", message: "none of its candidates"},
		{name: "another commit's artifact", words: live + "sha-of-b=a", host: &told{words: "a:success@5", head: "a"}, at: late, change: ask("b"), path: "++++++?", want: "!revision-mismatch", message: "names an artifact of commit"},
		{name: "no Flux artifact", words: live + "0.0.2-rc.1=0", host: &told{words: "a:success@5", head: "a"}, at: early, want: "!not-a-flux-artifact superseded", message: "0.0.2-rc.1"},
		{name: "no gzip for integration", words: live + "0.0.2-rc.1=0", host: &told{words: "a:success@5", head: "a"}, at: early, want: "!not-a-flux-artifact superseded", message: `its layer is "application/octet-stream", not a gzip-compressed tar by its type, and no gzip; Flux cannot unpack it (OCIArtifactLayerOperationFailed)`},
		{name: "another media type, and gzip", words: live + "0.0.2-rc.1=9", host: &told{words: "a:success@5", head: "a"}, at: early, want: "?not-a-flux-artifact superseded", message: "it is gzip, which Flux unpacks all the same"},
		{name: "what is live lost a blob, and nothing is reported", words: oneMore, host: &told{words: "a:success@5", head: "b"}, at: late, change: loseLayer("a"), path: "+++x...", want: "!missing-blob !no-report"},
		{name: "built twice, and the second is promoted", words: "@x 0.0.1-rc.24=x sha-of-x=x' integration-of-x=x' 0.0.2-rc.24=x' validated-of-x=x' 0.0.2=x'", host: &told{head: "x"}, at: early, path: "++++++?"},
		{name: "a blob is gone", words: live, host: &told{words: "a:success@5", head: "a"}, at: late, change: loseLayer("a"), path: "++++++?", want: "!missing-blob", message: "0.0.1"},
		{name: "a manifest is gone", words: live + "@b 0.0.2-rc.2=b", host: &told{words: "a:success@5", head: "a"}, at: late, change: loseManifest("b"), want: "!missing-blob", message: "0.0.2-rc.2"},

		{name: "healthy clusters", words: oneMore + "+b 0.0.2=b", host: &told{words: "b:success@9", head: "b"}, at: late, change: both("0.0.2=b", "0.0.2=b"), path: "+++++++"},
		{name: "integration has it, and applies it", words: oneMore, host: &told{head: "b"}, at: early, change: both("0.0.2-rc.2=b", "0.0.1=a", "INTEGRATION_READY", "Unknown"), path: "+++w..."},
		{name: "integration has not taken it yet", words: oneMore, host: &told{head: "b"}, at: early, change: both("0.0.1=a", "0.0.1=a"), path: "++w....", want: "behind"},
		{name: "integration does not take it", words: oneMore, host: &told{head: "b"}, at: late, change: both("0.0.1=a", "0.0.1=a"), path: "++x....", want: "!behind"},
		{name: "integration finds no match", words: oneMore, host: &told{head: "b"}, at: late, change: both("0.0.1=a", "0.0.1=a", "INTEGRATION_SOURCE", "False"), path: "++x....", want: "!source-not-ready", message: "no match"},
		{name: "the clusters were there before the first push", host: &told{}, at: late, change: both("0.0.1=a", "0.0.1=a", "INTEGRATION_SOURCE", "False", "LIVE_SOURCE", "False",
			`"reason":"Succeeded","message":"no match found for semver"`, `"reason":"ReadOperationFailed","message":"GET https://registry.test/v2/acme/fleet/tags/list: NAME_UNKNOWN: repository name not known to registry"`),
			path: "x......", want: "!not-built source-not-ready source-not-ready", message: "nothing was ever pushed"},
		{name: "live's source still fails after the first promotion", words: oneMore + "+b 0.0.2=b", host: &told{words: "b:success@20", head: "b"}, at: early,
			change: both("0.0.2=b", "0.0.1=a", "LIVE_SOURCE", "False"), path: "+++++w.", want: "source-not-ready", message: "not by spec.interval"},
		{name: "live's source fails, and it is not known when it was promoted", words: oneMore + "+b 0.0.2=b", at: late,
			change: both("0.0.2=b", "0.0.1=a", "LIVE_SOURCE", "False"), path: "+++++w.", want: "?source-not-ready token-cannot-read", message: "no match"},
		{name: "live's source fails, long after the promotion", words: oneMore + "+b 0.0.2=b", host: &told{words: "b:success@20", head: "b"}, at: late,
			change: both("0.0.2=b", "0.0.1=a", "LIVE_SOURCE", "False"), path: "+++++x.", want: "!source-not-ready", message: "no match"},
		{name: "integration's constraint", words: oneMore, host: &told{head: "b"}, at: late, change: both("0.0.1=a", "0.0.1=a", "INTEGRATION_SEMVER", ">= 0.0.0"), path: "++x....", want: "!wrong-semver"},
		{name: "integration is not healthy", words: oneMore, host: &told{words: "b:failure@5", head: "b"}, at: late, change: both("0.0.2-rc.2=b", "0.0.1=a", "INTEGRATION_READY", "False"), path: "+++x...", want: "!kustomization-failing", message: "HealthCheckFailed"},
		{name: "nobody reports", words: oneMore, host: &told{head: "b"}, at: late, change: both("0.0.2-rc.2=b", "0.0.1=a", `"platform"}]`, `"platform-dev"}]`), path: "+++x...", want: "!alert-wrong-source"},
		{name: "the report does not arrive", words: oneMore, host: &told{head: "b"}, at: late, change: both("0.0.2-rc.2=b", "0.0.1=a"), path: "+++x...", want: "!provider-failing", message: "did not reach commit"},
		{name: "the report does not arrive, and the Alert says why", words: oneMore, host: &told{head: "b"}, at: late, change: both("0.0.2-rc.2=b", "0.0.1=a", providerJSON, refusedJSON+providerJSON),
			path: "+++x...", want: "!provider-failing", message: "403 Resource not accessible"},
		{name: "a report did not arrive, and another did", words: oneMore + "+b 0.0.2=b", host: &told{words: "b:success@9", head: "b"}, at: late, change: both("0.0.2=b", "0.0.2=b", providerJSON, refusedJSON+providerJSON),
			path: "+++++++", want: "?provider-failing", message: "all the same"},
		{name: "the reports go to another commit", words: oneMore, host: &told{head: "b"}, at: late, change: both("0.0.2-rc.2=b", "0.0.1=a", kustomizationJSON, kustomizationJSON+annotationJSON),
			path: "+++x...", want: "!no-report ?wrong-commit ?wrong-commit", message: "every report of it goes to commit"},
		{name: "the reports go to another commit, and nothing is late", words: oneMore, host: &told{head: "b"}, at: early, change: both("0.0.2-rc.2=b", "0.0.1=a", kustomizationJSON, kustomizationJSON+annotationJSON),
			path: "+++w...", want: "?wrong-commit ?wrong-commit"},
		{name: "promoted just now, live follows", words: oneMore + "+b 0.0.2=b", host: &told{head: "b"}, at: late, change: both("0.0.2=b", "0.0.1=a"), path: "+++++w.", want: "?behind"},
		{name: "promoted long ago, live does not follow", words: oneMore + "+b 0.0.2=b", host: &told{words: "b:success@9", head: "b"}, at: late, change: both("0.0.2=b", "0.0.1=a"), path: "+++++x.", want: "!behind"},
		{name: "live is pinned", words: oneMore + "+b 0.0.2=b", host: &told{words: "b:success@9", head: "b"}, at: late, change: both("0.0.2=b", "0.0.1=a", `"semver":"LIVE_SEMVER"`, `"tag":"0.0.1"`), path: "+++++x.", want: "!pinned", message: "0.0.1"},
		{name: "live has another digest", words: oneMore + "+b 0.0.2=b", host: &told{words: "b:success@9", head: "b"}, at: late, change: both("0.0.2=b", "0.0.2=a"), path: "+++++x.", want: "!tag-moved"},

		{name: "rolled back, and nobody knows when", words: oneMore + "+b 0.0.2=b 0.0.3=a", host: &told{words: "a:success@1 b:success@9", head: "b"}, at: late, change: both("0.0.3=a", "0.0.2=b"), path: "+++++++", want: "?behind"},
		{name: "the token may not read statuses", words: oneMore, host: &told{head: "b", err: map[string]error{"statuses": forbidden{errors.New("403")}}}, at: early, path: "+++?...", want: "?token-cannot-read", message: "403"},
		{name: "the token may not read runs, and nothing is reported", words: oneMore, host: &told{head: "b", err: map[string]error{"runs": forbidden{errors.New("403")}}}, at: late, path: "+++x...", want: "!no-report ?token-cannot-read"},
		{name: "GitHub does not answer", words: live, host: &told{err: map[string]error{"head": errors.New("500 Unicorn"), "statuses": errors.New("500 Unicorn")}}, at: late, path: "++++++?", want: "?github-not-read", message: "Unicorn"},
	}
	for failure, name := range commonFailures {
		if !slices.ContainsFunc(tests, func(test verifyRow) bool { return test.name == name && test.want != "" && test.message != "" }) {
			t.Errorf("%s: no row %q has its code and its words", failure, name)
		}
	}
	for _, test := range tests {
		t.Run(test.name, test.check)
	}
}

// check verifies what the row tells, and compares.
func (row verifyRow) check(t *testing.T) {
	s := newShelf(t, expand(row.words))
	var host Host
	if row.host != nil {
		row.host.s = s
		host = row.host
	}
	v := verifyOf(t, s, host, row.at)
	if row.change != nil {
		row.change(t, s, &v)
	}
	s.Before = func(tag string) error { return fmt.Errorf("verify wrote %s", tag) }
	r, err := v.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := codes(r.Findings); got != row.want {
		t.Errorf("findings %q, want %q\n%s", got, row.want, wholeOf(r))
	}
	if row.path != "" && letters(r.Path) != row.path {
		t.Errorf("path %q, want %q\n%s", letters(r.Path), row.path, wholeOf(r))
	}
	if row.message != "" && (len(r.Findings) == 0 || !strings.Contains(r.Findings[0].Message, row.message)) {
		t.Errorf("no %q in\n%s", row.message, wholeOf(r))
	}
	if (r.Outcome == pipeline.Unhealthy) != strings.HasPrefix(row.want, "!") {
		t.Errorf("outcome %s", r.Outcome)
	}
	for _, f := range r.Findings {
		if f.Hint == "" || f.Stage == "" || strings.ContainsAny(f.Message+f.Hint, "\r\n") {
			t.Errorf("not one line with a hint and a stage: %+v", f)
		}
	}
}

// expand writes tags of commits by their letter: sha-=b is sha-<b>=b, sha-of-b=a names another.
func expand(words string) string {
	var all []string
	for word := range strings.FieldsSeq(words) {
		tag, letter, _ := strings.Cut(word, "=")
		for _, prefix := range []string{pipeline.SHAPrefix, pipeline.IntegrationPrefix, pipeline.ValidatedPrefix} {
			switch {
			case tag == prefix:
				word = pipelinetest.Tag(prefix, letter) + "=" + letter
			case strings.HasPrefix(tag, prefix+"of-"):
				word = pipelinetest.Tag(prefix, tag[len(prefix+"of-"):]) + "=" + letter
			}
		}
		all = append(all, word)
	}
	return strings.Join(all, " ")
}

func wholeOf(r pipeline.Report) string {
	var b strings.Builder
	for _, step := range r.Path {
		fmt.Fprintf(&b, "  %s: %s %s %+v\n", step.Stage, step.State, step.At.Format(time.TimeOnly), step.Evidence)
	}
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "  %s %s [%s] %s\n    %s\n", f.Severity, f.Code, f.Stage, f.Message, f.Hint)
	}
	return b.String()
}

func ask(letter string) func(*testing.T, *shelf, *Verify) {
	return func(_ *testing.T, _ *shelf, v *Verify) { v.Commit = pipelinetest.CommitOf(letter) }
}

// clusterJSON is a cluster in the form that kubectl prints.
const clusterJSON = `{"kind":"List","items":[
{"kind":"OCIRepository","apiVersion":"source.toolkit.fluxcd.io/v1","metadata":{"name":"platform","namespace":"flux-system","generation":1},
 "spec":{"url":"oci://registry.test/acme/fleet","ref":{"semver":"ROLE_SEMVER"}},
 "status":{"observedGeneration":1,"conditions":[{"type":"Ready","status":"ROLE_SOURCE","reason":"Succeeded","message":"no match found for semver","lastTransitionTime":"2025-12-31T23:24:00Z","observedGeneration":1}],
  "artifact":{"revision":"REVISION","lastUpdateTime":"2026-01-01T00:09:00Z"}}},
{"kind":"Kustomization","apiVersion":"kustomize.toolkit.fluxcd.io/v1","metadata":{"name":"platform","namespace":"flux-system","generation":1},
 "spec":{"wait":true,"sourceRef":{"kind":"OCIRepository","name":"platform"}},
 "status":{"observedGeneration":1,"lastAppliedRevision":"REVISION","lastAttemptedRevision":"REVISION",
  "conditions":[{"type":"Ready","status":"ROLE_READY","reason":"HealthCheckFailed","message":"health check failed: Deployment/apps/web","lastTransitionTime":"2026-01-01T00:14:00Z","observedGeneration":1}]}},
{"kind":"Alert","apiVersion":"notification.toolkit.fluxcd.io/v1beta3","metadata":{"name":"status","namespace":"flux-system"},
 "spec":{"eventSeverity":"info","providerRef":{"name":"status"},"eventSources":[{"kind":"Kustomization","name":"platform"}]}},
{"kind":"Provider","apiVersion":"notification.toolkit.fluxcd.io/v1beta3","metadata":{"name":"status","namespace":"flux-system"},
 "spec":{"type":"github","address":"https://github.com/acme/fleet","secretRef":{"name":"token"}}}]}`

// refusedJSON is what an Alert says of a report that did not get out, to stand before its Provider.
const (
	providerJSON = `{"kind":"Provider","apiVersion"`
	refusedJSON  = `{"kind":"Event","apiVersion":"v1","reason":"NotificationDispatchFailed","involvedObject":{"kind":"Alert","name":"status","namespace":"flux-system"},"lastTimestamp":"2026-01-01T00:14:01Z",
 "message":"failed to send notification for Kustomization/flux-system/platform: could not create commit status: 403 Resource not accessible by personal access token []"},`
)

// annotationJSON follows the start of a Kustomization whose reports all go to one commit.
const (
	kustomizationJSON = `"kind":"Kustomization","apiVersion":"kustomize.toolkit.fluxcd.io/v1","metadata":{`
	annotationJSON    = `"annotations":{"event.toolkit.fluxcd.io/commit":"sha1:70697a6bf3487ae0c8bb443dc328309abb0cf31a"},`
)

// both are the states of both clusters, which have TAG=LETTER. Changes are pairs of what is
// replaced and by what.
func both(onIntegration, onLive string, changes ...string) func(*testing.T, *shelf, *Verify) {
	return func(t *testing.T, s *shelf, v *Verify) {
		v.Gate = cluster.Gate{Name: "platform", Repository: "acme/fleet", Server: "https://github.com"}
		for role, has := range map[cluster.Role]string{cluster.Integration: onIntegration, cluster.Live: onLive} {
			tag, letter, _ := strings.Cut(has, "=")
			text := strings.ReplaceAll(clusterJSON, "ROLE", strings.ToUpper(string(role)))
			text = strings.NewReplacer(changes...).Replace(text)
			semver := map[cluster.Role]string{cluster.Integration: ">= 0.0.0-0", cluster.Live: ">= 0.0.0"}[role]
			text = regexp.MustCompile("[A-Z]+_SEMVER").ReplaceAllString(text, semver)
			text = regexp.MustCompile("[A-Z]+_(SOURCE|READY)").ReplaceAllString(text, "True")
			text = strings.ReplaceAll(text, "REVISION", tag+"@"+s.Digests[letter].String())
			state := &cluster.State{Role: role}
			if err := state.Add(string(role)+".json", strings.NewReader(text)); err != nil {
				t.Fatal(err)
			}
			v.States = append(v.States, state)
		}
	}
}

// askBoth asks for a commit, with the states of both clusters.
func askBoth(letter, onIntegration, onLive string) func(*testing.T, *shelf, *Verify) {
	return func(t *testing.T, s *shelf, v *Verify) { ask(letter)(t, s, v); both(onIntegration, onLive)(t, s, v) }
}

func soaking(d time.Duration) func(*testing.T, *shelf, *Verify) {
	return func(_ *testing.T, _ *shelf, v *Verify) { v.Soak = d }
}

func within(d time.Duration) func(*testing.T, *shelf, *Verify) {
	return func(_ *testing.T, _ *shelf, v *Verify) { v.MaxAge = d }
}

// meanwhile is another run, which writes one more tag while verify looks: after its list.
func meanwhile(letter, tag string) func(*testing.T, *shelf, *Verify) {
	return func(_ *testing.T, s *shelf, _ *Verify) { s.listed = func(t *testing.T) { s.Put(t, letter, tag) } }
}

func longTags(letter string) func(*testing.T, *shelf, *Verify) {
	return func(t *testing.T, s *shelf, v *Verify) { ask(letter)(t, s, v); v.SHALength = 12 }
}

func anyPath(_ *testing.T, _ *shelf, v *Verify) { v.Path = "." }

func askShort(letter string) func(*testing.T, *shelf, *Verify) {
	return func(_ *testing.T, _ *shelf, v *Verify) { v.Commit = pipelinetest.CommitOf(letter)[:7] }
}

func integration(constraint string) func(*testing.T, *shelf, *Verify) {
	return func(_ *testing.T, _ *shelf, v *Verify) {
		v.Clusters.Integration = must(version.ParseConstraint(constraint))
	}
}

func onLive(constraint string) func(*testing.T, *shelf, *Verify) {
	return func(_ *testing.T, _ *shelf, v *Verify) { v.Clusters.Live = must(version.ParseConstraint(constraint)) }
}

func loseLayer(letter string) func(*testing.T, *shelf, *Verify) {
	return func(t *testing.T, s *shelf, _ *Verify) {
		a := must((&pipeline.Store{Repo: s, Name: "test"}).Read(t.Context(), s.Digests[letter].String()))
		s.Lose(t, a.Layer)
	}
}

func loseManifest(letter string) func(*testing.T, *shelf, *Verify) {
	return func(t *testing.T, s *shelf, _ *Verify) { s.Lose(t, s.Digests[letter]) }
}
