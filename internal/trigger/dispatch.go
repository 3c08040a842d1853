package trigger

import "strings"

// fluxEvent is what Flux's provider "githubdispatch" sends as client_payload (docs/facts.md 1).
type fluxEvent struct {
	InvolvedObject struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Name       string `json:"name"`
		Namespace  string `json:"namespace"`
	} `json:"involvedObject"`
	Severity string `json:"severity"`
	Reason   string `json:"reason"`
	Message  string `json:"message"`
	Metadata struct {
		Revision       string `json:"revision"`
		OriginRevision string `json:"originRevision"`
	} `json:"metadata"`
}

func (g Gate) readDispatch(payload []byte) (Verdict, error) {
	var e struct {
		ClientPayload *fluxEvent `json:"client_payload"`
	}
	if err := decode(payload, &e); err != nil {
		return Verdict{}, err
	}
	f := e.ClientPayload
	if err := f.complete(); err != nil {
		return Verdict{}, err
	}
	o := f.InvolvedObject
	object := oneLine("%s %s/%s", o.Kind, o.Namespace, o.Name)
	switch {
	case g.Name == "":
		return Verdict{}, errNoGate("an event of " + object)
	case !isKustomization(o.Kind, o.APIVersion):
		return no("the event is of %s, and only a Kustomization's can prove health", object), nil
	case !g.is(o.Namespace, o.Name):
		return no("the event is of %s, not of Kustomization %s", object, g), nil
	case f.Severity != "info":
		return no("%s reports %s: %s", object, f.Severity, f.Message), nil
	case !f.provesHealth():
		return no("%s reports %s: %q, which is sent before its health is known", object, f.Reason, f.Message), nil
	}
	p, err := f.proof()
	if err != nil {
		return Verdict{}, err
	}
	return Verdict{Proof: p, Proven: true, Because: oneLine("%s: %s", object, f.Message)}, nil
}

// complete refuses an event that lacks what each of Flux's has.
func (f *fluxEvent) complete() error {
	const expected = "is missing: expected an event of Flux's provider githubdispatch"
	if f == nil {
		return malformed("client_payload", expected)
	}
	for _, field := range [][2]string{
		{"involvedObject.kind", f.InvolvedObject.Kind},
		{"involvedObject.namespace", f.InvolvedObject.Namespace},
		{"involvedObject.name", f.InvolvedObject.Name},
		{"severity", f.Severity},
		{"reason", f.Reason},
		{"message", f.Message},
	} {
		if field[1] == "" {
			return malformed("client_payload."+field[0], expected)
		}
	}
	return nil
}

func isKustomization(kind, apiVersion string) bool {
	const group = "kustomize.toolkit.fluxcd.io/"
	return strings.EqualFold(kind, "Kustomization") && (apiVersion == "" || strings.HasPrefix(apiVersion, group))
}

// provesHealth: over dispatch an apply event has the same severity and reason as a passed
// health check, so that the message must tell (docs/facts.md 2).
func (f *fluxEvent) provesHealth() bool {
	return f.Reason == "ReconciliationSucceeded" || strings.HasPrefix(f.Message, "Health check passed in")
}

func (f *fluxEvent) proof() (Proof, error) {
	tag, d, ok := readRevision(f.Metadata.Revision)
	if !ok {
		return Proof{}, malformed("client_payload.metadata.revision",
			"%q is not <tag>@sha256:<64 hex digits>; is the Kustomization's source the OCIRepository?", f.Metadata.Revision)
	}
	p := Proof{Digest: d, Tag: tag}
	if f.Metadata.OriginRevision == "" {
		return p, nil // the artifact has no revision annotation; its digest says enough
	}
	m := origin.FindStringSubmatch(f.Metadata.OriginRevision)
	if m == nil {
		return Proof{}, malformed("client_payload.metadata.originRevision", "%q is not <branch>@sha1:<40 hex digits>", f.Metadata.OriginRevision)
	}
	p.Commit = m[1]
	return p, nil
}
