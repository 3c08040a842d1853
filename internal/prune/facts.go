package prune

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/version"
)

// facts are what a plan is made of: what every tag names, but for those that are attached to something.
type facts struct {
	now      pipeline.Snapshot // its ladder knows every version
	items    map[digest.Digest]*item
	byCommit map[string][]*item              // by the first digits of the commit, as many as the shortest tag has
	attached map[digest.Digest][]string      // the tags in whose name a digest is
	hangs    map[digest.Digest][]string      // such tags, by what they name
	indexed  map[digest.Digest]digest.Digest // what an index lists, by which index
	empty    []string                        // tags that are listed, name nothing, and that no rule needs
}

// item is one digest with all its tags.
type item struct {
	version.Artifact
	tags    []string      // in the order in which they were met
	foreign string        // why it is not of this pipeline; empty where it is
	written time.Time     // zero where the registry does not tell
	size    int64         // of the manifest, in bytes
	subject digest.Digest // what the manifest says that it refers to; empty for nothing
	blobs   []ocispec.Descriptor
	lists   []ocispec.Descriptor // the manifests in it, where it is an index
}

func newFacts(tags []string) *facts {
	f := &facts{
		now: pipeline.NewSnapshot(tags), items: map[digest.Digest]*item{}, byCommit: map[string][]*item{},
		attached: map[digest.Digest][]string{}, hangs: map[digest.Digest][]string{}, indexed: map[digest.Digest]digest.Digest{},
	}
	for _, tag := range f.now.Tags {
		if subject, ok := subjectOf(tag); ok {
			f.attached[subject] = append(f.attached[subject], tag)
		}
	}
	return f
}

// attachedTag is a tag that hangs something on a digest: the list of its referrers where a registry has no API for them
// (distribution-spec 1.1, Referrers Tag Schema), and cosign's signatures, attestations and bills of materials.
var attachedTag = regexp.MustCompile(`^sha256-([0-9a-f]{64})(?:\.(?:sig|att|sbom))?$`)

func subjectOf(tag string) (digest.Digest, bool) {
	m := attachedTag.FindStringSubmatch(tag)
	if m == nil {
		return "", false
	}
	return digest.NewDigestFromEncoded(digest.SHA256, m[1]), true
}

// listTag is the tag that lists what refers to d.
func listTag(d digest.Digest) string { return d.Algorithm().String() + "-" + d.Encoded() }

// hang tells what an attached tag names. An artifact may have one of its own digest; with another's it is not of this
// pipeline alone.
func (f *facts) hang(tag string, d digest.Digest) {
	f.hangs[d] = append(f.hangs[d], tag)
	it := f.items[d]
	if it == nil {
		return
	}
	it.tags = append(it.tags, tag)
	if subject, _ := subjectOf(tag); subject != d && it.foreign == "" {
		it.foreign = notOurs(tag)
	}
}

func notOurs(tag string) string { return "it has the tag " + tag + ", which is not of this pipeline" }

// shortest is how many digits the shortest commit tags have.
const shortest = 7

// give lets an item have a tag.
func (f *facts) give(tag string, it *item) {
	known := f.items[it.Digest]
	if known == nil {
		known, f.items[it.Digest] = it, it
		if it.Commit != "" {
			f.byCommit[it.Commit[:shortest]] = append(f.byCommit[it.Commit[:shortest]], it)
		}
		f.index(it)
	}
	if !slices.Contains(known.tags, tag) {
		known.tags = append(known.tags, tag)
	}
	if !ofPipeline(tag) && known.foreign == "" {
		known.foreign = notOurs(tag)
	}
}

// index tells what an item lists, where it is an index.
func (f *facts) index(it *item) {
	for _, child := range it.lists {
		f.indexed[child.Digest] = it.Digest
	}
}

// ofPipeline reports whether a tag is one that this pipeline writes.
func ofPipeline(tag string) bool {
	return pipeline.IsStable(tag) || pipeline.IsCandidate(tag) || isCommitTag(tag)
}

var prefixes = []string{pipeline.SHAPrefix, pipeline.IntegrationPrefix, pipeline.ValidatedPrefix}

func isCommitTag(tag string) bool {
	return slices.ContainsFunc(prefixes, func(prefix string) bool { return pipeline.IsCommitTag(prefix, tag) })
}

// ofCommit are the items whose commit a commit tag may mean.
func (f *facts) ofCommit(tag string) []*item {
	digits := tag[strings.LastIndex(tag, "-")+1:]
	return slices.DeleteFunc(slices.Clone(f.byCommit[digits[:shortest]]), func(it *item) bool { return !strings.HasPrefix(it.Commit, digits) })
}

// others are the tags of other people's. What is attached to something goes where that goes.
func (f *facts) others() []string {
	return slices.DeleteFunc(slices.Clone(f.now.Tags), func(tag string) bool {
		_, attached := subjectOf(tag)
		return attached || ofPipeline(tag)
	})
}

// learn tells the ladder of a list what its versions name.
func (f *facts) learn(now pipeline.Snapshot) {
	f.now = now
	for _, it := range f.items {
		for _, tag := range it.tags {
			if now.Has(tag) && !isCommitTag(tag) {
				now.Ladder.Learn(tag, it.Artifact)
			}
		}
	}
}

// named is the item that a tag names; nil for none that is known.
func (f *facts) named(tag string) *item { return f.items[f.now.Ladder.Named(tag)] }

// stable is the highest stable that names an item.
func (it *item) stable() (version.Stable, bool) { return version.Read(it.tags).Stable() }

// version is the highest version that names an item, or else a tag of it.
func (it *item) version() string {
	l := version.Read(it.tags)
	if s, ok := l.Stable(); ok {
		return s.String()
	}
	if c, ok := l.Newest(); ok {
		return c.String()
	}
	return it.tags[0]
}

// has reports whether an item has a tag with that prefix.
func (it *item) has(prefix string) bool {
	return slices.ContainsFunc(it.tags, func(tag string) bool { return pipeline.IsCommitTag(prefix, tag) })
}

// since is from when an item's age counts: zero where it does not tell.
func (it *item) since() time.Time {
	if it.Created.IsZero() || it.written.Before(it.Created) {
		return it.Created
	}
	return it.written
}
