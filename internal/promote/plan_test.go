package promote

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
)

// planRow is a repository, a request, and what must come of it.
type planRow struct {
	name    string
	tags    string // see pipelinetest.NewShelf; the height of a is 1, of b 2
	subject string // see subject
	manual  string // see manual
	outcome pipeline.Outcome
	version string // that the report names
	writes  string // TAG=LETTER, sorted
	says    string // part of the reason, or of the refusal
}

// v writes the validated- tag of a letter's commit for it.
func v(letter string) string {
	return pipelinetest.Tag(pipeline.ValidatedPrefix, letter) + "=" + letter
}

func sha(letter string) string { return pipelinetest.Tag(pipeline.SHAPrefix, letter) }

const (
	two      = "0.0.1-rc.1=a 0.0.1-rc.2=b"
	promoted = two + " 0.0.1=a +a" // the first of two
	// b was lifted beside newer builds, before those had a number.
	lifted   = promoted + " 0.0.2-rc.3=c 0.0.2-rc.4=d 0.0.3-rc.2=b"
	twice    = "0.0.1-rc.1=a 0.0.1=a +a 0.0.2-rc.2=b 0.0.2=b +b"
	rollback = twice + " 0.0.3-rc.3=c 0.0.4=a"
)

var planRows = []planRow{
	{"1: the artifact is of another commit than the proof", two, "a of c", "", pipeline.Ignore, "", "", "is of commit"},
	{"1: a word on the commit alone, for what does not tell its commit", sha("a") + "=a~ " + pipelinetest.Tag(pipeline.IntegrationPrefix, "a") + "=a~ 0.0.1-rc.1=a~", "commit a", "", pipeline.Ignore, "", "", "has no revision"},
	{"1: a person's word on the commit alone, for what does not tell its commit", sha("a") + "=a~ " + pipelinetest.Tag(pipeline.IntegrationPrefix, "a") + "=a~ 0.0.1-rc.1=a~", "by hand commit a", "", pipeline.Promoted, "0.0.1", "0.0.1=a~", ""},
	{"1: sha- is no artifact of ours", "@a 0.0.1-rc.1=a " + sha("a") + "=0", "commit a", "", "", "", "", "is no artifact of ours (it is not in Flux's format: its layer is"},
	{"1: sha- is no artifact of ours, and a person asks", "@a 0.0.1-rc.1=a " + sha("a") + "=0", "by hand commit a", "", "", "", "", "is no artifact of ours (it is not in Flux's format: its layer is"},
	{"1: sha- is no artifact of ours, and a person gives a version", "@a 0.0.1-rc.1=a " + sha("a") + "=0", "by hand commit a", "!next", "", "", "", "is no artifact of ours (it is not in Flux's format: its layer is"},
	{"1: sha- is no artifact of ours, and the digest is told", "@a 0.0.1-rc.1=a " + sha("a") + "=0", "a", "", pipeline.Promoted, "0.0.1", "0.0.1=a " + v("a"), ""},
	{"1: a word on the commit alone, for what has a nonsense revision", sha("a") + "=a? " + pipelinetest.Tag(pipeline.IntegrationPrefix, "a") + "=a? 0.0.1-rc.1=a?", "commit a", "", pipeline.Ignore, "", "", "has no revision"},
	{"1: a word on the commit alone, for a version of what has a nonsense revision", sha("a") + "=a? " + pipelinetest.Tag(pipeline.IntegrationPrefix, "a") + "=a? 0.0.1-rc.1=a?", "commit a", "1.0.0", pipeline.Ignore, "", "", "has no revision"},
	{"1: a person's word on the commit alone, for what has a nonsense revision", sha("a") + "=a? " + pipelinetest.Tag(pipeline.IntegrationPrefix, "a") + "=a? 0.0.1-rc.1=a?", "by hand commit a", "", pipeline.Promoted, "0.0.1", "0.0.1=a?", ""},
	{"1: a word on the digest, for what has a nonsense revision", "0.0.1-rc.1=a?", "a? via 0.0.1-rc.1", "", pipeline.Promoted, "0.0.1", "0.0.1=a?", ""},
	{"1: a word on the commit alone, for a version of another commit's", two + " " + sha("a") + "=b", "commit a", "1.0.0", pipeline.Ignore, "", "", "is of commit"},
	{"1: sha- was moved to another commit's", two + " " + sha("a") + "=b", "commit a", "", pipeline.Ignore, "", "", "is of commit"},
	{"1: the same, of a person", two + " " + sha("a") + "=b", "by hand commit a", "", "", "", "", "is of commit"},

	{"3: the event again", "0.0.1-rc.1=a 0.0.1=a +a", "a via 0.0.1-rc.1", "", pipeline.Unchanged, "0.0.1", "", "names this artifact already"},
	{"3: the echo of a promotion", "0.0.1-rc.1=a 0.0.1=a +a", "a via 0.0.1", "", pipeline.Unchanged, "0.0.1", "", ""},
	{"3: the echo of an old promotion", twice, "a via 0.0.1", "", pipeline.Unchanged, "0.0.1", "", ""},
	{"3: the late event of an old promotion", twice, "a", "", pipeline.Unchanged, "0.0.1", "", ""},
	{"3: the tag that the cluster told names something else now", "0.0.1-rc.1=b 0.0.2-rc.1=a 0.0.2=a +a", "a via 0.0.1-rc.1", "", pipeline.Unchanged, "0.0.2", "", ""},
	{"3: validated- is missing", "0.0.1-rc.1=a 0.0.1=a", "a", "", pipeline.Unchanged, "0.0.1", v("a"), "was missing"},
	{"3: a stable by hand on an artifact without a candidate", "0.0.7=a", "a", "", pipeline.Unchanged, "0.0.7", v("a"), ""},
	{"3: its candidates were cleaned up", "@a +a 0.0.1=a", "a", "", pipeline.Unchanged, "0.0.1", "", ""},
	{"3: its candidates were cleaned up, by commit", "@a +a 0.0.1=a", "commit a", "", pipeline.Unchanged, "0.0.1", "", ""},
	{"3: its candidates were cleaned up, while others are in flight", "@a +a 0.0.1=a 0.0.2-rc.2=b", "a via 0.0.1", "", pipeline.Unchanged, "0.0.1", "", ""},
	{"3: a stable by hand on what tells nothing", "0.0.7=0", "by hand 0", "", pipeline.Unchanged, "0.0.7", "", ""},
	{"3: a version by hand below the candidate's base", "0.1.0-rc.1=a 0.0.2=a", "a", "", pipeline.Unchanged, "0.0.2", v("a"), ""},
	{"3: the echo of the same with a later stable", "0.1.0-rc.1=a 0.0.2=a +a 0.0.3=b 0.1.0-rc.2=b +b", "a via 0.0.2", "", pipeline.Unchanged, "0.0.2", "", ""},
	{"3: a rescue is due", promoted, "a", "", pipeline.Unchanged, "0.0.1", "0.0.2-rc.2=b", ""},
	{"3: a lift is due", "0.0.1-rc.2=b 0.0.1=b +b 0.1.0-rc.1=a", "b", "", pipeline.Unchanged, "0.0.1", "0.1.0-rc.2=b", ""},
	{"3: its own lifted candidate is reported", "0.0.1-rc.2=b 0.0.1=b +b 0.1.0-rc.1=a 0.1.0-rc.2=b", "b via 0.1.0-rc.2", "", pipeline.Unchanged, "0.0.1", "", ""},
	{"3: by commit", "@a 0.0.1-rc.1=a 0.0.1=a +a", "commit a", "", pipeline.Unchanged, "0.0.1", "", ""},
	{"3: by commit, with its own lifted candidate", "@b 0.0.1-rc.2=b 0.0.1=b +b 0.1.0-rc.1=a 0.1.0-rc.2=b", "commit b", "", pipeline.Unchanged, "0.0.1", "", ""},
	{"3: under a rollback, what was live before", rollback, "b", "", pipeline.Unchanged, "0.0.2", "", ""},
	{"3: under a rollback, the echo of it", rollback, "a via 0.0.4", "", pipeline.Unchanged, "0.0.4", "", ""},
	{"3: under a rollback, the artifact of it", rollback, "a via 0.0.1-rc.1", "", pipeline.Unchanged, "0.0.1", "", ""},

	{"4: nothing names the digest", "0.0.1-rc.2=b", "a", "", pipeline.Pending, "", "", "has no artifact"},
	{"4: no candidate", "@a 0.0.1-rc.2=b", "a", "", pipeline.Pending, "", "", "no candidate names"},
	{"4: no candidate, by commit", "@a 0.0.1-rc.2=b", "commit a", "", pipeline.Pending, "", "", "no candidate names"},
	{"4: its candidate was cleaned up before it was promoted", "@b 0.0.1-rc.1=a 0.0.1=a +a", "b", "", pipeline.Pending, "", "", "no candidate names"},
	{"4: the commit is not built", two, "commit c", "", pipeline.Pending, "", "", "is not built"},
	{"4: the build is not complete", sha("a") + "=a 0.0.1-rc.1=a", "commit a", "", pipeline.Pending, "", "", "not complete"},
	{"4: sha- and integration- differ", "@a 0.0.1-rc.1=a " + pipelinetest.Tag(pipeline.IntegrationPrefix, "a") + "=a'", "commit a", "", pipeline.Pending, "", "", "different digests"},
	{"4: two artifacts of the commit, this one above", "@a 0.0.1-rc.1=a' 0.0.2-rc.1=a", "commit a", "", pipeline.Pending, "", "", "two artifacts"},
	{"4: two artifacts of the commit, this one below", "@a 0.0.1-rc.1=a 0.0.2-rc.1=a'", "commit a", "", pipeline.Pending, "", "", "two artifacts"},
	{"4: two artifacts of the commit, this one without a candidate", "@a 0.0.1-rc.1=a'", "commit a", "", pipeline.Pending, "", "", ""},
	{"4: two artifacts of the commit, one promoted before", "@b 0.0.1-rc.2=b' 0.0.1=b' 0.0.2-rc.2=b", "commit b", "", pipeline.Pending, "", "", "two artifacts"},
	{"a commit of the same height is no second artifact", "@a 0.0.1-rc.1=b 0.0.2-rc.1=a", "commit a", "", pipeline.Promoted, "0.0.2", "0.0.2=a " + v("a"), ""},
	{"a digest counts where the commit has two", "@a 0.0.1-rc.1=a' 0.0.2-rc.1=a", "a", "", pipeline.Promoted, "0.0.2", "0.0.2=a " + v("a"), ""},
	{"a digest counts where the commit has two, the lower", "@a 0.0.1-rc.1=a' 0.0.2-rc.1=a", "a'", "", pipeline.Promoted, "0.0.1", "0.0.1=a' " + v("a'"), ""},
	{"a digest counts where the commit's other one is live", "@b 0.0.1-rc.2=b' 0.0.1=b' 0.0.2-rc.2=b", "b", "", pipeline.Promoted, "0.0.2", "0.0.2=b " + v("b"), ""},
	{"4: a person names a commit that is not built", two, "by hand commit c", "", "", "", "", "is not built"},
	{"4: a person names a digest that is not there", two, "by hand c", "", "", "", "", "has no artifact"},
	{"4: a person wants the newest of no candidates", "@a", "latest", "", "", "", "", "no candidate yet"},
	{"4: a person names a build that is not complete", sha("a") + "=a 0.0.1-rc.1=a", "by hand commit a", "", pipeline.Pending, "", "", "not complete"},
	{"4: a person names what has no candidate", "@a 0.0.1-rc.2=b", "by hand a", "", pipeline.Pending, "", "", "no candidate names"},
	{"4: a person names a commit with two artifacts", "@a 0.0.1-rc.1=a' 0.0.2-rc.1=a", "by hand commit a", "", pipeline.Pending, "", "", "two artifacts"},

	{"5: out of order, the older late", two + " 0.0.1=b +b", "a", "", pipeline.Superseded, "", "", "not older"},
	{"5: out of order, the older late, with its tag", two + " 0.0.1=b +b", "a via 0.0.1-rc.1", "", pipeline.Superseded, "", "", "not older"},
	{"5: an older commit above a newer stable", "0.0.1-rc.2=b 0.0.1=b +b 0.1.0-rc.1=a", "a", "", pipeline.Superseded, "", "", "not older"},
	{"5: the same, by commit", "@a 0.0.1-rc.2=b 0.0.1=b +b 0.1.0-rc.1=a", "commit a", "", pipeline.Superseded, "", "", "not older"},
	{"5: the same, under the lifted candidate of the stable's", "0.0.1-rc.2=b 0.0.1=b +b 0.1.0-rc.1=a 0.1.0-rc.2=b", "a", "", pipeline.Superseded, "", "", "not older"},
	{"5: the same, where a clean-up took the stable's candidates", "0.0.1=b +b 0.0.2-rc.1=a", "a", "", pipeline.Superseded, "", "", "not older"},
	{"5: the same, where others of its base are left", "@c @d @e 0.0.1-rc.3=c 0.0.1=e +e 0.1.0-rc.4=d", "d", "", pipeline.Superseded, "", "", "not older"},
	{"5: a newer artifact has a version by hand below its base", "0.1.0-rc.1=a 0.1.0-rc.2=b 0.0.2=b +b", "a", "", pipeline.Superseded, "", "", "not older"},
	{"5: a version by hand far above, on a newer artifact", two + " 9.0.0=b +b", "a", "", pipeline.Superseded, "", "", "not older"},
	{"5: a version by hand below its base, with a later stable", "0.1.0-rc.1=a 0.0.2=a +a 0.0.3=b 0.1.0-rc.2=b +b", "a", "", pipeline.Superseded, "", "", ""},
	{"5: the older, whose candidate was cleaned up", "0.0.1-rc.2=b 0.0.1=b +b @a", "a", "", pipeline.Superseded, "", "", "not older"},
	{"5: under a rollback, what was in flight", rollback, "c", "", pipeline.Superseded, "", "", "a rollback passed 0.0.3-rc.3 and holds"},
	{"5: under a later version of a rollback's", twice + " 0.1.0-rc.3=c 0.1.1=a 0.1.2=b", "c", "", pipeline.Superseded, "", "", "rollback"},
	{"5: what a rollback passed, after a newer one went live", rollback + " 0.0.5-rc.4=d 0.0.5=d +d", "c", "", pipeline.Superseded, "", "", ""},
	{"5: a rollback by next to what was never live", "0.0.1-rc.1=a 0.0.1=a +a 0.0.2-rc.2=b 0.0.2-rc.3=c 0.0.2=c +c 0.0.3-rc.4=d 0.0.4=b +b", "d", "", pipeline.Superseded, "", "", "rollback"},

	{"6: no stable yet", "@a 0.0.1-rc.1=a", "a", "", pipeline.Promoted, "0.0.1", "0.0.1=a " + v("a"), "0.0.1-rc.1 is validated"},
	{"6: by commit", "@a @b " + two, "commit b", "", pipeline.Promoted, "0.0.1", "0.0.1=b " + v("b"), ""},
	{"6: killed after validated-", "+a 0.0.1-rc.1=a", "a", "", pipeline.Promoted, "0.0.1", "0.0.1=a", ""},
	{"6: validated- names the commit's other artifact", pipelinetest.Tag(pipeline.ValidatedPrefix, "a") + "=a' 0.0.1-rc.1=a", "a", "", pipeline.Promoted, "0.0.1", "0.0.1=a " + v("a"), ""},
	{"6: the next base", "0.0.1-rc.1=a 0.0.1=a +a 0.0.2-rc.2=b", "b via 0.0.2-rc.2", "", pipeline.Promoted, "0.0.2", "0.0.2=b " + v("b"), ""},
	{"6: the older of two, and the newer is rescued", two, "a", "", pipeline.Promoted, "0.0.1", "0.0.1=a 0.0.2-rc.2=b " + v("a"), ""},
	{"6: the newer of two", two, "b", "", pipeline.Promoted, "0.0.1", "0.0.1=b " + v("b"), ""},
	{"6: the middle of three", two + " 0.0.1-rc.3=c", "b", "", pipeline.Promoted, "0.0.1", "0.0.1=b 0.0.2-rc.3=c " + v("b"), ""},
	{"6: the newest stranded is rescued", two + " 0.0.1-rc.3=c", "a", "", pipeline.Promoted, "0.0.1", "0.0.1=a 0.0.2-rc.3=c " + v("a"), ""},
	{"6: a newer candidate above the stable, so no rescue", two + " 0.0.2-rc.3=c", "a", "", pipeline.Promoted, "0.0.1", "0.0.1=a " + v("a"), ""},
	{"6: an older candidate above the stable, so that ours is lifted with it", "0.0.1-rc.2=b 0.1.0-rc.1=a", "b", "", pipeline.Promoted, "0.0.1", "0.0.1=b 0.1.0-rc.2=b " + v("b"), ""},
	{"6: rescued, then the event under the old candidate", promoted + " 0.0.2-rc.2=b", "b via 0.0.1-rc.2", "", pipeline.Promoted, "0.0.2", "0.0.2=b " + v("b"), "0.0.2-rc.2"},
	{"6: rescued, then the event under the new one", promoted + " 0.0.2-rc.2=b", "b via 0.0.2-rc.2", "", pipeline.Promoted, "0.0.2", "0.0.2=b " + v("b"), ""},
	{"6: a larger bump", "0.0.1-rc.1=a 0.0.1=a +a 0.1.0-rc.2=b", "b", "", pipeline.Promoted, "0.1.0", "0.1.0=b " + v("b"), ""},
	{"6: above a stable by hand that tells no height", "0.0.5=0 0.0.6-rc.1=a", "a", "", pipeline.Promoted, "0.0.6", "0.0.6=a " + v("a"), ""},
	{"6: below a stable by hand that tells no height", "0.0.1-rc.1=a 0.0.5=0", "a", "", pipeline.Promoted, "0.0.6", "0.0.6=a " + v("a"), "gets the next patch"},
	{"6: above a rollback with a low number", twice + " 0.1.0-rc.3=c 0.0.3=a", "c", "", pipeline.Promoted, "0.1.0", "0.1.0=c " + v("c"), ""},
	{"6: the newer, before its rescue", promoted, "b", "", pipeline.Promoted, "0.0.2", "0.0.2=b " + v("b"), "gets the next patch"},
	{"6: the newer, with its tag", promoted, "b via 0.0.1-rc.2", "", pipeline.Promoted, "0.0.2", "0.0.2=b " + v("b"), ""},
	{"6: the newer, while another is in flight, which is then rescued", promoted + " 0.0.2-rc.3=c", "b", "", pipeline.Promoted, "0.0.2", "0.0.2=b 0.0.3-rc.3=c " + v("b"), ""},
	{"6: the stable's candidates were cleaned up", "0.0.1=a +a 0.0.1-rc.2=b", "b", "", pipeline.Promoted, "0.0.2", "0.0.2=b " + v("b"), ""},
	{"6: the stable's candidates were cleaned up, ours is open", "0.0.1=a +a 0.0.2-rc.2=b", "b", "", pipeline.Promoted, "0.0.2", "0.0.2=b " + v("b"), ""},
	{"6: a version by hand far above, on an older artifact", two + " 9.0.0=a +a", "b", "", pipeline.Promoted, "9.0.1", "9.0.1=b " + v("b"), ""},
	{"6: the stable's artifact was lifted above a newer one", lifted + " 0.0.3=b +b", "c", "", pipeline.Promoted, "0.0.4", "0.0.4=c 0.0.5-rc.4=d " + v("c"), ""},
	{"6: an older commit with a larger bump is live, which makes what follows no rollback", "0.0.1-rc.2=b 0.0.1-rc.3=c 0.1.0-rc.1=a 0.1.0=a +a", "b", "", pipeline.Promoted, "0.1.1", "0.1.1=b 0.1.2-rc.3=c " + v("b"), ""},
	{"6: an artifact with two candidates, by the lower", promoted + " 0.0.2-rc.2=b", "b via 0.0.1-rc.2", "", pipeline.Promoted, "0.0.2", "0.0.2=b " + v("b"), ""},
	{"6: after a rollback, what is built then", rollback + " 0.0.5-rc.4=d", "d", "", pipeline.Promoted, "0.0.5", "0.0.5=d " + v("d"), ""},
	{"6: after a rollback, what is built on top of what it passed", rollback + " 0.0.5-rc.5=e", "e", "", pipeline.Promoted, "0.0.5", "0.0.5=e " + v("e"), ""},
	{"6: approved by hand", "0.0.1-rc.1=a", "by hand a", "", pipeline.Promoted, "0.0.1", "0.0.1=a " + v("a"), "is approved"},
	{"6: the newest, by hand", two, "latest", "", pipeline.Promoted, "0.0.1", "0.0.1=b " + v("b"), ""},

	{"2: validated", "0.0.1-rc.1=a +a", "by hand a", "1.0.0", pipeline.Promoted, "1.0.0", "1.0.0=a", "by hand"},
	{"2: proven by the event", "0.0.1-rc.1=a", "a", "1.0.0", pipeline.Promoted, "1.0.0", "1.0.0=a " + v("a"), ""},
	{"2: no candidate is needed", "@a +a", "by hand a", "1.0.0", pipeline.Promoted, "1.0.0", "1.0.0=a", ""},
	{"2: never validated", "0.0.1-rc.1=a", "by hand a", "1.0.0", "", "", "", "not known to be validated"},
	{"2: validated- names the commit's other artifact", "0.0.1-rc.1=a " + pipelinetest.Tag(pipeline.ValidatedPrefix, "a") + "=a'", "by hand a", "1.0.0", "", "", "", "not known to be validated"},
	{"2: never validated, but allowed", "0.0.1-rc.1=a", "by hand a", "!1.0.0", pipeline.Promoted, "1.0.0", "1.0.0=a " + v("a"), ""},
	{"2: taken by it", "0.0.1-rc.1=a 0.0.1=a 0.0.2-rc.2=b 0.0.2=b", "by hand a", "0.0.1", pipeline.Unchanged, "0.0.1", "", ""},
	{"2: taken by another", "0.0.1-rc.1=a 0.0.1=a +b 0.0.2-rc.2=b", "by hand b", "0.0.1", "", "", "", "a stable never moves"},
	{"2: not above the stable", "0.0.1-rc.1=a 0.0.5=a +b 0.0.6-rc.2=b", "by hand b", "0.0.4", "", "", "", "not above 0.0.5"},
	{"2: next names it already", "0.0.1-rc.1=a 0.0.1=a +a 0.0.2-rc.2=b", "by hand a", "next", pipeline.Unchanged, "0.0.1", "", ""},
	{"2: next, and what is due", promoted, "by hand a", "next", pipeline.Unchanged, "0.0.1", "0.0.2-rc.2=b", ""},
	{"2: next, above the stable", twice, "by hand a", "next", pipeline.Promoted, "0.0.3", "0.0.3=a", "rollback by hand from 0.0.2 to the artifact of 0.0.1"},
	{"2: next, above every candidate's base", twice + " 0.1.0-rc.3=c", "by hand a", "next", pipeline.Promoted, "0.1.1", "0.1.1=a", "rollback"},
	{"2: next, out of a rollback", rollback, "by hand b", "next", pipeline.Promoted, "0.0.5", "0.0.5=b", "rollback by hand from 0.0.4 to the artifact of 0.0.2"},
	{"2: next, for what a rollback passed", rollback + " +c", "by hand c", "next", pipeline.Promoted, "0.0.5", "0.0.5=c", "a version by hand"},
	{"2: next, the first stable", "0.0.1-rc.1=a +a", "by hand a", "next", pipeline.Promoted, "0.0.2", "0.0.2=a", "by hand"},
	{"2: a rollback rescues nothing", twice + " 0.0.3-rc.3=c", "by hand a", "0.0.3", pipeline.Promoted, "0.0.3", "0.0.3=a", "rollback"},
	{"2: a rollback that would not hold", twice + " 0.1.0-rc.3=c", "by hand a", "0.0.3", "", "", "", "would not hold: the candidate 0.1.0-rc.3"},
	{"2: a rollback to what was never live, that would not hold", two + " 0.0.1=b +b +a 0.0.3-rc.3=c", "by hand a", "0.0.2", "", "", "", "would not hold"},
	{"2: no rollback: what is above goes its way", "0.0.1-rc.1=a +a 0.1.0-rc.2=b", "by hand a", "0.0.1", pipeline.Promoted, "0.0.1", "0.0.1=a", "by hand"},
	{"2: no rollback: what it strands is rescued", two + " +a", "by hand a", "9.0.0", pipeline.Promoted, "9.0.0", "9.0.0=a 9.0.1-rc.2=b", "by hand"},
	{"2: a higher number for what is live", "0.0.1-rc.1=a 0.0.1=a +a", "by hand a", "1.0.0", pipeline.Promoted, "1.0.0", "1.0.0=a", "which is live already"},
	{"2: by commit", "@a +a 0.0.1-rc.1=a", "by hand commit a", "1.0.0", pipeline.Promoted, "1.0.0", "1.0.0=a", ""},
	{"2: by commit with two artifacts", "@a +a 0.0.1-rc.1=a 0.0.2-rc.1=a'", "by hand commit a", "1.0.0", "", "", "", "two artifacts"},
	{"2: nothing there", "0.0.1-rc.1=a", "by hand b", "1.0.0", "", "", "", "has no artifact"},
	{"2: nothing there, by commit", "0.0.1-rc.1=a", "by hand commit b", "1.0.0", "", "", "", "is not built"},
	{"2: not complete", sha("a") + "=a 0.0.1-rc.1=a", "by hand commit a", "!1.0.0", "", "", "", "not complete"},

	{"an artifact without a height", "0.0.1-rc.7=a*", "a*", "", pipeline.Promoted, "0.0.1", "0.0.1=a* " + v("a*"), ""},
	{"one without a height, by commit", "@a* 0.0.1-rc.7=a*", "commit a*", "", pipeline.Promoted, "0.0.1", "0.0.1=a* " + v("a*"), ""},
	{"one without a height, again", "0.0.1-rc.7=a* 0.0.1=a* +a*", "a*", "", pipeline.Unchanged, "0.0.1", "", ""},
	{"one without a height, the echo", "0.0.1-rc.7=a* 0.0.1=a* +a* 0.0.2-rc.1=b* 0.0.2=b* +b*", "a* via 0.0.1", "", pipeline.Unchanged, "0.0.1", "", ""},
	{"of two without a height the older is superseded", "0.0.1-rc.7=a* 0.0.1-rc.8=b* 0.0.1=b* +b*", "a*", "", pipeline.Superseded, "", "", "not older"},
	{"of two without a height the newer is rescued", "0.0.1-rc.7=a* 0.0.1-rc.8=b*", "a*", "", pipeline.Promoted, "0.0.1", "0.0.1=a* 0.0.2-rc.8=b* " + v("a*"), ""},
	{"of two without a height the newer, before its rescue", "0.0.1-rc.7=a* 0.0.1-rc.8=b* 0.0.1=a* +a*", "b*", "", pipeline.Promoted, "0.0.2", "0.0.2=b* " + v("b*"), ""},
	{"one without a height, rescued by the old rules", "0.0.1-rc.7=a* 0.0.1-rc.8=b* 0.0.1=a* +a* 0.0.2-rc.0=b*", "b* via 0.0.1-rc.8", "", pipeline.Promoted, "0.0.2", "0.0.2=b* " + v("b*"), "0.0.2-rc.0"},
	{"one with a height follows", "0.0.1-rc.7=a* 0.0.1=a* +a* 0.0.2-rc.2=b", "b", "", pipeline.Promoted, "0.0.2", "0.0.2=b " + v("b"), ""},
	{"one with a height, below the others' numbers", "0.0.1-rc.7=a* 0.0.2-rc.2=b", "b", "", pipeline.Promoted, "0.0.2", "0.0.2=b " + v("b"), ""},
	{"one without a height is older than the stable's with, by its tag", "0.0.1-rc.7=a* 0.0.2-rc.2=b 0.0.2=b +b", "a* via 0.0.1-rc.7", "", pipeline.Superseded, "", "", ""},
	{"one without a height is older than the stable's with", "0.0.1-rc.7=a* 0.0.2-rc.2=b 0.0.2=b +b", "a*", "", pipeline.Superseded, "", "", ""},
	{"one without a height strands one with", "0.0.1-rc.1=a* 0.0.1-rc.2=b", "a*", "", pipeline.Promoted, "0.0.1", "0.0.1=a* 0.0.2-rc.2=b " + v("a*"), ""},
	{"one without a height, and a stable that tells nothing", "0.0.1-rc.7=a* 0.0.5=0", "a*", "", pipeline.Superseded, "", "", ""},
}

