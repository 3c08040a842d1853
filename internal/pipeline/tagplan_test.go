package pipeline

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// planRow is a repository, a request, and what must come of it. VL stands for the
// validated- tag of letter L.
type planRow struct {
	name    string
	tags    string // see newShelf
	subject string // see shelf.subject
	manual  string // see manual
	outcome Outcome
	version string // that the report names
	writes  string // TAG=LETTER, sorted
	says    string // part of the reason, or of the refusal
}

func v(letter string) string { return tagOf(validatedPrefix, letter) + "=" + letter }

const (
	two      = "0.0.1-rc.1=a 0.0.1-rc.2=b"
	promoted = two + " 0.0.1=a +a" // the first of two
	// Builds at once: b had a number in 0.0.1 too, when that was taken, and the order of the rest is not that of commits.
	atOnce   = "0.0.1-rc.1=a 0.0.1-rc.2=b 0.0.1=a +a 0.0.2-rc.1=d 0.0.2-rc.2=c 0.0.2-rc.3=b 0.0.2-rc.4=e"
	rollback = "0.0.1-rc.1=a 0.0.1=a +a 0.0.2-rc.1=b 0.0.2=b +b 0.0.3-rc.1=c 0.0.4=a"
)

var planRows = []planRow{
	{"1: the artifact is of another commit than the proof", two, "a of c", "", Ignore, "", "", "is of commit"},

	{"3: the event again", "0.0.1-rc.1=a 0.0.1=a +a", "a via 0.0.1-rc.1", "", Unchanged, "0.0.1", "", "names this artifact already"},
	{"3: the echo of a promotion", "0.0.1-rc.1=a 0.0.1=a +a", "a via 0.0.1", "", Unchanged, "0.0.1", "", ""},
	{"3: the echo of an old promotion", "0.0.1-rc.1=a 0.0.1=a +a 0.0.2-rc.1=b 0.0.2=b +b", "a via 0.0.1", "", Unchanged, "0.0.1", "", ""},
	{"3: the tag that the cluster told names something else now", "0.0.1-rc.1=b 0.0.1-rc.2=a 0.0.1=a +a", "a via 0.0.1-rc.1", "", Unchanged, "0.0.1", "", ""},
	{"3: validated- is missing", "0.0.1-rc.1=a 0.0.1=a", "a", "", Unchanged, "0.0.1", v("a"), "was missing"},
	{"3: a stable by hand on an artifact without a candidate", "0.0.7=a", "a", "", Unchanged, "0.0.7", v("a"), ""},
	{"3: a version by hand below the candidate's base", "0.1.0-rc.1=a 0.0.2=a", "a", "", Unchanged, "0.0.2", v("a"), ""},
	{"3: the same with a later stable", "0.1.0-rc.1=a 0.0.2=a +a 0.0.3=b 0.1.0-rc.2=b +b", "a", "", Unchanged, "0.0.2", "", ""},
	{"3: a rescue is due", promoted, "a", "", Unchanged, "0.0.1", "0.0.2-rc.0=b", ""},
	{"3: by commit", "@a 0.0.1-rc.1=a 0.0.1=a +a", "commit a", "", Unchanged, "0.0.1", "", ""},

	{"4: nothing names the digest", "0.0.1-rc.1=b", "a", "", Pending, "", "", "has no artifact"},
	{"4: no candidate", "@a 0.0.1-rc.1=b", "a", "", Pending, "", "", "no candidate names"},
	{"4: the commit is not built", two, "commit c", "", Pending, "", "", "is not built"},
	{"4: the build is not complete", tagOf(shaPrefix, "a") + "=a 0.0.1-rc.1=a", "commit a", "", Pending, "", "", "not complete"},
	{"4: sha- and integration- differ", "@a 0.0.1-rc.1=a " + tagOf(integrationPrefix, "a") + "=a'", "commit a", "", Pending, "", "", "different digests"},
	{"4: two artifacts of the commit, this one above", "@a 0.0.1-rc.1=a' 0.0.1-rc.2=a", "commit a", "", Pending, "", "", "two artifacts"},
	{"4: two artifacts of the commit, this one below", "@a 0.0.1-rc.1=a 0.0.1-rc.2=a'", "commit a", "", Pending, "", "", "two artifacts"},
	{"4: two artifacts of the commit, one promoted before", "@b 0.0.1-rc.1=b' 0.0.1=b' 0.0.2-rc.1=b", "commit b", "", Pending, "", "", "two artifacts"},
	{"a digest counts where the commit has two", "@a 0.0.1-rc.1=a' 0.0.1-rc.2=a", "a", "", Promoted, "0.0.1", "0.0.1=a " + v("a"), ""},
	{"latest: no candidate at all", "@a", "latest", "", Pending, "", "", "no candidate yet"},

	{"5: no stable yet", "@a 0.0.1-rc.1=a", "a", "", Promoted, "0.0.1", "0.0.1=a " + v("a"), "0.0.1-rc.1 is validated"},
	{"5: by commit", "@a @b " + two, "commit b", "", Promoted, "0.0.1", "0.0.1=b " + v("b"), ""},
	{"5: killed after validated-", "+a 0.0.1-rc.1=a", "a", "", Promoted, "0.0.1", "0.0.1=a", ""},
	{"5: validated- names the commit's other artifact", tagOf(validatedPrefix, "a") + "=a' 0.0.1-rc.1=a", "a", "", Promoted, "0.0.1", "0.0.1=a " + v("a"), ""},
	{"5: the next base", "0.0.1-rc.1=a 0.0.1=a +a 0.0.2-rc.1=b", "b via 0.0.2-rc.1", "", Promoted, "0.0.2", "0.0.2=b " + v("b"), ""},
	{"5: the older of two, and the newer is rescued", two, "a", "", Promoted, "0.0.1", "0.0.1=a 0.0.2-rc.0=b " + v("a"), ""},
	{"5: the newer of two", two, "b", "", Promoted, "0.0.1", "0.0.1=b " + v("b"), ""},
	{"5: the middle of three", two + " 0.0.1-rc.3=c", "b", "", Promoted, "0.0.1", "0.0.1=b 0.0.2-rc.0=c " + v("b"), ""},
	{"5: the newest stranded is rescued", two + " 0.0.1-rc.3=c", "a", "", Promoted, "0.0.1", "0.0.1=a 0.0.2-rc.0=c " + v("a"), ""},
	{"5: a candidate above the stable, so no rescue", two + " 0.0.2-rc.1=c", "a", "", Promoted, "0.0.1", "0.0.1=a " + v("a"), ""},
	{"5: rescued, then the event under the old candidate", promoted + " 0.0.2-rc.0=b", "b via 0.0.1-rc.2", "", Promoted, "0.0.2", "0.0.2=b " + v("b"), "0.0.2-rc.0"},
	{"5: rescued, then the event under the new one", promoted + " 0.0.2-rc.0=b", "b via 0.0.2-rc.0", "", Promoted, "0.0.2", "0.0.2=b " + v("b"), ""},
	{"5: a larger bump", "0.0.1-rc.1=a 0.0.1=a +a 0.1.0-rc.1=b", "b", "", Promoted, "0.1.0", "0.1.0=b " + v("b"), ""},
	{"5: above a stable by hand without a candidate", "0.0.5=h 0.0.6-rc.1=a", "a", "", Promoted, "0.0.6", "0.0.6=a " + v("a"), ""},
	{"5: a newer artifact has a version by hand below its base", "0.1.0-rc.1=a 0.1.0-rc.2=b 0.0.2=b +b", "a", "", Superseded, "", "", "candidate above"},
	{"5: above a rollback with a low number", "0.0.1-rc.1=a 0.0.1=a +a 0.0.2-rc.1=b 0.0.2=b +b 0.1.0-rc.1=c 0.0.3=a", "c", "", Promoted, "0.1.0", "0.1.0=c " + v("c"), ""},
	{"5: approved by hand", "0.0.1-rc.1=a", "by hand a", "", Promoted, "0.0.1", "0.0.1=a " + v("a"), "is approved"},
	{"5: the newest, by hand", two, "latest", "", Promoted, "0.0.1", "0.0.1=b " + v("b"), ""},

	{"6: out of order, the older late", two + " 0.0.1=b +b", "a", "", Superseded, "", "", "newer artifact"},
	{"6: out of order, the older late, with its tag", two + " 0.0.1=b +b", "a via 0.0.1-rc.1", "", Superseded, "", "", "newer artifact"},
	{"6: the newer, before its rescue", promoted, "b", "", Promoted, "0.0.2", "0.0.2=b " + v("b"), "gets the next patch"},
	{"6: the newer, with its tag", promoted, "b via 0.0.1-rc.2", "", Promoted, "0.0.2", "0.0.2=b " + v("b"), ""},
	{"6: the newer, while another is in flight, which is then rescued", promoted + " 0.0.2-rc.1=c", "b", "", Promoted, "0.0.2", "0.0.2=b 0.0.3-rc.0=c " + v("b"), ""},
	{"6: a stable by hand without a candidate", "0.0.1-rc.1=a 0.0.5=h", "a", "", Superseded, "", "", "tagged by hand"},
	{"6: a version by hand far above, on an older artifact", two + " 9.0.0=a +a", "b", "", Promoted, "9.0.1", "9.0.1=b " + v("b"), ""},
	{"6: a version by hand far above, on a newer artifact", two + " 9.0.0=b +b", "a", "", Superseded, "", "", "newer artifact"},
	{"6: under a rollback, what was in flight", rollback, "c", "", Superseded, "", "", "is a rollback"},
	{"6: the stable's artifact has two candidates, one below and one above", atOnce + " 0.0.3=b +b", "c", "", Superseded, "", "", "newer artifact"},
	{"3: no rescue of what is between two candidates of the stable's artifact", atOnce + " 0.0.2=e +e 0.0.3=b +b", "b", "", Unchanged, "0.0.3", "", ""},
	{"3: under a rollback, what was live before", rollback, "b", "", Unchanged, "0.0.2", "", ""},
	{"3: under a rollback, the artifact of it", rollback, "a via 0.0.1-rc.1", "", Unchanged, "0.0.4", "", ""},
	{"3: under a rollback, the echo of its artifact's first version", rollback, "a via 0.0.1", "", Unchanged, "0.0.4", "", ""},
	{"5: after a rollback, what is built then", rollback + " 0.0.5-rc.1=d", "d", "", Promoted, "0.0.5", "0.0.5=d " + v("d"), ""},

	{"2: validated", "0.0.1-rc.1=a +a", "by hand a", "1.0.0", Promoted, "1.0.0", "1.0.0=a", "by hand"},
	{"2: proven by the event", "0.0.1-rc.1=a", "a", "1.0.0", Promoted, "1.0.0", "1.0.0=a " + v("a"), ""},
	{"2: no candidate is needed", "@a +a", "by hand a", "1.0.0", Promoted, "1.0.0", "1.0.0=a", ""},
	{"2: never validated", "0.0.1-rc.1=a", "by hand a", "1.0.0", "", "", "", "never validated"},
	{"2: validated- names the commit's other artifact", "0.0.1-rc.1=a " + tagOf(validatedPrefix, "a") + "=a'", "by hand a", "1.0.0", "", "", "", "never validated"},
	{"2: never validated, but allowed", "0.0.1-rc.1=a", "by hand a", "!1.0.0", Promoted, "1.0.0", "1.0.0=a", ""},
	{"2: taken by it", "0.0.1-rc.1=a 0.0.1=a 0.0.2-rc.1=b 0.0.2=b", "by hand a", "0.0.1", Unchanged, "0.0.1", "", ""},
	{"2: taken by another", "0.0.1-rc.1=a 0.0.1=a +b 0.0.2-rc.1=b", "by hand b", "0.0.1", "", "", "", "a stable never moves"},
	{"2: not above the stable", "0.0.1-rc.1=a 0.0.5=a +b 0.0.6-rc.1=b", "by hand b", "0.0.4", "", "", "", "not above 0.0.5"},
	{"2: next names it already", "0.0.1-rc.1=a 0.0.1=a +a 0.0.2-rc.1=b", "by hand a", "next", Unchanged, "0.0.1", "", ""},
	{"2: next, above the stable", "0.0.1-rc.1=a 0.0.1=a +a 0.0.2-rc.1=b 0.0.2=b +b", "by hand a", "next", Promoted, "0.0.3", "0.0.3=a", "rollback by hand from 0.0.2 to the artifact of 0.0.1"},
	{"2: next, above every candidate's base", "0.0.1-rc.1=a 0.0.1=a +a 0.0.2-rc.1=b 0.0.2=b +b 0.1.0-rc.4=c", "by hand a", "next", Promoted, "0.1.1", "0.1.1=a", "rollback"},
	{"2: a rollback rescues nothing", "0.0.1-rc.1=a 0.0.1=a +a 0.0.2-rc.1=b 0.0.2=b +b 0.0.3-rc.1=c", "by hand a", "0.0.3", Promoted, "0.0.3", "0.0.3=a", "rollback"},
	{"2: no rollback: what it strands is rescued", two + " +a", "by hand a", "9.0.0", Promoted, "9.0.0", "9.0.0=a 9.0.1-rc.0=b", "by hand"},
	{"2: a higher number for what is live", "0.0.1-rc.1=a 0.0.1=a +a", "by hand a", "1.0.0", Promoted, "1.0.0", "1.0.0=a", "which is live already"},
	{"2: by commit", "@a +a 0.0.1-rc.1=a", "by hand commit a", "1.0.0", Promoted, "1.0.0", "1.0.0=a", ""},
	{"2: by commit with two artifacts", "@a +a 0.0.1-rc.1=a 0.0.1-rc.2=a'", "by hand commit a", "1.0.0", "", "", "", "two artifacts"},
	{"2: nothing there", "0.0.1-rc.1=a", "by hand b", "1.0.0", "", "", "", "has no artifact"},
}

