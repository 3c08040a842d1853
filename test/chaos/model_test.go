package chaos

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"

	"github.com/oci-promote/oci-promote/test/programtest"
)

// model is what the design promises of one repository, told of all that happens to it. It knows tags, digests and
// proofs, and nothing of the program: its words are those of the promises.
type model struct {
	immutable bool          // the registry refuses to move a stable
	lag       time.Duration // by which readings trail writes
	window    time.Duration // in which two writes of one stable may collide: one of them, with its delays and the lag
	// older tells whether a's commit is an ancestor of b's, or by time alone earlier (promise 10).
	older func(a, b modelArtifact) bool

	tags      modelTags
	first     map[string]time.Time // of each stable: when it was first written
	artifacts map[string]modelArtifact
	named     map[string]map[string]bool // by digest: the tags that ever named it
	proven    map[string]bool            // digests that a cluster proved healthy
	byHand    map[string]bool            // digests that a person rolls back to at this moment

	numbers    []modelNumber // candidates in the order in which they were written
	collisions []programtest.TagWrite
	overwrites int // of candidates: races that promise 4 repairs
	problems   []string
}

type modelNumber struct {
	tag, digest string
	at          time.Time
}

// modelArtifact is what a manifest says of itself.
type modelArtifact struct {
	commit  string
	created time.Time
}

func newModel() *model {
	return &model{
		tags: modelTags{}, first: map[string]time.Time{}, artifacts: map[string]modelArtifact{},
		named: map[string]map[string]bool{}, proven: map[string]bool{}, byHand: map[string]bool{},
	}
}

func (m *model) broken(promise int, format string, args ...any) {
	m.problems = append(m.problems, fmt.Sprintf("promise %d: ", promise)+fmt.Sprintf(format, args...))
}

// modelTags are the tags of a repository: the digest that each names.
type modelTags map[string]string

var (
	modelStableForm    = regexp.MustCompile(`^\d+\.\d+\.\d+$`)
	modelCandidateForm = regexp.MustCompile(`^\d+\.\d+\.\d+-rc\.\d+$`)
)

// highest is the highest version of a form among the tags that fit; "" for none.
func (t modelTags) highest(form *regexp.Regexp, fits func(tag string) bool) string {
	best := ""
	for tag := range t {
		if form.MatchString(tag) && fits(tag) && (best == "" || modelLess(best, tag)) {
			best = tag
		}
	}
	return best
}

func modelLess(a, b string) bool { return semver.MustParse(a).LessThan(semver.MustParse(b)) }

func (t modelTags) stable() string {
	return t.highest(modelStableForm, func(string) bool { return true })
}

func (t modelTags) newest() string {
	return t.highest(modelCandidateForm, func(string) bool { return true })
}

// rank is the highest candidate that names the digest.
func (t modelTags) rank(digest string) string {
	return t.highest(modelCandidateForm, func(tag string) bool { return t[tag] == digest })
}

// stableOf is the highest stable that names the digest.
func (t modelTags) stableOf(digest string) string {
	return t.highest(modelStableForm, func(tag string) bool { return t[tag] == digest })
}

// rollback: a lower stable names what the stable names.
func (t modelTags) rollback() bool {
	top := t.stable()
	return top != "" && t.highest(modelStableForm, func(tag string) bool { return tag != top && t[tag] == t[top] }) != ""
}

// above: the candidate's base is above the stable.
func (t modelTags) above(candidate string) bool {
	top := t.stable()
	return top == "" || modelLess(top, modelBase(candidate))
}

func modelBase(candidate string) string {
	base, _, _ := strings.Cut(candidate, "-")
	return base
}

// outranks: a's rank is above b's; an unknown rank is above none.
func (t modelTags) outranks(a, b string) bool {
	ra, rb := t.rank(a), t.rank(b)
	return ra != "" && rb != "" && modelLess(rb, ra)
}

// learn reads what a manifest says of itself.
func (m *model) learn(e programtest.TagWrite) modelArtifact {
	if a, ok := m.artifacts[e.Digest]; ok {
		return a
	}
	var manifest struct{ Annotations map[string]string }
	if err := json.Unmarshal(e.Body, &manifest); err != nil {
		m.broken(3, "%s was written with what is no manifest: %s", e.Tag, err)
	}
	created, err := time.Parse(time.RFC3339, manifest.Annotations["org.opencontainers.image.created"])
	_, commit, ok := strings.Cut(manifest.Annotations["org.opencontainers.image.revision"], "@sha1:")
	if err != nil || !ok {
		m.broken(7, "%s was written on an artifact with the annotations %q", e.Tag, manifest.Annotations)
	}
	a := modelArtifact{commit, created}
	for digest, other := range m.artifacts {
		if other.commit == commit {
			m.broken(7, "commit %.7s has two artifacts, %.15s and %.15s", commit, digest, e.Digest)
		}
	}
	m.artifacts[e.Digest] = a
	return a
}