// TestPlans has a row for each rule and for what a reader may ask. Each runs on a real store,
// first as a dry run, which must foresee exactly what the run then writes; then once more,
// which changes nothing.
func TestPlans(t *testing.T) {
	for _, row := range planRows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { checkPlan(t, row, "") })
		})
	}
}

// branches has a's two children on two branches: b and c on one, the hotfix f on the other,
// squashed to b; d and e go on from c.
const branches = "b:a c:b d:c e:d f:a"

// TestPlansByHistory has rows in which the order of commits is not a line, or cannot be asked.
func TestPlansByHistory(t *testing.T) {
	for _, row := range []struct {
		past string // see history
		planRow
	}{
		{"unasked", planRow{"a greater height is newer", two, "a", "", pipeline.Promoted, "0.0.1", "0.0.1=a 0.0.2-rc.2=b " + v("a"), ""}},
		{"unasked", planRow{"a smaller one is not", two + " 0.0.1=b +b", "a", "", pipeline.Superseded, "", "", ""}},
		{"unasked", planRow{"the height decides where the ranks say otherwise", "0.0.1-rc.2=b 0.0.1=b +b 0.1.0-rc.1=a", "a", "", pipeline.Superseded, "", "", ""}},
		{"unasked", planRow{"and lets the newer go on", "0.0.1-rc.2=b 0.1.0-rc.1=a 0.1.0=a +a", "b", "", pipeline.Promoted, "0.1.1", "0.1.1=b " + v("b"), ""}},
		{"unasked", planRow{"nothing is lifted without GitHub's word", "0.0.1-rc.2=b 0.0.1=b +b 0.1.0-rc.1=a", "b", "", pipeline.Unchanged, "0.0.1", "", ""}},

		{"unknown", planRow{"history rewritten: the higher rank is newer", "0.0.1-rc.20=t 0.0.1=t +t 0.0.2-rc.1=a", "a", "", pipeline.Promoted, "0.0.2", "0.0.2=a " + v("a"), ""}},
		{"unknown", planRow{"history rewritten: one in flight is rescued", "0.0.1-rc.20=t 0.0.1=t +t 0.0.2-rc.21=u 0.0.3-rc.1=a 0.0.3-rc.2=b", "a", "", pipeline.Promoted, "0.0.3", "0.0.3=a 0.0.4-rc.2=b " + v("a"), ""}},
		{"unknown", planRow{"history rewritten: what it left behind is superseded", "0.0.1-rc.20=t 0.0.1=t +t 0.0.2-rc.21=u 0.0.3-rc.1=a 0.0.3=a +a", "u", "", pipeline.Superseded, "", "", ""}},

		{branches, planRow{"a hotfix branch goes live", "0.0.1-rc.1=a 0.0.1=a +a 0.0.2-rc.6=f", "f", "", pipeline.Promoted, "0.0.2", "0.0.2=f " + v("f"), ""}},
		{branches, planRow{"and then its squash on main", "0.0.1-rc.1=a 0.0.1=a +a 0.0.2-rc.6=f 0.0.2=f +f 0.0.3-rc.2=b", "b", "", pipeline.Promoted, "0.0.3", "0.0.3=b " + v("b"), ""}},
		{branches, planRow{"which is no rollback: what it strands is rescued", "0.0.1-rc.1=a 0.0.1=a +a 0.0.2-rc.6=f 0.0.2=f +f 0.0.3-rc.2=b 0.0.3-rc.3=c", "b", "", pipeline.Promoted, "0.0.3", "0.0.3=b 0.0.4-rc.3=c " + v("b"), ""}},
		{branches, planRow{"a branch beside main, after main: nobody is lifted over the other", "0.0.1-rc.1=a 0.0.1=a +a 0.0.2-rc.6=f 0.0.3-rc.2=b 0.0.3-rc.3=c", "a", "", pipeline.Unchanged, "0.0.1", "", ""}},
		{branches, planRow{"a branch beside main, before it", "0.0.1-rc.1=a 0.0.1=a +a 0.0.2-rc.2=b 0.0.2-rc.3=c 0.0.2-rc.6=f", "a", "", pipeline.Unchanged, "0.0.1", "", ""}},
		{branches, planRow{"what is live on main, and the branch in flight", "0.0.1-rc.1=a 0.0.1=a +a 0.0.2-rc.2=b 0.0.2-rc.6=f", "b", "", pipeline.Promoted, "0.0.2", "0.0.2=b 0.0.3-rc.6=f " + v("b"), ""}},
		{branches, planRow{"the branch passed what main has in flight: the higher rank is newer", "0.0.1-rc.1=a 0.0.1=a +a 0.0.2-rc.2=b 0.0.2-rc.6=f 0.0.2=f +f", "b", "", pipeline.Superseded, "", "", ""}},
		{branches, planRow{"main goes its way", "0.0.1-rc.1=a 0.0.1=a +a 0.0.2-rc.2=b 0.0.2-rc.6=f 0.0.2=f +f 0.0.3-rc.3=c", "c", "", pipeline.Promoted, "0.0.3", "0.0.3=c " + v("c"), ""}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { checkPlan(t, row.planRow, row.past) })
		})
	}
}