// TestPlans has a row for each rule and for what a reader may ask. Each runs on a real store,
// first as a dry run, which must foresee exactly what the run then writes; then once more,
// which changes nothing.
func TestPlans(t *testing.T) {
	for _, row := range planRows {
		t.Run(row.name, func(t *testing.T) {
			s := newShelf(t, row.tags)
			before := tagsOf(t, s)
			tag := tagFor(t, s, s.subject(t, row.subject), manual(row.manual))
			dry := tag
			dry.DryRun = true
			foreseen, err := dry.Run(t.Context())
			if changed := s.added(t, before); changed != "" || err == nil && foreseen.Outcome != Planned {
				t.Errorf("the dry run ends as %q and writes %q", foreseen.Outcome, changed)
			}
			r, err := tag.Run(t.Context())
			if row.outcome == "" {
				checkRefusal(t, err, row.says)
			} else if err != nil {
				t.Fatal(err)
			}
			writes := s.added(t, before)
			if r.Outcome != row.outcome || r.Version != row.version || writes != row.writes || !strings.Contains(r.Reason, row.says) && err == nil {
				t.Errorf("got %s %q (%s), wrote %q\nwant %s %q (… %s …), %q", r.Outcome, r.Version, r.Reason, writes, row.outcome, row.version, row.says, row.writes)
			}
			checkForeseen(t, foreseen.Plan, writes)
			if err == nil {
				checkTold(t, s, r)
				checkAgain(t, s, tag, r)
			}
		})
	}
}

