package build

import (
	"fmt"
	"strings"

	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// plan is what a build will do.
type plan struct {
	outcome  pipeline.Outcome
	reason   string
	artifact *pipeline.Artifact // the one that the report is about
	known    string             // its candidate, or its stable where it has none
	push     bool               // upload the blobs first, as far as they are missing
	number   bool               // known is to be written
	tags     []string           // commit tags to write after that
	tagged   []string           // commit tags that it has in the end
}

// decide is pure: the first case that fits.
func decide(f facts) (plan, error) {
	same := f.existing != nil && sameBuild(f.existing, f.mine)
	if f.conflicts() {
		return plan{}, otherContent(f.existingTag, f.existing, f.mine)
	}
	switch {
	case f.built():
		return f.complete(), nil
	case f.selected != nil && f.selected.Content == f.mine.Content:
		return plan{outcome: pipeline.Unchanged, artifact: f.selected, known: f.selectedTag,
			reason: fmt.Sprintf("integration selects %s, which holds the same content", f.selectedTag)}, nil
	case f.late != "":
		return plan{outcome: pipeline.Superseded, artifact: f.mine, reason: f.late + "; this one gets no number"}, nil
	case same:
		p := f.complete()
		p.known, p.number = f.next.String(), true
		return p, nil
	}
	return plan{outcome: pipeline.Created, artifact: f.mine, reason: "a new candidate for integration",
		known: f.next.String(), push: true, number: true, tags: f.commitTags(), tagged: f.commitTags()}, nil
}

func (f facts) commitTags() []string { return []string{f.shaTag, f.integrationTag} }

// built reports whether the commit has this content already, with a version.
func (f facts) built() bool {
	return f.existing != nil && sameBuild(f.existing, f.mine) && f.version != ""
}

// conflicts reports whether the commit has other content already, which must not be replaced.
func (f facts) conflicts() bool {
	return f.existing != nil && !sameBuild(f.existing, f.mine) && !f.overwrite
}

// sameBuild reports whether a is what b is: the same content of the same commit,
// whatever compressed it and whichever branch it was built on.
func sameBuild(a, b *pipeline.Artifact) bool {
	return a.Content == b.Content && a.Revision.Commit == b.Revision.Commit
}

// complete adds what a crash left out; mostly that is nothing. Asked to overwrite, it also
// sends again what the registry has lost: its tags do not tell that.
func (f facts) complete() plan {
	p := plan{outcome: pipeline.Unchanged, artifact: f.existing, known: f.version, push: f.overwrite, tagged: f.commitTags(),
		reason: "this commit is built already, with the same content"}
	for i, tag := range f.commitTags() {
		if f.tagged[i] != f.existing.Desc.Digest {
			p.tags = append(p.tags, tag)
		}
	}
	if len(p.tags) > 0 || p.known == "" {
		p.reason = "an earlier build of this commit did not finish; its missing tags are added"
	}
	return p
}

// otherCommit refuses to take a tag from another commit: one that begins alike, or one that
// somebody moved the tag to.
func (f facts) otherCommit(tag string, a *pipeline.Artifact) error {
	theirs, ours := a.Revision.Commit, f.mine.Revision.Commit
	digits := len(f.shaTag) - len(pipeline.SHAPrefix)
	if strings.HasPrefix(theirs, ours[:digits]) {
		return pipeline.Refuse(fmt.Sprintf("set sha-length to more than %d, the same in every mode", digits),
			"tag %q belongs to another commit, %s, whose first digits are the same as those of %s", tag, theirs, ours)
	}
	return pipeline.Refuse("put it back on the artifact of its commit, which that commit's candidate names, or delete that tag alone, since its digest has others; then run this again",
		"tag %q names the artifact of another commit, %s, not of %s: somebody moved it", tag, theirs, ours)
}

func otherContent(tag string, theirs, ours *pipeline.Artifact) error {
	content := theirs.Content.String()
	if content == "" {
		content = "unknown"
	}
	return pipeline.Refuse("one commit should give one content: look for files that the job generates, or set overwrite: true to let the commit's tags move to this build, with a number on a higher base",
		"tag %q names other content: it is %s with content %s, this build is %s with content %s", tag,
		theirs.Desc.Digest, content, ours.Desc.Digest, ours.Content)
}
