package cluster

import (
	"cmp"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
)

// object is a Flux object, as much of it as matters.
type object[Spec any] struct {
	Kind     string   `json:"kind"`
	Metadata metadata `json:"metadata"`
	Spec     Spec     `json:"spec"`
	Status   status   `json:"status"`
}

type (
	source        = object[sourceSpec]
	kustomization = object[kustomizationSpec]
	alert         = object[alertSpec]
	provider      = object[providerSpec]
	release       = object[struct{}]
)

type metadata struct {
	Namespace         string            `json:"namespace"`
	Name              string            `json:"name"`
	UID               string            `json:"uid"`
	Labels            map[string]string `json:"labels"`
	Annotations       map[string]string `json:"annotations"`
	CreationTimestamp stamp             `json:"creationTimestamp"`
}

// sourceSpec is source-controller's OCIRepositorySpec.
type sourceSpec struct {
	URL     string `json:"url"`
	Suspend bool   `json:"suspend"`
	Ref     struct {
		Digest       string `json:"digest"`
		Semver       string `json:"semver"`
		SemverFilter string `json:"semverFilter"`
		Tag          string `json:"tag"`
	} `json:"ref"`
}

// kustomizationSpec is kustomize-controller's KustomizationSpec.
type kustomizationSpec struct {
	SourceRef    reference         `json:"sourceRef"`
	DependsOn    []reference       `json:"dependsOn"`
	Wait         bool              `json:"wait"`
	HealthChecks []json.RawMessage `json:"healthChecks"`
	Suspend      bool              `json:"suspend"`
}

// alertSpec is notification-controller's AlertSpec.
type alertSpec struct {
	ProviderRef   reference   `json:"providerRef"`
	EventSeverity string      `json:"eventSeverity"`
	EventSources  []reference `json:"eventSources"`
	InclusionList []string    `json:"inclusionList"`
	ExclusionList []string    `json:"exclusionList"`
	Suspend       bool        `json:"suspend"`
}

// providerSpec is notification-controller's ProviderSpec. Its address can hold a secret (that
// of Slack is one) and is shown only where it is a git repository.
type providerSpec struct {
	Type             string    `json:"type"`
	Address          string    `json:"address"`
	SecretRef        reference `json:"secretRef"`
	Suspend          bool      `json:"suspend"`
	CommitStatusExpr string    `json:"commitStatusExpr"`
}

// reference names an object. Without a namespace it is in that of the object it stands in.
type reference struct {
	Kind        string            `json:"kind"`
	Namespace   string            `json:"namespace"`
	Name        string            `json:"name"`
	MatchLabels map[string]string `json:"matchLabels"`
}

func (r reference) id(own string) id { return id{cmp.Or(r.Namespace, own), r.Name} }

type status struct {
	Conditions []condition `json:"conditions"`
	Artifact   *struct {
		Revision       string `json:"revision"`
		LastUpdateTime stamp  `json:"lastUpdateTime"`
	} `json:"artifact"`
	LastAppliedRevision   string `json:"lastAppliedRevision"`
	LastAttemptedRevision string `json:"lastAttemptedRevision"`
	Inventory             struct {
		Entries []struct {
			ID string `json:"id"` // <namespace>_<name>_<group>_<kind>
		} `json:"entries"`
	} `json:"inventory"`
	History []snapshot `json:"history"`
}

// snapshot is a result of kustomize-controller: one entry for each content and result, the
// latest first.
type snapshot struct {
	FirstReconciled      stamp  `json:"firstReconciled"`
	LastReconciled       stamp  `json:"lastReconciled"`
	LastReconciledStatus string `json:"lastReconciledStatus"`
	Metadata             struct {
		Revision string `json:"revision"`
	} `json:"metadata"`
}

type condition struct {
	Type               string `json:"type"`
	Status             string `json:"status"` // True, False, Unknown; "" where there is no such condition
	Reason             string `json:"reason"`
	Message            string `json:"message"`
	LastTransitionTime stamp  `json:"lastTransitionTime"`
}

// stamp is a time. One that cannot be read is unknown, and not an error: no decision of a
// cluster hangs on it.
type stamp struct{ time.Time }

// UnmarshalJSON never fails.
func (s *stamp) UnmarshalJSON(blob []byte) error {
	var t time.Time
	if json.Unmarshal(blob, &t) == nil {
		s.Time = t
	}
	return nil
}

// id names an object of a kind.
type id struct{ namespace, name string }

func (i id) compare(j id) int {
	return cmp.Or(cmp.Compare(i.namespace, j.namespace), cmp.Compare(i.name, j.name))
}

var nameForm = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.:_-]*[A-Za-z0-9])?$`)

// isName reports whether s is a name of Kubernetes': one that can stand in a message and in a command. Its length is
// not for the expression, which would be compiled as often over at each start.
func isName(s string) bool { return len(s) <= 253 && nameForm.MatchString(s) }

func (i id) valid() bool {
	return isName(i.name) && (i.namespace == "" || isName(i.namespace))
}

func (i id) String() string {
	s := strings.TrimPrefix(i.namespace+"/"+i.name, "/")
	if !i.valid() {
		return quote(s)
	}
	return s
}

func (o *object[Spec]) id() id { return id{o.Metadata.Namespace, o.Metadata.Name} }

// String is for messages: the kind, the namespace and the name.
func (o *object[Spec]) String() string { return o.Kind + " " + o.id().String() }

// ready is the object's own word on how it is.
func (o *object[Spec]) ready() condition {
	for _, c := range o.Status.Conditions {
		if c.Type == "Ready" {
			return c
		}
	}
	return condition{}
}

// readySince is since when it is as it says; for an object that says nothing, since there is
// one.
func (o *object[Spec]) readySince() time.Time {
	if c := o.ready(); c.Status != "" {
		return c.LastTransitionTime.Time
	}
	return o.Metadata.CreationTimestamp.Time
}

// fetched reports whether what a source has is of a tag.
func (o *object[Spec]) fetched(tag string) bool {
	if o.Status.Artifact == nil {
		return false
	}
	has, _ := revision(o.Status.Artifact.Revision)
	return has == tag
}

// inOrder gives objects in an order that is always the same.
func inOrder[Spec any](all map[id]*object[Spec]) []*object[Spec] {
	list := make([]*object[Spec], 0, len(all))
	for _, key := range slices.SortedFunc(maps.Keys(all), id.compare) {
		list = append(list, all[key])
	}
	return list
}

// revision reads <tag>@<digest>, as Flux writes what it fetched from an OCIRepository (docs/facts.md
// 9). Of a revision in another form, such as a git commit's, the digest is "".
func revision(s string) (tag string, d digest.Digest) {
	tag, hash, ok := strings.Cut(s, "@")
	d = digest.Digest(hash)
	if !ok || d.Validate() != nil {
		return "", ""
	}
	return tag, d
}
