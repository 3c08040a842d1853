package chaos

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"

	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

// model is what the design promises of one repository, told of all that happens to it. It knows the graph of commits,
// tags, digests and proofs, and nothing of the program: its words are those of the promises. It judges by who can have
// known what, never by the clock.
type model struct {
	immutable bool          // the registry refuses to move a stable
	github    bool          // the order of commits can be asked
	lag       time.Duration // by which readings trail writes
	commits   map[string]*loadCommit

	tags      modelTags
	first     map[string]time.Time // of each tag: when it was first written
	artifacts map[string]*loadCommit
	named     map[string]map[string]bool // by digest: the tags that ever named it
	proven    map[string]bool            // digests that a cluster proved healthy
	byHand    string                     // the digest that a person rolls back to at this moment
	rollbacks []string                   // their stables

	requests   []registrytest.Request // of this round
	uneasy     bool                   // in this round an older commit had the highest candidate, or was about to: something may be due
	collisions []programtest.TagWrite // that no registry without compare-and-swap can prevent
	problems   []string
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
		if form.MatchString(tag) && (best == "" || modelLess(best, tag)) && fits(tag) {
			best = tag
		}
	}
	return best
}

func modelLess(a, b string) bool { return semver.MustParse(a).LessThan(semver.MustParse(b)) }

func (t modelTags) stable() string {
	return t.highest(modelStableForm, func(string) bool { return true })
}

// live is the digest that the stable names.
func (t modelTags) live() string { return t[t.stable()] }

// top is the highest open candidate.
func (t modelTags) top() string { return t.highest(modelCandidateForm, t.open) }

// rank is the highest candidate that names the digest, stableOf the highest stable.
func (t modelTags) rank(digest string) string {
	return t.highest(modelCandidateForm, func(tag string) bool { return t[tag] == digest })
}

func (t modelTags) stableOf(digest string) string {
	return t.highest(modelStableForm, func(tag string) bool { return t[tag] == digest })
}

// open: the candidate's base is above the stable.
func (t modelTags) open(candidate string) bool {
	top := t.stable()
	return top == "" || modelLess(top, modelBase(candidate))
}

// settled: no open candidate has a greater N than the highest one.
func (t modelTags) settled() bool {
	_, top, _ := strings.Cut(t.top(), "-rc.")
	return t.highest(modelCandidateForm, func(tag string) bool {
		_, n, _ := strings.Cut(tag, "-rc.")
		return t.open(tag) && modelLess("0.0."+top, "0.0."+n)
	}) == ""
}

func modelBase(candidate string) string {
	base, _, _ := strings.Cut(candidate, "-")
	return base
}

// contains: the commit newer is a later one, that older leads to. Without GitHub's word height and time tell, together.
func (m *model) contains(newer, older *loadCommit) bool {
	if !m.github {
		return newer.height > older.height && !newer.created.Before(older.created)
	}
	return newer != older && newer.contains(older)
}

// newer: the artifact a is newer than b. Where GitHub's word is that they have diverged, or of one height without it, the
// higher rank is.
func (m *model) newer(a, b string) bool {
	older, newer := m.artifacts[b], m.artifacts[a]
	switch {
	case m.github && (newer.contains(older) || older.contains(newer)):
		return m.contains(newer, older)
	case !m.github && newer.height != older.height:
		return newer.height > older.height
	}
	rankA, rankB := m.tags.rank(a), m.tags.rank(b)
	if rankA == "" || rankB == "" {
		return newer.height > older.height
	}
	return modelLess(rankB, rankA)
}

// held: a rollback has passed the artifact, and nobody made it stable again.
func (m *model) held(digest string) bool {
	rank := m.tags.rank(digest)
	for _, back := range m.rollbacks {
		of := m.tags.stableOf(digest)
		if rank != "" && !modelLess(back, modelBase(rank)) && (of == "" || modelLess(of, back)) {
			return true
		}
	}
	return false
}

// blind: who wrote e cannot have known of the tag. Its last look, at that or at a list, began before it was to be seen.
func (m *model) blind(e programtest.TagWrite, tag string) bool {
	var last time.Time
	for _, r := range m.requests {
		if r.Host != e.Host || r.Status != http.StatusOK && r.Status != http.StatusNotFound || !r.Answered.Before(e.Began) || !r.Start.After(last) {
			continue
		}
		if isList(r) || r.Method != http.MethodPut && strings.HasSuffix(r.Path, "/manifests/"+tag) {
			last = r.Start
		}
	}
	return !last.IsZero() && last.Before(m.first[tag].Add(m.lag))
}

// learn reads what a manifest says of itself.
func (m *model) learn(e programtest.TagWrite) *loadCommit {
	if c, ok := m.artifacts[e.Digest]; ok {
		return c
	}
	var manifest struct{ Annotations map[string]string }
	if err := json.Unmarshal(e.Body, &manifest); err != nil {
		m.broken(3, "%s was written with what is no manifest: %s", e.Tag, err)
	}
	says := manifest.Annotations
	_, sha, _ := strings.Cut(says["org.opencontainers.image.revision"], "@sha1:")
	c := m.commits[sha]
	if c == nil || says["org.opencontainers.image.created"] != c.created.UTC().Format(time.RFC3339) ||
		says["io.github.oci-promote.height"] != strconv.Itoa(c.height) {
		m.broken(7, "%s was written on an artifact with the annotations %q", e.Tag, says)
	}
	for digest, other := range m.artifacts {
		if other == c {
			m.broken(7, "commit %.7s has two artifacts, %.15s and %.15s", sha, digest, e.Digest)
		}
	}
	m.artifacts[e.Digest] = c
	return c
}