func checkRefusal(t *testing.T, err error, says string) {
	t.Helper()
	var r *refusal
	if !errors.As(err, &r) || !strings.Contains(err.Error(), says) || r.Hint() == "" {
		t.Errorf("error %v, want a refusal with a hint that says %q", err, says)
	}
}

func checkForeseen(t *testing.T, plan []string, writes string) {
	t.Helper()
	var tags []string
	for word := range strings.FieldsSeq(writes) {
		tag, _, _ := strings.Cut(word, "=")
		tags = append(tags, tag)
	}
	for _, tag := range plan { // a validated- tag that stood there already was to be written again
		if !slices.Contains(tags, tag) && !isValidatedTag(tag) {
			t.Errorf("the dry run foresaw %q, the run wrote %q", plan, tags)
		}
	}
	for _, tag := range tags {
		if !slices.Contains(plan, tag) {
			t.Errorf("the dry run foresaw %q, the run wrote %q", plan, tags)
		}
	}
}

// checkTold wants the report to be true of the repository.
func checkTold(t *testing.T, s *shelf, r Report) {
	t.Helper()
	tags := tagsOf(t, s)
	for _, tag := range []string{r.Version, r.Candidate} {
		if tag != "" && tags[tag] != r.Digest.String() {
			t.Errorf("reported %s for %s, which names %s", r.Digest, tag, tags[tag])
		}
	}
	for _, tag := range r.Tags {
		if tags[tag] == "" {
			t.Errorf("reported tag %q, which is not there", tag)
		}
	}
}

