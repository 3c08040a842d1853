package promote

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
)

// steady is a store in which a is live, b and c are in flight, and no candidate was passed.
const steady = "0.0.1-rc.1=a 0.0.1=a +a @b 0.0.2-rc.2=b @c 0.0.2-rc.3=c"

type soakRow struct {
	name    string
	tags    string
	subject string // see subject; "" to catch up
	manual  string // see manual
	says    string // see saysOf
	now     int    // minute
	asked   string // of whom, in this order
	outcome pipeline.Outcome
	version string
	reason  string // part of it, or of an error
	next    string // part of it
}

var soakRows = []soakRow{
	{"old enough", steady, "c", "", "c: +0", 60, "c", pipeline.Promoted, "0.0.2", "0.0.2-rc.3 is validated, and healthy for 1h", ""},
	{"younger by a minute", steady, "c", "", "c: +0", 59, "c", pipeline.Pending, "", "healthy for 59m of 1h; the next run after 13:00 UTC promotes it", "on a schedule promotes it then"},
	{"just reported", steady, "c", "", "c: +0", 0, "c", pipeline.Pending, "", "healthy for 0s of 1h; the next run after 13:00 UTC", ""},
	{"a word from the future counts as now", steady, "c", "", "c: +5", 0, "c", pipeline.Pending, "", "healthy for 0s of 1h; the next run after 13:00 UTC", ""},
	{"till the next day", steady, "c", "", "c: +690", 700, "c", pipeline.Pending, "", "healthy for 10m of 1h; the next run after 2026-12-01 00:30 UTC", ""},
	{"a repeated success does not begin anew", steady, "c", "", "c: +0 +10 +50", 60, "c", pipeline.Promoted, "0.0.2", "", ""},
	{"a failure between does", steady, "c", "", "c: +0 -30 +40", 60, "c", pipeline.Pending, "", "healthy for 20m of 1h; the next run after 13:40 UTC", ""},
	{"and is over in time", steady, "c", "", "c: +0 -30 +40", 100, "c", pipeline.Promoted, "0.0.2", "", ""},
	{"a failure before it does not matter", steady, "c", "", "c: -0 +10", 70, "c", pipeline.Promoted, "0.0.2", "", ""},
	{"it fails by now", steady, "c", "", "c: +0 -59", 90, "c", pipeline.Pending, "", "status at 59 is failure", "begins anew"},
	{"no status at all", steady, "c", "", "", 90, "c", pipeline.Pending, "", "no commit status of integration's, and soak counts from those", "Provider of type github"},
	{"no answer", steady, "c", "", "c: error", 90, "c", "", "", "403", ""},
	{"more words than are read, all of them for health", steady, "c", "", "c: flood +40", 90, "c", "", "", "more commit statuses than are read", ""},
	{"and old enough", steady, "c", "", "c: flood +20", 90, "c", pipeline.Promoted, "0.0.2", "", ""},
	{"and broken", steady, "c", "", "c: flood -30 +40", 90, "c", pipeline.Pending, "", "healthy for 50m of 1h", ""},
	{"and failing", steady, "c", "", "c: flood -30", 90, "c", pipeline.Pending, "", "status at 30 is failure", ""},
	{"and none of them of it", steady, "c", "", "c: flood ", 90, "c", "", "", "more commit statuses than are read", ""},

	{"of the commit alone, by commit", steady, "commit c", "", "c: c0", 60, "c", pipeline.Promoted, "0.0.2", "", ""},
	{"of both, by commit", steady, "commit c", "", "c: c0 +30", 60, "c", pipeline.Promoted, "0.0.2", "", ""},
	{"of the commit alone, by digest", steady, "c", "", "c: c0", 60, "c", pipeline.Pending, "", "of the commit alone", "on a schedule"},
	{"of the commit alone does not count for a digest", steady, "c", "", "c: c0 +30 c40", 60, "c", pipeline.Pending, "", "healthy for 30m of 1h", ""},
	{"a failure of the commit alone ends it for a digest too", steady, "c", "", "c: +0 -30 +40", 60, "c", pipeline.Pending, "", "healthy for 20m", ""},

	{"integration went on, late enough", steady, "b", "", "b: +0; c: -60", 61, "bc", pipeline.Promoted, "0.0.2", "healthy for 1h", ""},
	{"integration went on too early", steady, "b", "", "b: +0; c: -12 +20", 90, "bc", pipeline.Pending, "", "integration went on to 0.0.2-rc.3 after 12m of 1h", "the newest candidate goes live"},
	{"it went on before", steady, "b", "", "b: +30; c: +0", 95, "bc", pipeline.Pending, "", "after 0s of 1h", ""},
	{"it went on in the future", steady, "b", "", "b: +0; c: +80", 60, "bc", pipeline.Promoted, "0.0.2", "", ""},
	{"it has not said anything of the next", steady, "b", "", "b: +0", 60, "bc", pipeline.Promoted, "0.0.2", "", ""},
	{"it has not, and it is too early", steady, "b", "", "b: +0", 20, "bc", pipeline.Pending, "", "healthy for 20m of 1h", ""},
	{"the first above that has a word counts", steady + " 0.0.2-rc.4=d 0.0.2-rc.5=e", "b", "", "b: +0; d: -40; e: -20", 90, "bcd", pipeline.Pending, "", "went on to 0.0.2-rc.4 after 40m of 1h", ""},
	{"of the next there is no answer", steady, "b", "", "b: +0; c: error", 90, "bc", "", "", "403", ""},
	{"the next has more words than are read", steady, "b", "", "b: +0; c: flood +70", 90, "bc", "", "", "more commit statuses than are read", ""},
	{"which tell all the same", steady, "b", "", "b: +0; c: flood +50", 90, "bc", pipeline.Pending, "", "went on to 0.0.2-rc.3 after 50m", ""},
	{"the newest failed, so that nobody went on from it", steady, "c", "", "c: +0; b: -90", 91, "c", pipeline.Promoted, "0.0.2", "", ""},
	{"the next was passed too, and not lifted yet", "0.0.1-rc.1=a 0.0.1=a +a 0.0.1-rc.2=b 0.0.1-rc.3=c", "b", "", "b: +0; c: -12", 90, "bc", pipeline.Pending, "", "went on to 0.0.1-rc.3 after 12m of 1h", ""},
	{"the next is below", "0.0.1-rc.1=a 0.0.1=a +a 0.0.1-rc.3=c 0.0.2-rc.2=b", "b", "", "b: +0; c: -10", 90, "b", pipeline.Promoted, "0.0.2", "", ""},
	{"another of its own candidates", "0.0.1-rc.2=b 0.0.2-rc.2=b", "b", "", "b: +0", 60, "b", pipeline.Promoted, "0.0.2", "", ""},
	{"above it is what tells no commit", "0.0.1-rc.2=b 0.0.2-rc.9=0", "b", "", "b: +0", 60, "b", pipeline.Promoted, "0.0.1", "", ""},
	{"eight above it have no word", "0.0.1-rc.1=a " + inFlight("bcdefghi"), "a", "", "a: +0", 60, "abcdefghi", pipeline.Promoted, "0.0.1", "", ""},
	{"more than eight have none", "0.0.1-rc.1=a " + inFlight("bcdefghij"), "a", "", "a: +0; j: -1", 60, "abcdefghi", pipeline.Pending, "", "is not known: 8 candidates above it", "the newest candidate"},
	{"the eighth has one", "0.0.1-rc.1=a " + inFlight("bcdefghij"), "a", "", "a: +0; i: -60", 60, "abcdefghi", pipeline.Promoted, "0.0.1", "", ""},

	{"lifted, which begins anew", "0.0.1-rc.1=a 0.0.1=a +a 0.0.1-rc.2=b 0.0.2-rc.2=b", "b", "", "b: +0@0.0.1-rc.2 +40@0.0.2-rc.2", 60, "b", pipeline.Pending, "", "healthy for 20m of 1h; the next run after 13:40", ""},
	{"lifted long ago", "0.0.1-rc.1=a 0.0.1=a +a 0.0.1-rc.2=b 0.0.2-rc.2=b", "b", "", "b: +0@0.0.1-rc.2 +40@0.0.2-rc.2", 100, "b", pipeline.Promoted, "0.0.2", "", ""},
	{"lifted from what is no candidate", "0.0.1-rc.1=a 0.0.1=a +a 0.0.2-rc.2=b", "b", "", "b: +0@latest +40@0.0.2-rc.2", 60, "b", pipeline.Pending, "", "healthy for 20m of 1h", ""},

	{"what a stable names already is not asked about", "0.0.1-rc.1=a 0.0.1=a +a", "a", "", "a: error", 0, "", pipeline.Unchanged, "0.0.1", "", ""},
	{"nor what is superseded", two + " 0.0.1=b +b", "a", "", "a: error", 0, "", pipeline.Superseded, "", "not older", ""},
	{"nor what has no candidate", "@a 0.0.1-rc.2=b", "a", "", "a: error", 0, "", pipeline.Pending, "", "no candidate names", ""},
	{"nor what is in doubt", "@a 0.0.1-rc.1=a' 0.0.2-rc.1=a", "commit a", "", "a: error", 0, "", pipeline.Pending, "", "two artifacts", ""},
	{"nor what is refused", "0.0.1-rc.1=a 0.0.1=a +a @b 0.0.2-rc.2=b", "b", "0.0.1", "b: error", 0, "", "", "", "a stable never moves", ""},

	{"a version with an event: old enough", steady, "c", "1.0.0", "c: +0", 60, "c", pipeline.Promoted, "1.0.0", "by hand", ""},
	{"a version with an event: too young", steady, "c", "1.0.0", "c: +0", 20, "c", pipeline.Pending, "", "healthy for 20m of 1h", "run this again after 13:00 UTC"},
	{"a version with an event, without a candidate: integration has others", "@b 0.0.2-rc.3=c", "b", "1.0.0", "b: +0; c: -20", 90, "bc", pipeline.Pending, "", "went on to 0.0.2-rc.3", ""},
	{"a version with an event, without a candidate: what was passed is not above it", "@b 0.0.1-rc.1=a 0.0.1=a +a", "b", "1.0.0", "b: +0; a: +-90", 90, "b", pipeline.Promoted, "1.0.0", "", ""},
	{"a person who asks for it: old enough", steady, "by hand c", "", "c: +0", 60, "c", pipeline.Promoted, "0.0.2", "approved, and healthy for 1h", ""},
	{"a person who asks for it: too young", steady, "by hand c", "", "c: +0", 20, "c", pipeline.Pending, "", "healthy for 20m of 1h", "run this again after 13:00 UTC"},
	{"a person who asks for it: it fails", steady, "by hand c", "", "c: +0 -10", 90, "c", pipeline.Pending, "", "is failure", ""},
	{"a person who asks for it by digest, of the commit alone", steady, "by hand c", "", "c: c0", 90, "c", pipeline.Pending, "", "of the commit alone", "artifact-sha"},
	{"a person who asks for it of what tells no commit", "0.0.1-rc.1=0", "by hand 0", "", "", 90, "", pipeline.Pending, "", "does not tell its commit", "build it with a revision"},

	{"catching up: the newest is old enough", steady, "", "", "c: +0", 60, "c", pipeline.Promoted, "0.0.2", "0.0.2-rc.3 is validated, and healthy for 1h", ""},
	{"catching up: the newest is too young, the one before never was", steady, "", "", "c: +12; b: +0", 60, "cb", pipeline.Pending, "", "no candidate above the stable is proven healthy for 1h; 0.0.2-rc.3: healthy for 48m of 1h; the next run after 13:12 UTC promotes it", ""},
	{"catching up: the newest is too young, the one before was old enough", steady, "", "", "c: +70; b: +0", 80, "cb", pipeline.Promoted, "0.0.2", "0.0.2-rc.2 is validated, and healthy for 1h10m", ""},
	{"catching up: the newest fails", steady, "", "", "c: -70; b: +0", 80, "cb", pipeline.Promoted, "0.0.2", "0.0.2-rc.2", ""},
	{"catching up: nobody reported", steady, "", "", "", 80, "cb", pipeline.Pending, "", "0.0.2-rc.3: commit a000300 has no commit status of integration's", ""},
	{"catching up: the newest has no word yet, and is asked again", steady, "", "", "b: +0", 80, "cbc", pipeline.Promoted, "0.0.2", "", ""},
	{"catching up: by commit", steady, "", "", "c: c0", 60, "c", pipeline.Promoted, "0.0.2", "", ""},
	{"catching up: by commit, whose build is not complete", "0.0.1-rc.1=a", "", "", "a: c0", 60, "a", pipeline.Pending, "", "0.0.1-rc.1: pending, commit a000100 is not built", ""},
	{"catching up: by commit, and the next by digest", "0.0.1-rc.1=a 0.0.1-rc.2=b", "", "", "b: c0; a: +-60", 30, "ba", pipeline.Promoted, "0.0.1", "0.0.1-rc.1 is validated", ""},
	{"catching up: no answer", steady, "", "", "c: error", 60, "c", "", "", "403", ""},
	{"catching up: a promotion that was killed had soaked", "0.0.1-rc.1=a +a", "", "", "a: +0", 0, "a", pipeline.Promoted, "0.0.1", "0.0.1-rc.1 is validated or approved", ""},
	{"catching up: nothing to do", "0.0.1-rc.1=a 0.0.1=a +a", "", "", "a: error", 0, "", pipeline.Unchanged, "", "nothing to catch up with", ""},
}

