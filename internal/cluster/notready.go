package cluster

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oci-promote/oci-promote/internal/version"
)

// maxBackoff is how long source-controller waits at most until it asks a failing source again: 0.75 s, doubled with
// each failure up to this, whatever spec.interval is (docs/facts.md 32).
const maxBackoff = 15 * time.Minute

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
// yet, and where what it has, or the failure, is younger than the backoff.
func (l look) failingSource(src *source, f Fault) Fault {
	c, want := src.ready(), l.wants(src)
	f.Message = fmt.Sprintf("%s is not ready: %s", src, said(c.Reason+": "+c.Message))
	nothing := l.saysNothing(c)
	switch {
	case nothing && want == "":
		f.Severity = info
		f.Message += "; the registry has nothing for it yet"
		if denied(c) {
			f.Message += ", and may deny what is not there"
		}
		f.Hint = "nothing to do: it takes the first version that it can select within 15 minutes; then " + askNow(src) + " does it at once"
	case (nothing || unreachable(c)) && want != "" && l.asksAgain(src, want):
		f.Severity = info
		f.Message += fmt.Sprintf("; the registry has %s for it, and source-controller asks a failing source again by exponential backoff,"+
			" not by spec.interval: within 15 minutes", quote(want))
		f.Hint = "nothing to do; now: " + askNow(src)
	default:
		f.ByAge = nothing
		f.Hint = l.notReadyHint(src, c)
	}
	return f
}

// asksAgain reports whether source-controller may not have asked since the registry has a tag, and since the source fails. A
// failure whose words change, as of a port, looks new each time: what it keeps from a cluster is late by the tag's age.
func (l look) asksAgain(src *source, tag string) bool {
	ready, failing := l.ready(tag), src.readySince()
	if !src.fetched(tag) && l.late(ready) {
		return false
	}
	if failing.After(ready) {
		ready = failing
	}
	return l.now.Sub(ready) < maxBackoff
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

// unreachable reports whether the registry did not answer, or could not.
func unreachable(c condition) bool {
	return has(c, "dial tcp", "connection re", "timeout", "deadline exceeded", "eof", "status code 5", "toomanyrequests", "status code 429")
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
		return fmt.Sprintf("the registry has %s for it, and source-controller asks every 15 minutes at least: does it run, and is its proxy or mirror of the registry current? now: %s",
			quote(l.wants(src)), askNow(src))
	case denied(c):
		return fmt.Sprintf("the cluster may not read the repository: mend or renew the secret of spec.secretRef of %s (a token with read:packages), or make the package public", src)
	case has(c, "not found", "name_unknown", "manifest_unknown"):
		return fmt.Sprintf("it was deleted there, or the cluster reads through a proxy or mirror that does not have it; the repository is %s. Now: %s", l.url(), askNow(src))
	case unreachable(c):
		return fmt.Sprintf("can the cluster reach %s? once it can, source-controller asks within 15 minutes; now: %s", l.url(), askNow(src))
	}
	return "`kubectl describe ocirepository " + on(src.id()) + "` has the rest; " + askNow(src) + " tries again"
}

// askNow are the commands that make source-controller ask the registry without waiting.
func askNow(src *source) string {
	return fmt.Sprintf("`flux reconcile source oci %s`, or `kubectl annotate --overwrite ocirepository %s reconcile.fluxcd.io/requestedAt=\"$(date +%%s)\"`",
		on(src.id()), on(src.id()))
}
