package cluster

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// applied is the stage on which a fault of a Kustomization holds an artifact up.
func (l look) applied() string {
	if l.role == Live {
		return runningOnLive
	}
	return validated
}

// kustomizationFaults are the faults of what applies the repository: of the gate, and of the
// others that apply the same source. On integration the others are warnings, since no
// promotion waits for them. Known are the faults found so far.
func (l look) kustomizationFaults(known []Fault) (all []Fault) {
	gates := l.gates()
	told := map[string]bool{}
	for _, k := range gates {
		if l.strays(k) != "" || told[k.String()] {
			continue
		}
		all = append(all, l.faultsOf(k, known, told)...)
	}
	if l.role == Integration && l.gate.Name == "" && len(gates) == 0 && len(l.ours()) > 0 {
		all = append(all, Fault{
			Code: "kustomization-missing", Severity: failed, Stage: validated,
			Message: fmt.Sprintf("no Kustomization applies %s", each(l.ours())),
			Hint:    "create one with it as spec.sourceRef, and name it in the input kustomization",
		})
	}
	for _, k := range l.applying(l.sources()) {
		if slices.Contains(gates, k) || told[k.String()] {
			continue
		}
		for _, f := range l.faultsOf(k, known, told) {
			if f.Severity == failed {
				f.Severity = warning
				f.Message += "; it is not the gate, and no promotion waits for it"
				all = append(all, f)
			}
		}
	}
	return all
}

// faultsOf are the faults of one Kustomization, the first that there is. Told are the objects
// that a message named as the cause.
func (l look) faultsOf(k *kustomization, known []Fault, told map[string]bool) []Fault {
	c := k.ready()
	switch {
	case k.Spec.Suspend:
		return []Fault{suspended(k.String(), l.applied(), "flux resume kustomization "+on(k.id()))}
	case c.Status == "True":
		return l.kustomizationBehind(k)
	case c.Status == "False":
		return l.failing(k, known, told)
	}
	since := k.readySince()
	f := Fault{Code: "kustomization-failing", Severity: failed, Stage: l.applied(), Since: since, Hint: describe(k)}
	switch retried := k.retries(); {
	case retried.LastReconciledStatus != "":
		f.Since = retried.FirstReconciled.Time
		f.Message = fmt.Sprintf("%s tries again what ended with %s", k, said(retried.LastReconciledStatus))
	case !l.late(since):
		return nil
	case c.Status == "":
		f.Message = fmt.Sprintf("%s has no condition Ready: kustomize-controller has not looked at it", k)
		f.Hint = "`kubectl get pods -A -l app=kustomize-controller`: is it running, and does it watch this namespace?"
	default:
		f.Message = fmt.Sprintf("%s does not come to an end: %s", k, said(c.Reason+": "+c.Message))
	}
	return []Fault{f}
}

// retries is the failure that a Kustomization under way tries again: while it does, its
// condition says only that it is in progress. Zero where the last attempt went well, or was
// of another revision.
func (o *object[Spec]) retries() snapshot {
	h := o.Status.History
	if len(h) == 0 || h[0].LastReconciledStatus == "ReconciliationSucceeded" || h[0].Metadata.Revision != o.Status.LastAttemptedRevision {
		return snapshot{}
	}
	return h[0]
}

// failingSince is since when an object fails as it does. Its history tells it better than its
// condition, which each attempt sets anew.
func (o *object[Spec]) failingSince() time.Time {
	if h := o.Status.History; len(h) > 0 && h[0].LastReconciledStatus == o.ready().Reason && !h[0].FirstReconciled.IsZero() {
		return h[0].FirstReconciled.Time
	}
	return o.readySince()
}

// failing tells why a Kustomization is not ready, in Flux's words.
func (l look) failing(k *kustomization, known []Fault, told map[string]bool) []Fault {
	c := k.ready()
	f := Fault{
		Code: "kustomization-failing", Severity: failed, Stage: l.applied(), Since: k.failingSince(),
		Message: fmt.Sprintf("%s is not ready: %s", k, said(c.Reason+": "+c.Message)), Hint: describe(k),
	}
	switch c.Reason {
	case "ArtifactFailed":
		if strings.Contains(c.Message, "path not found") {
			f.Hint = fmt.Sprintf("set spec.path of %s to a directory of the artifact, as the build packs it", k)
			break
		}
		if hasError(known) || slices.ContainsFunc(known, func(f Fault) bool { return f.Code == "source-not-ready" }) {
			return nil // that is why
		}
		f.Hint = "`kubectl get ocirepositories -A` shows whether its source has an artifact"
	case "DependencyNotReady":
		root := l.rootOf(k)
		for _, object := range root.objects {
			if told[object] {
				return nil
			}
			told[object] = true
		}
		f.Message += root.text
		f.Hint = cmp.Or(root.hint, f.Hint)
	case "HealthCheckFailed", "ReconciliationFailed":
		f.Message += l.unhealthy(k, c.Message, told)
	}
	told[k.String()] = true
	return []Fault{f}
}

func describe(k *kustomization) string {
	return fmt.Sprintf("mend what it names; `kubectl describe kustomization.kustomize.toolkit.fluxcd.io %s` has its events", on(k.id()))
}
