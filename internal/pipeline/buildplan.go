package pipeline

import (
	"fmt"
	"strings"

	"github.com/oci-promote/oci-promote/internal/version"
)

// buildFacts are what a build has read before it decides.
type buildFacts struct {
	shaTag, integrationTag string
	mine                   *artifact
	overwrite              bool

	existing    *artifact         // what this commit's tags name; nil before its first build
	existingTag string            // by which it was found
	number      string            // the highest candidate of existing, "" for none
	open        version.Candidate // number, where no promotion has passed it; else zero
	owed        bool              // a promotion has passed number, and existing should have another (promises 9 and 10)
	stable      string            // the highest stable of existing, where it has no candidate
	announced   bool              // sha- names existing
	integrated  bool              // integration- names existing

	selected    *artifact // what integration selects now, where skip-unchanged asks
	selectedTag string
	newest      *artifact // of the highest candidate
	newestTag   string
	late        string // why newest comes after this commit; empty when it does not
	follows     bool   // GitHub says that this commit comes after newest's
	next        version.Candidate
}

// buildPlan is what a build will do. Writes come in the order of the fields.
type buildPlan struct {
	outcome  Outcome
	reason   string
	artifact *artifact // the one that the report is about
	known    string    // its candidate or stable, where it has one already

	push      bool              // upload blobs
	restore   bool              // upload blobs that are missing though a manifest names them
	announce  bool              // write sha-
	number    bool              // write a candidate
	hold      bool              // make sure of a candidate that is there
	next      version.Candidate // that one, or the first one to try
	integrate bool              // write integration-
	tagged    bool              // in the end the artifact has all three tags
}

// decideBuild is pure: the first case that fits.
func decideBuild(f buildFacts) (buildPlan, error) {
	if err := f.conflict(); err != nil {
		return buildPlan{}, err
	}
	same := f.existing != nil && sameBuild(f.existing, f.mine)
	selected := f.selected != nil && f.selected.Content == f.mine.Content
	switch {
	case same && (f.number != "" || f.stable != ""):
		return f.complete(f.owed && !selected), nil
	case selected:
		return buildPlan{outcome: Unchanged, artifact: f.selected, known: f.selectedTag,
			reason: fmt.Sprintf("integration selects %s, which holds the same content", f.selectedTag)}, nil
	case f.late != "":
		return buildPlan{outcome: Superseded, artifact: f.mine, reason: f.late + "; this one gets no number"}, nil
	case same:
		return f.complete(true), nil
	}
	return buildPlan{outcome: Created, artifact: f.mine, reason: "a new candidate for integration",
		push: true, announce: true, number: true, next: f.next, integrate: true, tagged: true}, nil
}

// sameBuild reports whether a is what b is: the same content of the same commit,
// whatever compressed it and whichever branch it was built on.
func sameBuild(a, b *artifact) bool {
	return a.Content == b.Content && a.Revision.Commit == b.Revision.Commit
}

// conflict refuses to move a commit's tags.
func (f buildFacts) conflict() error {
	switch e := f.existing; {
	case e == nil || sameBuild(e, f.mine):
		return nil
	case e.Revision.Commit != "" && e.Revision.Commit != f.mine.Revision.Commit:
		return f.otherCommit()
	case f.overwrite:
		return nil
	default:
		return otherContent(f.existingTag, e, f.mine)
	}
}

// otherCommit refuses to take a tag from another commit: one that begins alike, or one that
// somebody moved the tag to.
func (f buildFacts) otherCommit() error {
	theirs, ours := f.existing.Revision.Commit, f.mine.Revision.Commit
	digits := len(f.shaTag) - len(shaPrefix)
	if strings.HasPrefix(theirs, ours[:digits]) {
		return &refusal{
			text: fmt.Sprintf("tag %q belongs to another commit, %s, whose first digits are the same as those of %s", f.existingTag, theirs, ours),
			hint: fmt.Sprintf("set sha-length to more than %d, the same in every mode", digits),
		}
	}
	return &refusal{
		text: fmt.Sprintf("tag %q names the artifact of another commit, %s, not of %s: somebody moved it", f.existingTag, theirs, ours),
		hint: "put it back on the artifact of its commit, which that commit's candidate names, or delete it; then run this again",
	}
}

func otherContent(tag string, theirs, ours *artifact) error {
	return &refusal{
		text: fmt.Sprintf("tag %q names other content: it is %s with content %s, this build is %s with content %s", tag,
			theirs.desc.Digest, orNone(theirs.Content.String()), ours.desc.Digest, ours.Content),
		hint: "one commit should give one content: look for files that the job generates, or set overwrite: true to let the commit's tags move and get the next number",
	}
}

func orNone(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

// unfinished: there is a number, and the run that wrote it may be under way, and not hold it yet.
func (f buildFacts) unfinished() bool { return f.open != (version.Candidate{}) && !f.integrated }

// passed: there is a number, which a promotion has passed before its build could say that it is done.
func (f buildFacts) passed() bool {
	return f.number != "" && f.open == (version.Candidate{}) && !f.integrated
}

// complete adds what a crash left out; mostly that is nothing. Asked to overwrite, it also
// sends again what the registry has lost: its tags do not tell that.
func (f buildFacts) complete(number bool) buildPlan {
	p := buildPlan{
		outcome: Unchanged, artifact: f.existing, known: f.number,
		restore: f.overwrite, announce: !f.announced, number: number, next: f.next, integrate: !f.integrated, tagged: true,
		reason: "this commit is built already, with the same content",
	}
	if p.known == "" {
		p.known = f.stable
	}
	if f.unfinished() {
		p.hold, p.next = true, f.open
	}
	if p.announce || p.number || p.integrate {
		p.reason = "an earlier build of this commit did not finish; its missing tags are added"
	}
	return p
}

// writes are the tags that the plan writes, in order.
func (p buildPlan) writes(f buildFacts) []string {
	var tags []string
	if p.announce {
		tags = append(tags, f.shaTag)
	}
	if p.number {
		tags = append(tags, p.next.String())
	}
	if p.integrate {
		tags = append(tags, f.integrationTag)
	}
	return tags
}
