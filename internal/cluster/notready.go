package cluster

import (
	"fmt"
	"slices"
	"strings"

	"github.com/oci-promote/oci-promote/internal/version"
)

// sourceNotReady finds a source that cannot fetch.
func (l look) sourceNotReady(src *source) []Fault {
	c, since := src.ready(), src.readySince()
	f := Fault{Code: "source-not-ready", Severity: failed, Stage: l.stage(), Since: since}
	switch {
	case c.Status == "True":
		return nil
	case c.Status == "False":
		return []Fault{l.failingSource(src, f)}
	case !l.late(since):
		return nil
	case c.Status == "":
		f.Message = fmt.Sprintf("%s has no condition Ready: source-controller has not looked at it", src)
		f.Hint = "`kubectl get pods -A -l app=source-controller`: is it running, and does it watch this namespace?"
	default:
		f.Message = fmt.Sprintf("%s does not get ready: %s", src, said(c.Reason+": "+c.Message))
		f.Hint = "`kubectl describe ocirepository " + on(src.id()) + "` has its events"
	}
	return []Fault{f}
}

// failingSource tells why a source cannot fetch, in Flux's words. It is no error where the registry has nothing for it
// yet.
func (l look) failingSource(src *source, f Fault) Fault {
	c, want := src.ready(), l.wants(src)
	f.Message = fmt.Sprintf("%s is not ready: %s", src, said(c.Reason+": "+c.Message))
	if !l.saysNothing(c) || want != "" {
		f.Hint = l.notReadyHint(src, c)
		return f
	}
	f.Severity = info
	f.Message += "; the registry has nothing for it yet"
	if denied(c) {
		f.Message += ", and may deny what is not there"
	}
	f.Hint = "nothing to do: it is ready with the first version that it can select"
	return f
}

// wants is the tag that a source selects of what the registry has; "" for none.
func (l look) wants(src *source) string {
	sel, problem := selectionOf(src)
	if problem != "" {
		return ""
	}
	return sel.pick(l.registry.Tags)
}

// saysNothing reports whether Flux found no tag to select, or no repository. A registry may deny what is not there (docs/facts.md
// 13): that counts up to the first version.
func (l look) saysNothing(c condition) bool {
	ladder := version.Read(l.registry.Tags)
	switch {
	case has(c, "no match found for semver", "no matching artifact"): // source-controller, getTagBySemver
		return true
	case c.Reason != "ReadOperationFailed" || has(c, "manifest_unknown"):
		return false
	case has(c, "name_unknown", "not found"):
		return true
	}
	return denied(c) && len(ladder.Candidates)+len(ladder.Stables) <= 1
}

func denied(c condition) bool {
	return c.Reason == "AuthenticationFailed" || has(c, "unauthorized", "denied", "forbidden", "credential")
}

// has reports whether a condition's message has one of some words, in lower case.
func has(c condition, words ...string) bool {
	text := strings.ToLower(c.Message)
	return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(text, word) })
}

func (l look) notReadyHint(src *source, c condition) string {
	switch {
	case has(c, "no match found for semver", "no matching artifact"):
		return fmt.Sprintf("either spec.url is not this repository (%s), or spec.ref.semver lets nothing of it in: `flux reconcile source oci %s` asks again", l.url(), on(src.id()))
	case denied(c):
		return fmt.Sprintf("the cluster may not read the repository: mend or renew the secret of spec.secretRef of %s (a token with read:packages), or make the package public", src)
	case has(c, "not found", "name_unknown", "manifest_unknown"):
		return fmt.Sprintf("it is not where spec.url of %s points, or was deleted there; the repository is %s", src, l.url())
	}
	return "`kubectl describe ocirepository " + on(src.id()) + "` has the rest; `flux reconcile source oci " + on(src.id()) + "` tries again"
}