// checkAgain runs the same once more (promise 6).
func checkAgain(t *testing.T, s *shelf, tag Tag, first Report) {
	t.Helper()
	before := tagsOf(t, s)
	again, err := tag.Run(t.Context())
	want := first.Outcome
	if want == Promoted {
		want = Unchanged
	}
	if changed := s.added(t, before); err != nil || changed != "" || again.Outcome != want || again.Version != first.Version || again.Candidate != first.Candidate {
		t.Errorf("the second run: %s %s %s (%s), %v, wrote %q; want %s %s %s", again.Outcome, again.Version, again.Candidate, again.Reason, err, changed, want, first.Version, first.Candidate)
	}
}

// An artifact with two candidates has the rank of the higher one, whichever the cluster told.
func TestPromotionByTheLowerOfTwoCandidates(t *testing.T) {
	s := newShelf(t, atOnce+" 0.0.3=c +c")
	r, err := tagFor(t, s, s.subject(t, "b via 0.0.1-rc.2"), nil).Run(t.Context())
	if err != nil || r.Outcome != Promoted || r.Version != "0.0.4" || r.Candidate != "0.0.2-rc.3" {
		t.Errorf("%s %s of %s, %v: %s", r.Outcome, r.Version, r.Candidate, err, r.Reason)
	}
}
