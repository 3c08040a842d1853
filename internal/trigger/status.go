package trigger

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
)

// Status is a commit status, as it arrives or as GitHub keeps it. All of it is text from
// outside.
type Status struct {
	Commit, Context, State, Description string
	Updated                             time.Time
}

// Succeeded is what Flux says of a Kustomization that is applied and healthy. Its other words
// of severity info, such as "dependency not ready", arrive as success too (docs/facts.md 25).
const Succeeded = "reconciliation succeeded"

// Proves reports whether the status says that something is healthy: it is a success and, where
// its context has the form of Flux's, in Flux's word for that. One of another form counts by its state alone.
func (s Status) Proves() bool {
	return s.State == "success" && (!s.flux() || strings.EqualFold(s.Description, Succeeded))
}

// flux reports whether the context has the form of Flux's (docs/facts.md 3).
func (s Status) flux() bool {
	kind, _, more := strings.Cut(s.Context, "/")
	return more && strings.EqualFold(kind, "kustomization")
}

func (g Gate) readStatus(payload []byte) (Verdict, error) {
	var e struct {
		SHA         string `json:"sha"`
		State       string `json:"state"`
		Context     string `json:"context"`
		Description string `json:"description"` // null where there is none
	}
	if err := decode(payload, &e); err != nil {
		return Verdict{}, err
	}
	switch {
	case !fullCommit.MatchString(e.SHA):
		return Verdict{}, malformed("sha", "%q is not a commit of 40 hex digits", e.SHA)
	case e.State == "":
		return Verdict{}, malformed("state", "is missing")
	case e.Context == "":
		return Verdict{}, malformed("context", "is missing")
	case g.Name == "":
		return Verdict{}, errNoGate(fmt.Sprintf("the commit status %q", e.Context))
	}
	return g.judge(Status{Commit: e.SHA, State: e.State, Context: e.Context, Description: e.Description})
}

// judge reads one status. A context that ends in <tag>@sha256:<digest>, as the design's
// commitStatusExpr writes it, binds the proof to that artifact; any other proves no more
// than that something of this commit is healthy (docs/facts.md 3).
func (g Gate) judge(s Status) (Verdict, error) {
	if !g.speaks(s.Context) {
		return no("commit status %q is not of %s/", s.Context, strings.Join(g.context(), "/")), nil
	}
	tag, d, err := bound(s.Context)
	switch {
	case err != nil:
		return Verdict{}, err
	case s.State != "success" && s.Description != "":
		return no("commit status %q is %s: %s", s.Context, s.State, s.Description), nil
	case s.State != "success":
		return no("commit status %q is %s", s.Context, s.State), nil
	case !s.Proves():
		return no("commit status %q is success and says %q; Flux says %q of what is healthy", s.Context, s.Description, Succeeded), nil
	}
	v := Verdict{
		Proof: Proof{Commit: s.Commit, Digest: d, Tag: tag}, Proven: true,
		Because: oneLine("commit status %q is success: %s", s.Context, s.Description),
	}
	if !s.flux() {
		v.Because = fmt.Sprintf("commit status %q is success; it does not begin with %q, so that its state alone counts", s.Context, "kustomization/")
	}
	return v, nil
}

// bound reads the artifact that a context names, if it names one. One that is cut short
// would pass for a context without any, and is an error instead.
func bound(context string) (tag string, d digest.Digest, err error) {
	last := context[strings.LastIndex(context, "/")+1:]
	if tag, d, ok := readRevision(last); ok {
		return tag, d, nil
	}
	if strings.Contains(strings.ToLower(last), "@sha256:") {
		return "", "", malformed("context", "%q does not end in <tag>@sha256:<64 hex digits>", context)
	}
	return "", "", nil
}

// Latest is the newest word on an artifact among the statuses of its commit, which are
// the newest of each context. False means that there is no such status.
func (g Gate) Latest(statuses []Status, d digest.Digest) (Verdict, bool, error) {
	newest, ok, err := g.Newest(statuses, d)
	if err != nil || !ok {
		return Verdict{}, false, err
	}
	v, err := g.judge(newest)
	return v, err == nil, err
}

// Newest is the newest status on an artifact among those of its commit: of the
// Kustomization's, one that names the artifact's digest, or none. False means that there is
// no such status.
func (g Gate) Newest(statuses []Status, d digest.Digest) (Status, bool, error) {
	about, err := g.about(statuses, d)
	if err != nil || len(about) == 0 {
		return Status{}, false, err
	}
	return slices.MaxFunc(about, func(a, b Status) int { return cmp.Or(a.Updated.Compare(b.Updated), sooner(a, b)) }), true, nil
}

// about are the Kustomization's statuses that name an artifact's digest, or none.
func (g Gate) about(statuses []Status, d digest.Digest) (about []Status, err error) {
	all, err := g.Reports(statuses)
	if err != nil {
		return nil, err
	}
	for _, r := range all {
		if r.Digest == "" || r.Digest == d {
			about = append(about, r.Status)
		}
	}
	return about, nil
}

// Word is what the Kustomization said of an artifact, and when.
type Word struct {
	Verdict
	At time.Time
}

// Words are the words on an artifact among all statuses that its commit ever got, in their order.
func (g Gate) Words(statuses []Status, d digest.Digest) ([]Word, error) {
	about, err := g.about(statuses, d)
	if err != nil {
		return nil, err
	}
	words := make([]Word, len(about))
	for i, s := range about {
		v, err := g.judge(s)
		if err != nil {
			return nil, err
		}
		words[i] = Word{v, s.Updated}
	}
	return words, nil
}

// sooner puts a proof behind any other word of the same second, so that doubt decides against a
// promotion.
func sooner(a, b Status) int {
	rank := map[bool]int{true: -1}
	return cmp.Compare(rank[a.Proves()], rank[b.Proves()])
}
