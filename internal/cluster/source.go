package cluster

import (
	"fmt"
	"slices"
)

// stage is where a fault of a source holds an artifact up.
func (l look) stage() string {
	if l.role == Live {
		return selectedByLive
	}
	return selectedByIntegration
}

// gates are the Kustomizations whose health counts.
func (l look) gates() (all []*kustomization) {
	if l.role == Live || l.gate.Name == "" {
		return l.applying(l.ours())
	}
	var ours []*kustomization
	for _, k := range inOrder(l.kustomizations) {
		if k.Metadata.Name != l.gate.Name || l.gate.Namespace != "" && k.Metadata.Namespace != l.gate.Namespace {
			continue
		}
		all = append(all, k)
		if l.strays(k) == "" {
			ours = append(ours, k)
		}
	}
	if len(ours) > 0 { // of several with that name, elsewhere, the one that is meant
		return ours
	}
	return all
}

// applying are the Kustomizations that apply one of some sources.
func (l look) applying(sources []*source) (all []*kustomization) {
	for _, k := range inOrder(l.kustomizations) {
		src := l.sourceOf(k)
		if src != nil && slices.Contains(sources, src) {
			all = append(all, k)
		}
	}
	return all
}

func (l look) sourceOf(k *kustomization) *source {
	if k.Spec.SourceRef.Kind != "OCIRepository" {
		return nil
	}
	return l.State.sources[k.Spec.SourceRef.id(k.Metadata.Namespace)]
}

// sources are those that matter: what the gate applies, else all of the role's.
func (l look) sources() (all []*source) {
	if l.role == Integration && l.gate.Name != "" {
		for _, k := range l.gates() {
			if src := l.sourceOf(k); src != nil && l.strays(k) == "" && !slices.Contains(all, src) {
				all = append(all, src)
			}
		}
	}
	if len(all) > 0 {
		return all
	}
	return l.ours()
}

// ours are the sources of the repository that are the role's. Where a cluster has both stages,
// or integration has one that takes candidates, the others are not.
func (l look) ours() []*source {
	all := l.reading(l.registry)
	same := slices.DeleteFunc(slices.Clone(all), func(src *source) bool { return follows(src, l.registry) != l.role })
	if len(same) > 0 && (l.Role == "" || l.role == Integration) {
		return same
	}
	return all
}

// sourceFaults are the faults of one source. The first error explains the rest, and stands
// alone.
func (l look) sourceFaults(src *source) (all []Fault) {
	for _, check := range []func(*source) []Fault{l.suspendedSource, l.wrongURL, l.pinned, l.wrongSemver, l.layerFails, l.notInsecure, l.sourceNotReady, l.sourceBehind} {
		found := check(src)
		if hasError(found) {
			return found
		}
		all = append(all, found...)
	}
	return all
}

func (l look) suspendedSource(src *source) []Fault {
	if !src.Spec.Suspend {
		return nil
	}
	return []Fault{suspended(src.String(), l.stage(), "flux resume source oci "+on(src.id()))}
}

// suspended is the fault of an object that does nothing because it was told so.
func suspended(what, stage, command string) Fault {
	return Fault{
		Code: "suspended", Severity: failed, Stage: stage,
		Message: what + " is suspended (spec.suspend)",
		Hint:    "`" + command + "`, and remove spec.suspend where it is declared",
	}
}

// pinned finds a source that follows no versions: a digest wins over a constraint, a
// constraint over a tag (source-controller, getArtifactRef).
func (l look) pinned(src *source) []Fault {
	ref := src.Spec.Ref
	field, value := "spec.ref.digest", ref.Digest
	if value == "" {
		field, value = "spec.ref.tag", ref.Tag
	}
	if value == "" || ref.Digest == "" && ref.Semver != "" {
		return nil
	}
	f := Fault{
		Code: "pinned", Severity: failed, Stage: l.stage(),
		Message: fmt.Sprintf("%s is pinned by %s to %s, as for a rollback that was never reverted; no new version arrives", src, field, quote(value)),
		Hint:    fmt.Sprintf("remove %s from %s", field, src),
	}
	if ref.Semver == "" {
		f.Hint = fmt.Sprintf("replace %s of %s by semver: %s", field, src, l.semver())
	}
	return []Fault{f}
}
