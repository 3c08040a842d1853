package cluster

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
)

// What the controllers say when a Kustomization is healthy: kustomize-controller's Reconcile
// and checkHealth. A Provider of type github tells the first, githubdispatch only the second
// (docs/facts.md 2).
const (
	finished = "Reconciliation finished in 1.204321845s, next run in 10m0s"
	passed   = "Health check passed in 1.204321845s"
)

// deliveryFaults finds what keeps the word of the gate from GitHub. One way that works is
// enough.
func (l look) deliveryFaults() (all []Fault) {
	for _, k := range l.gates() {
		if l.strays(k) != "" {
			continue
		}
		found := l.delivery(k)
		if !hasError(found) {
			return found
		}
		if all == nil {
			all = found
		}
	}
	return all
}

// commitAnnotation goes into every event of the object that has it, and decides on which commit a report is posted,
// whatever artifact it is about (docs/facts.md 3, 25).
const commitAnnotation = "event.toolkit.fluxcd.io/commit"

// misdirected finds a Kustomization of which all reports go to one commit. Live need not report.
func (l look) misdirected() (all []Fault) {
	for _, k := range l.gates() {
		commit, has := k.Metadata.Annotations[commitAnnotation]
		if !has || l.strays(k) != "" || l.role == Live && !l.tells(k) {
			continue
		}
		all = append(all, Fault{
			Code: "wrong-commit", Severity: warning, Stage: l.applied(),
			Message: fmt.Sprintf("%s has the annotation %s: every report of it goes to commit %s, whatever artifact it is about", k, commitAnnotation, quote(commit)),
			Hint: fmt.Sprintf("`kubectl annotate kustomization.kustomize.toolkit.fluxcd.io %s %s-`, and remove it where it is declared;"+
				" Flux takes the commit from the artifact's own annotation", on(k.id()), commitAnnotation),
		})
	}
	return all
}

// tells reports whether an Alert to GitHub has a Kustomization among its sources.
func (l look) tells(k *kustomization) bool {
	return slices.ContainsFunc(inOrder(l.alerts), func(a *alert) bool {
		p := l.providerOf(a)
		return p != nil && toGitHub(p) && hears(a, k)
	})
}

func (l look) delivery(k *kustomization) []Fault {
	var ways, lost, usable []Fault
	for _, a := range inOrder(l.alerts) {
		p := l.providerOf(a)
		if !hears(a, k) || p != nil && !toGitHub(p) {
			continue
		}
		way := l.way(a, p, k)
		switch {
		case len(way) == 0:
			return nil
		case !hasError(way):
			usable = way
		case p == nil:
			lost = way
		default:
			ways = append(ways, way...)
		}
	}
	for _, found := range [][]Fault{usable, ways, lost} {
		if len(found) > 0 {
			return found
		}
	}
	return l.unheard(k)
}

// hears reports whether an Alert's sources have the Kustomization (notification-controller,
// eventMatchesAlertSource).
func hears(a *alert, k *kustomization) bool {
	return slices.ContainsFunc(a.Spec.EventSources, func(ref reference) bool {
		i := ref.id(a.Metadata.Namespace)
		if ref.Kind != "Kustomization" || i.namespace != k.Metadata.Namespace || i.name != "*" && i.name != k.Metadata.Name {
			return false
		}
		for label, value := range ref.MatchLabels {
			if has, ok := k.Metadata.Labels[label]; !ok || has != value {
				return false
			}
		}
		return true
	})
}

func (s *State) providerOf(a *alert) *provider {
	return s.providers[a.Spec.providerID(a.Metadata.Namespace)]
}

func toGitHub(p *provider) bool { return p.Spec.Type == "github" || p.Spec.Type == "githubdispatch" }

// unheard is the fault of a Kustomization that no Alert to GitHub has among its sources.
func (l look) unheard(k *kustomization) []Fault {
	f := Fault{Code: "alert-missing", Severity: failed, Stage: validated, Hint: l.declareAlert(k)}
	var wrong []text
	for _, a := range inOrder(l.alerts) {
		p := l.providerOf(a)
		switch {
		case p == nil:
		case hears(a, k) && (p.Spec.Type == "generic" || p.Spec.Type == "generic-hmac"):
			f.Severity = warning
			f.Message = fmt.Sprintf("%s tells of %s to %s, of type %s: whether GitHub hears of it cannot be told", a, k, p, p.Spec.Type)
			return []Fault{f}
		case hears(a, k) && f.Message == "":
			f.Message = fmt.Sprintf("no Alert tells GitHub of %s: %s goes to %s, of type %s", k, a, p, quote(p.Spec.Type))
		case toGitHub(p):
			wrong = append(wrong, text(fmt.Sprintf("%s has %s", a, l.sourcesOf(a))))
		}
	}
	switch {
	case len(wrong) > 0:
		f.Code = "alert-wrong-source"
		f.Message = fmt.Sprintf("no Alert to GitHub has %s among its eventSources: %s", k, each(wrong))
		f.Hint = fmt.Sprintf("set spec.eventSources of the Alert to kind: Kustomization, name: %s, namespace: %s", k.Metadata.Name, k.Metadata.Namespace)
	case f.Message == "":
		f.Message = fmt.Sprintf("no Alert tells GitHub of %s", k)
	}
	return []Fault{f}
}

func (l look) sourcesOf(a *alert) string {
	var all []text
	for _, ref := range a.Spec.EventSources {
		s := naming(ref.Kind, ref.id(a.Metadata.Namespace))
		if labels := slices.Sorted(maps.Keys(ref.MatchLabels)); len(labels) > 0 {
			s += " with label " + quote(labels[0]) + " = " + quote(ref.MatchLabels[labels[0]])
		}
		all = append(all, text(s))
	}
	if len(all) == 0 {
		return "none"
	}
	return each(all)
}

func (l look) declareAlert(k *kustomization) string {
	for _, kind := range []string{"Alert", "Provider"} {
		if l.foreign[kind] {
			return "the file has objects of that name of another API: make it with `" + getObjects + "`"
		}
	}
	return fmt.Sprintf("declare a Provider of type github and an Alert with eventSources kind: Kustomization, name: %s in namespace %s;"+
		" if they are there, make the file anew with `%s`", k.Metadata.Name, k.Metadata.Namespace, getObjects)
}

// filtered says by what an Alert drops the word that a Kustomization is healthy; "" where it
// does not. A list entry that is no regular expression matches nothing (notification-
// controller, messageIsIncluded and messageIsExcluded).
func filtered(a *alert, message string) string {
	matches := func(expression string) bool {
		re, err := regexp.Compile(expression)
		return err == nil && re.MatchString(message)
	}
	if s := a.Spec.EventSeverity; s != "" && s != info {
		return "spec.eventSeverity " + quote(s)
	}
	if list := a.Spec.InclusionList; len(list) > 0 && !slices.ContainsFunc(list, matches) {
		return "spec.inclusionList, of which nothing matches it"
	}
	if i := slices.IndexFunc(a.Spec.ExclusionList, matches); i >= 0 {
		return "spec.exclusionList, of which " + quote(a.Spec.ExclusionList[i]) + " matches it"
	}
	return ""
}