// inFlight has a candidate of the first base for each letter.
func inFlight(letters string) string {
	var words []string
	for letter := range strings.SplitSeq(letters, "") {
		words = append(words, fmt.Sprintf("0.0.1-rc.%d=%s", pipelinetest.Number(letter), letter))
	}
	return strings.Join(words, " ")
}

// TestSoak has a row for what integration may have said when an hour is asked for. Each runs dry
// first, which must come to the same.
func TestSoak(t *testing.T) {
	for _, row := range soakRows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { checkSoak(t, row) })
		})
	}
}

func checkSoak(t *testing.T, row soakRow) {
	s := pipelinetest.NewShelf(t, row.tags)
	before := pipelinetest.Tags(t, s)
	asked := ""
	run := promotion(s, nil, manual(row.manual))
	run.Soak, run.Now = time.Hour, func() time.Time { return minute(row.now) }
	run.Words = integration(t, s, saysOf(row.says), &asked)
	if row.subject != "" {
		run.Subject = subject(s, row.subject)
	}
	if run.Manual != nil {
		run.Manual.Unvalidated = true
	}
	dry := run
	dry.DryRun = true
	foreseen, dryErr := dry.Run(t.Context())
	if changed := s.Added(t, before); changed != "" {
		t.Errorf("the dry run wrote %q", changed)
	}
	asked = ""
	r, err := run.Run(t.Context())
	if asked != row.asked {
		t.Errorf("asked for %q, want %q", asked, row.asked)
	}
	if row.outcome == "" {
		if err == nil || dryErr == nil || !strings.Contains(err.Error(), row.reason) || s.Added(t, before) != "" {
			t.Errorf("error %v (dry %v), want one that says %q, and nothing written", err, dryErr, row.reason)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if r.Outcome != row.outcome || r.Version != row.version || !strings.Contains(r.Reason, row.reason) || !strings.Contains(r.Next, row.next) {
		t.Errorf("got %s %q (%s; next: %s)\nwant %s %q (… %s …; next: … %s …)", r.Outcome, r.Version, r.Reason, r.Next, row.outcome, row.version, row.reason, row.next)
	}
	if r.Outcome == pipeline.Pending && s.Added(t, before) != "" {
		t.Errorf("wrote %q", s.Added(t, before))
	}
	if want := fmt.Sprintf("would be %s: %s", r.Outcome, r.Reason); !strings.HasSuffix(foreseen.Reason, want) {
		t.Errorf("the dry run said %q, want %q", foreseen.Reason, want)
	}
}

// TestSoakAsksNothingFor0: without a soak nobody is asked for more than before.
func TestSoakAsksNothingFor0(t *testing.T) {
	for _, words := range []string{"c", "commit c", "by hand c", ""} {
		s := pipelinetest.NewShelf(t, steady+" +c")
		asked := ""
		run := promotion(s, nil, nil)
		run.Words = integration(t, s, map[string]string{"c": "+0"}, &asked)
		if words != "" {
			run.Subject = subject(s, words)
		}
		mustRun(t, run, pipeline.Promoted, "0.0.2")
		vouched := words == "" || strings.HasPrefix(words, "by hand") // validated- may be of an approval
		if asked != "" && !vouched {
			t.Errorf("%q: asked for %q", words, asked)
		}
	}
}

// TestSoakIsAskedAgain: where another promotion was faster, the plan that follows does not go by what was said before it.
func TestSoakIsAskedAgain(t *testing.T) {
	s := pipelinetest.NewShelf(t, "@a @b 0.0.1-rc.1=a 0.0.1-rc.2=b")
	says, asked := map[string]string{"b": "+0"}, ""
	run := promotion(s, subject(s, "b via 0.0.1-rc.2"), nil)
	run.Soak, run.Now = time.Hour, func() time.Time { return minute(60) }
	run.Words = integration(t, s, says, &asked)
	s.Before = func(tag string) error {
		if tag == pipelinetest.Tag(pipeline.ValidatedPrefix, "b") {
			s.Put(t, "a", "0.0.1")
			says["b"] = "+0 -59"
		}
		return nil
	}
	synctest.Test(t, func(t *testing.T) {
		r := mustRun(t, run, pipeline.Pending, "")
		if asked != "bb" || !strings.Contains(r.Reason, "status at 59 is failure") {
			t.Errorf("asked for %q: %s", asked, r.Reason)
		}
	})
}

// TestSoakReadsNoFurther: the reading ends once it tells enough.
func TestSoakReadsNoFurther(t *testing.T) {
	for _, row := range []struct {
		subject, words string
		enough         bool
	}{
		{"c", "", false}, {"c", "+0", true}, {"c", "+1", false}, {"c", "+1 +30", false}, {"c", "+0 +30", true}, {"c", "-30 +40", true}, {"c", "-30", true},
		{"c", "c0", false}, {"commit c", "c0", true}, {"c", "c0 +30", false}, {"", "c0", true}, {"", "c0 +30", false}, {"", "c1", false}, {"", "-1 c2", true},
	} {
		s := pipelinetest.NewShelf(t, steady)
		run := promotion(s, nil, nil)
		if row.subject != "" {
			run.Subject = subject(s, row.subject)
		}
		run.Soak, run.Now = time.Hour, func() time.Time { return minute(60) }
		var told []bool
		run.Words = func(_ context.Context, _ string, d digest.Digest, enough func([]pipeline.Word) bool) ([]pipeline.Word, bool, error) {
			if d == s.Digests["c"] {
				told = append(told, enough(said(t, row.words)))
			}
			return said(t, row.words), true, nil
		}
		if _, err := run.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if slices.Contains(told, row.enough) == false || len(told) == 0 || told[0] != row.enough {
			t.Errorf("%q of %q: enough is %v, want %v", row.words, row.subject, told, row.enough)
		}
	}
}

func TestSpan(t *testing.T) {
	for lasted, want := range map[string]string{
		"0s": "0s of 1h", "40s": "40s of 1h", "59.9s": "59s of 1h", "1m": "1m of 1h", "12m59s": "12m of 1h", "59m59s": "59m of 1h",
	} {
		s := soak{need: time.Hour, since: noon, now: noon.Add(pipelinetest.Must(time.ParseDuration(lasted)))}
		if got := s.progress(); got != want {
			t.Errorf("%s: %q, want %q", lasted, got, want)
		}
	}
	for need, want := range map[string]string{"90s": "1m20s of 1m30s", "1h30m": "1m of 1h30m", "24h": "1m of 24h", "2m": "1m of 2m"} {
		s := soak{need: pipelinetest.Must(time.ParseDuration(need)), since: noon, now: noon.Add(80 * time.Second)}
		if got := s.progress(); got != want {
			t.Errorf("%s: %q, want %q", need, got, want)
		}
	}
	for since, want := range map[time.Duration]string{0: "13:00 UTC", time.Second: "13:01 UTC", time.Minute: "13:01 UTC", 11 * time.Hour: "2026-12-01 00:00 UTC"} {
		s := soak{need: time.Hour, since: noon.Add(since).In(time.FixedZone("", 7200)), now: noon.In(time.FixedZone("", -7200))}
		if got := s.ends(); got != want {
			t.Errorf("since %s: %q, want %q", since, got, want)
		}
	}
}