func checkPlan(t *testing.T, row planRow, past string) {
	s := pipelinetest.NewShelf(t, row.tags)
	before := pipelinetest.Tags(t, s)
	run := promotion(s, subject(s, row.subject), manual(row.manual))
	run.History = history(past)
	dry := run
	dry.DryRun = true
	foreseen, err := dry.Run(t.Context())
	if changed := s.Added(t, before); changed != "" || err == nil && foreseen.Outcome != pipeline.Planned {
		t.Errorf("the dry run ends as %q and writes %q", foreseen.Outcome, changed)
	}
	r, err := run.Run(t.Context())
	if row.outcome == "" {
		checkRefusal(t, err, row.says)
	} else if err != nil {
		t.Fatal(err)
	}
	writes := s.Added(t, before)
	if r.Outcome != row.outcome || r.Version != row.version || writes != row.writes || err == nil && !strings.Contains(r.Reason, row.says) {
		t.Errorf("got %s %q (%s), wrote %q\nwant %s %q (… %s …), %q", r.Outcome, r.Version, r.Reason, writes, row.outcome, row.version, row.says, row.writes)
	}
	checkForeseen(t, foreseen.Plan, writes)
	if err != nil {
		return
	}
	checkTold(t, s, r)
	checkAgain(t, s, run, r)
	if r.Outcome == pipeline.Promoted || r.Outcome == pipeline.Unchanged {
		if left := due(t, s, run.History); left != "" {
			t.Errorf("due is %s", left)
		}
	}
}
