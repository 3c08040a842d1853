package cluster

import (
	"fmt"
	"time"
)

// sourceBehind finds a source that has not fetched what it selects. One that fails says so itself.
func (l look) sourceBehind(src *source) []Fault {
	want := l.wants(src)
	if want == "" || src.ready().Status == "False" {
		return nil
	}
	has, at := "nothing", time.Time{}
	if a := src.Status.Artifact; a != nil {
		tag, d := revision(a.Revision)
		if tag == want {
			return l.moved(src, tag, d.String())
		}
		has, at = quote(a.Revision), a.LastUpdateTime.Time
	}
	ready := l.ready(want)
	f := Fault{
		Code: "behind", Severity: info, Stage: l.stage(), Since: ready, ByAge: true,
		Message: fmt.Sprintf("%s has fetched %s, and selects %s, which is on its way", src, has, quote(want)),
		Hint:    fmt.Sprintf("nothing to do; `flux reconcile source oci %s` fetches it now", on(src.id())),
	}
	if l.late(ready) {
		f.Severity = failed
		f.Message = fmt.Sprintf("%s has fetched %s%s, and should have %s, which %s selects", src, has, when("on", at), quote(want), rule(src))
		f.Hint = fmt.Sprintf("`flux reconcile source oci %s`; if it stays behind: does source-controller run, and is its proxy or mirror of the registry current?", on(src.id()))
	}
	return []Fault{f}
}

// moved finds a tag that named something else when it was fetched.
func (l look) moved(src *source, tag, has string) []Fault {
	if l.registry.Digest == nil {
		return nil
	}
	names := l.registry.Digest(tag)
	if names == "" || names.String() == has {
		return nil
	}
	return []Fault{{
		Code: "tag-moved", Severity: failed, Stage: l.stage(), Since: l.ready(tag),
		Message: fmt.Sprintf("%s has fetched %s as %s, and the registry now has %s under that tag", src, tag, quote(has), names),
		Hint:    "find out who moved the tag, and make tags immutable where the registry can; a new build or promotion gets a tag of its own",
	}}
}

func (l look) ready(tag string) time.Time {
	if l.registry.Ready == nil {
		return time.Time{}
	}
	return l.registry.Ready(tag)
}

// when is a time after a word such as "on"; empty for unknown.
func when(word string, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " " + word + " " + t.UTC().Format("2006-01-02 15:04 MST")
}

// kustomizationBehind finds a Kustomization that is content with what its source had before.
func (l look) kustomizationBehind(k *kustomization) []Fault {
	src := l.sourceOf(k)
	if src == nil || src.Status.Artifact == nil || src.Status.Artifact.Revision == k.Status.LastAppliedRevision {
		return nil
	}
	a := src.Status.Artifact
	f := Fault{
		Code: "behind", Severity: info, Stage: l.applied(), Since: a.LastUpdateTime.Time, ByAge: true,
		Message: fmt.Sprintf("%s has applied %s, and %s of %s is on its way", k, quote(k.Status.LastAppliedRevision), quote(a.Revision), src),
		Hint:    fmt.Sprintf("nothing to do; `flux reconcile kustomization %s` applies it now", on(k.id())),
	}
	if l.late(f.Since) {
		f.Severity = failed
		f.Message = fmt.Sprintf("%s is ready with %s, and should have applied %s, which %s has had%s", k, quote(k.Status.LastAppliedRevision), quote(a.Revision), src, when("since", a.LastUpdateTime.Time))
		f.Hint = fmt.Sprintf("`flux reconcile kustomization %s`; if it stays behind: does kustomize-controller run?", on(k.id()))
	}
	return []Fault{f}
}

// healthySince is since when a Kustomization that is ready has been so with what it applies.
// Its condition does not tell: Flux sets Ready to Unknown and back with each reconciliation
// (kustomize-controller, reconcile). The history does, for the same content under whatever
// revision, and the revision is not older than its artifact.
func (l look) healthySince(k *kustomization) time.Time {
	since := k.ready().LastTransitionTime.Time
	if h := k.Status.History; len(h) > 0 && h[0].LastReconciledStatus == "ReconciliationSucceeded" && !h[0].FirstReconciled.IsZero() {
		since = h[0].FirstReconciled.Time
	}
	src := l.sourceOf(k)
	if src == nil || src.Status.Artifact == nil || src.Status.Artifact.Revision != k.Status.LastAppliedRevision {
		return since
	}
	if at := src.Status.Artifact.LastUpdateTime.Time; at.After(since) {
		return at
	}
	return since
}
