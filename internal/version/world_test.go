package version

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
)

// world is all that is true of a repository: what its tags name, how high the commits are, and
// how they stand to each other. The rules learn of it only what they ask for.
type world struct {
	tags      map[string]digest.Digest // "" for one that is listed, but gone
	artifacts map[digest.Digest]Artifact
	history   history

	list *Ladder // of the tags; nil where they have changed since
}

// history is what GitHub knows: the parents of each commit. It is nil where nobody can be asked.
type history map[string][]string

// newWorld reads a world in letters. An artifact a is of the commit a; so are those with a prime or two,
// of the commit packed again.
//
//	tags     "0.0.1-rc.1=a 0.0.1=a"; "0.0.1-rc.1=" is listed, but gone
//	heights  "a:1 b:2", of commits; the artifact of any other does not tell. The height is also
//	         the time of the commit, unless that follows: "a:1@9"
//	commits  "a<b<c a<x": b is the child of a. GitHub does not know any other; "unasked": nobody
//	         can be asked
func newWorld(t testing.TB, tags, heights, commits string) *world {
	t.Helper()
	w := &world{tags: map[string]digest.Digest{}, artifacts: map[digest.Digest]Artifact{}, history: readHistory(commits)}
	for pair := range strings.FieldsSeq(heights) {
		commit, number, _ := strings.Cut(pair, ":")
		number, at, timed := strings.Cut(number, "@")
		height, err := strconv.ParseUint(number, 10, 64)
		if !timed {
			at = number
		}
		when, err2 := strconv.ParseInt(at, 10, 64)
		if err != nil || err2 != nil {
			t.Fatalf("%q is no height of a commit", pair)
		}
		for _, d := range []string{commit, commit + "'", commit + "''"} {
			w.artifacts[digest.Digest(d)] = Artifact{digest.Digest(d), height, commit, time.Unix(when, 0)}
		}
	}
	for pair := range strings.FieldsSeq(tags) {
		tag, d, ok := strings.Cut(pair, "=")
		if l := Read([]string{tag}); !ok || len(l.Stables)+len(l.Candidates) == 0 {
			t.Fatalf("%q is no version of an artifact", pair)
		}
		w.tags[tag] = digest.Digest(d)
		w.artifacts[digest.Digest(d)] = w.artifact(d)
	}
	return w
}

// artifact is the one of that digest; where no height is told of it, it is another tool's.
func (w *world) artifact(d string) Artifact {
	if a, ok := w.artifacts[digest.Digest(d)]; ok {
		return a
	}
	return Artifact{Digest: digest.Digest(d), Commit: strings.TrimRight(d, "'")}
}

func readHistory(lines string) history {
	if lines == "unasked" {
		return nil
	}
	h := history{}
	for line := range strings.FieldsSeq(lines) {
		commits := strings.Split(line, "<")
		for i, c := range commits {
			h[c] = append(h[c], commits[max(i-1, 0):i]...)
		}
	}
	return h
}

// compare is GitHub's answer.
func (h history) compare(commit, other string) Relation {
	_, known := h[commit]
	_, otherKnown := h[other]
	switch {
	case h == nil:
		return Unasked
	case !known || !otherKnown:
		return Unknown
	case commit == other:
		return Identical
	case h.leads(other, commit):
		return Ahead
	case h.leads(commit, other):
		return Behind
	}
	return Diverged
}

// leads reports whether a commit is another one, or an ancestor of it.
func (h history) leads(from, to string) bool {
	return from == to || slices.ContainsFunc(h[to], func(parent string) bool { return h.leads(from, parent) })
}

// String is the world as newWorld reads it.
func (w *world) String() string {
	var tags, heights, lines []string
	for _, tag := range slices.Sorted(maps.Keys(w.tags)) {
		tags = append(tags, tag+"="+string(w.tags[tag]))
	}
	for _, a := range w.artifacts {
		if a.Height > 0 {
			heights = append(heights, fmt.Sprintf("%s:%d", a.Commit, a.Height))
		}
	}
	slices.Sort(heights)
	for _, c := range slices.Sorted(maps.Keys(w.history)) {
		lines = append(lines, c)
		for _, parent := range w.history[c] {
			lines = append(lines, parent+"<"+c)
		}
	}
	if w.history == nil {
		lines = []string{"unasked"}
	}
	return fmt.Sprintf("%q, %q, %q", strings.Join(tags, " "), strings.Join(slices.Compact(heights), " "), strings.Join(lines, " "))
}

// ladder is the tag list, of which nothing else is known.
func (w *world) ladder() *Ladder {
	if w.list == nil {
		w.list = Read(slices.Collect(maps.Keys(w.tags)))
	}
	l := Read(nil)
	l.Stables, l.Candidates, l.at = w.list.Stables, w.list.Candidates, w.list.at
	return l
}

// write writes a tag.
func (w *world) write(tag string, d digest.Digest) { w.tags[tag], w.list = d, nil }

// tell tells a ladder which artifact a tag names.
func (w *world) tell(l *Ladder, tag string) {
	if d := w.tags[tag]; d == "" {
		l.Name(tag, "")
	} else {
		l.Learn(tag, w.artifacts[d])
	}
}

// cost is what a rule asked for.
type cost struct{ questions, rounds int }

// ask puts a question to a rule, and tells it of the world what it needs for the answer: nothing
// twice, no tag that is not listed, and in no more than 60 rounds.
func (w *world) ask(t testing.TB, l *Ladder, rule func(*Ladder) Need) (c cost) {
	t.Helper()
	asked := map[[3]string]bool{}
	once := func(question ...string) {
		t.Helper()
		key := [3]string{}
		copy(key[:], question)
		if asked[key] {
			t.Fatalf("the %s is asked for twice in %s", question, w)
		}
		asked[key] = true
	}
	listed := func(tag string) {
		t.Helper()
		if _, ok := w.tags[tag]; !ok {
			t.Fatalf("%s is asked for, which is not listed in %s", tag, w)
		}
	}
	for need := rule(l); !need.None(); need = rule(l) {
		if c.rounds++; c.rounds > 60 {
			t.Fatalf("after 60 rounds %+v is still needed in %s", need, w)
		}
		for _, tag := range need.Names {
			listed(tag)
			once("name", tag)
			l.Name(tag, w.tags[tag])
		}
		for _, tag := range need.Read {
			listed(tag)
			once("artifact", tag)
			w.tell(l, tag)
		}
		for _, pair := range need.Compare {
			once("relation", pair[0], pair[1])
			l.Relate(pair[0], pair[1], w.history.compare(pair[0], pair[1]))
		}
	}
	return cost{len(asked), c.rounds}
}
