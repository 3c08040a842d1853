package trigger

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Gate is the Flux Kustomization whose health counts. The zero value is none: every
// event of Flux's is then an error, which shows what arrived.
type Gate struct {
	Namespace string // empty for any
	Name      string
	Context   []string // segments with which its commit statuses begin; nil for Flux's own
}

var object = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`)

// isObject reports whether s has the form of Kubernetes' names (RFC 1123).
func isObject(s string) bool { return len(s) <= 253 && object.MatchString(s) }

// ParseKustomization accepts NAME and NAMESPACE/NAME; empty is none.
func ParseKustomization(s string) (Gate, error) {
	if s == "" {
		return Gate{}, nil
	}
	namespace, name, both := strings.Cut(s, "/")
	if !both {
		namespace, name = "", s
	}
	if !isObject(name) || both && !isObject(namespace) {
		return Gate{}, fmt.Errorf("%q is not a Kustomization's name such as platform or flux-system/platform", s)
	}
	return Gate{Namespace: namespace, Name: name}, nil
}

// ParseContext accepts the beginning of a commit status's context, in whole segments
// between slashes; empty is none.
func ParseContext(s string) ([]string, error) {
	s = strings.TrimSuffix(s, "/")
	if s == "" {
		return nil, nil
	}
	segments := strings.Split(s, "/")
	if slices.Contains(segments, "") {
		return nil, fmt.Errorf("%q has an empty segment; expected whole segments such as kustomization/platform/", s)
	}
	return segments, nil
}

// context gives the segments with which the Kustomization's statuses begin: Flux writes
// <kind>/<name>/<...> (docs/facts.md 3).
func (g Gate) context() []string {
	if g.Context != nil {
		return g.Context
	}
	return []string{"kustomization", g.Name}
}

// speaks reports whether a status with this context is the Kustomization's. Segments are
// compared whole, so that "platform" is not "platform-dev", and without case, since
// Flux's own form is in lower case and others need not be.
func (g Gate) speaks(context string) bool {
	want, got := g.context(), strings.Split(context, "/")
	return len(got) >= len(want) && slices.EqualFunc(want, got[:len(want)], strings.EqualFold)
}

// is reports whether an object is the Kustomization.
func (g Gate) is(namespace, name string) bool {
	return strings.EqualFold(g.Name, name) && (g.Namespace == "" || strings.EqualFold(g.Namespace, namespace))
}

// String is the Kustomization as the input names it.
func (g Gate) String() string {
	if g.Namespace == "" {
		return g.Name
	}
	return g.Namespace + "/" + g.Name
}

// errNoGate is the error of an event that nothing can be made of, since it is not known
// whose health counts.
func errNoGate(arrived string) error {
	return &hinted{
		fmt.Errorf("kustomization: not set, so it is not known whose health counts; what arrived is %s", arrived),
		"set the input kustomization to the name of the Flux Kustomization that applies the artifact on integration",
	}
}

// hinted is an error with a line that says what to do.
type hinted struct {
	error
	hint string
}

// Hint is what to do about it.
func (h *hinted) Hint() string { return h.hint }
