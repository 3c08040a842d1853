package cluster

import (
	"fmt"
	"slices"
	"strings"
)

// maxDepends bounds how far dependencies are followed.
const maxDepends = 100

// cause is why a Kustomization waits for its dependencies.
type cause struct {
	objects []string // that wait or fail, the one to be mended last; none where all are ready by now
	text    string
	hint    string
}

// rootOf follows spec.dependsOn to the Kustomization that fails by itself: one that is not
// there, is suspended, or is not ready for another reason than its own dependencies
// (kustomize-controller, checkDependencies).
func (l look) rootOf(k *kustomization) (c cause) {
	path := []*kustomization{k}
	for len(path) < maxDepends {
		last := path[len(path)-1]
		dep, missing := l.unready(last)
		if missing != "" {
			return cause{append(c.objects, missing), fmt.Sprintf("; %s is not there", missing), fmt.Sprintf("create it, or remove it from spec.dependsOn of %s", last)}
		}
		if dep == nil {
			return cause{}
		}
		c.objects = append(c.objects, dep.String())
		ready := dep.ready()
		switch i := slices.Index(path, dep); {
		case i >= 0:
			c.text = fmt.Sprintf("; %s depends on itself", dep)
			if i < len(path)-1 {
				c.text += ", by way of " + each(path[i+1:])
			}
			c.hint = fmt.Sprintf("remove one of them from spec.dependsOn of %s", last)
			return c
		case dep.Spec.Suspend:
			c.text, c.hint = fmt.Sprintf("; %s is suspended", dep), "`flux resume kustomization "+on(dep.id())+"`"
			return c
		case ready.Status != "False":
			c.text, c.hint = fmt.Sprintf("; %s has not come to an end", dep), describe(dep)
			return c
		case ready.Reason != "DependencyNotReady":
			c.text, c.hint = fmt.Sprintf("; %s: %s", dep, said(ready.Reason+": "+ready.Message)), describe(dep)
			return c
		}
		path = append(path, dep)
	}
	return c
}

// unready is the first dependency of a Kustomization that is not ready, or is not there.
func (l look) unready(k *kustomization) (dep *kustomization, missing string) {
	for _, ref := range k.Spec.DependsOn {
		i := ref.id(k.Metadata.Namespace)
		dep := l.kustomizations[i]
		if dep == nil {
			return nil, naming("Kustomization", i)
		}
		if dep.ready().Status != "True" {
			return dep, ""
		}
	}
	return nil, ""
}

// unhealthy tells more of the HelmReleases and Kustomizations that a health check names, or
// that a Kustomization applies, and that are not ready: at most two.
func (l look) unhealthy(k *kustomization, message string, told map[string]bool) string {
	var texts []string
	tell := func(what fmt.Stringer, c condition) {
		if c.Status == "False" && len(texts) < 2 {
			told[what.String()] = true
			texts = append(texts, fmt.Sprintf("; %s: %s", what, said(c.Reason+": "+c.Message)))
		}
	}
	for _, i := range named(k, message, "HelmRelease", "helm.toolkit.fluxcd.io") {
		if r := l.releases[i]; r != nil {
			tell(r, r.ready())
		}
	}
	for _, i := range named(k, message, "Kustomization", "kustomize.toolkit.fluxcd.io") {
		if other := l.kustomizations[i]; other != nil && other != k {
			tell(other, other.ready())
		}
	}
	return strings.Join(texts, "")
}

// named are the objects of a kind that a message names as KIND/NAMESPACE/NAME, and then those
// in a Kustomization's inventory.
func named(k *kustomization, message, kind, group string) (all []id) {
	_, rest, found := strings.Cut(message, kind+"/")
	for found {
		reference, _, _ := strings.Cut(rest, " ")
		if namespace, name, ok := strings.Cut(strings.TrimRight(reference, ",];:"), "/"); ok {
			all = append(all, id{namespace, name})
		}
		_, rest, found = strings.Cut(rest, kind+"/")
	}
	for _, entry := range k.Status.Inventory.Entries {
		if parts := strings.Split(entry.ID, "_"); len(parts) == 4 && parts[2] == group && parts[3] == kind {
			if i := (id{parts[0], parts[1]}); !slices.Contains(all, i) {
				all = append(all, i)
			}
		}
	}
	return all
}
