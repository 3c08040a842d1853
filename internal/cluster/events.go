package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// refusal is the error with which the last of an Alert's reports of one object did not get out.
type refusal struct {
	at     time.Time
	answer string
}

// event is a Kubernetes Event of v1, as `kubectl get events` prints it.
type event struct {
	Metadata       metadata  `json:"metadata"`
	Reason         string    `json:"reason"`
	Message        string    `json:"message"`
	InvolvedObject reference `json:"involvedObject"`
	LastTimestamp  stamp     `json:"lastTimestamp"` // none where it was written through events.k8s.io
	EventTime      stamp     `json:"eventTime"`
	Series         struct {
		LastObservedTime stamp `json:"lastObservedTime"`
	} `json:"series"`
}

// at is when it happened last; zero for unknown.
func (e *event) at() (last time.Time) {
	for _, t := range []stamp{e.Metadata.CreationTimestamp, e.EventTime, e.LastTimestamp, e.Series.LastObservedTime} {
		if t.After(last) {
			last = t.Time
		}
	}
	return last
}

// readEvent keeps what an Alert says of a report that did not get out (docs/facts.md 34). Of an object the last counts.
func (s *State) readEvent(raw json.RawMessage) error {
	var e event
	if err := json.Unmarshal(raw, &e); err != nil {
		return errors.New("it has an Event that cannot be read; expected kubectl's output with -o json")
	}
	of := e.InvolvedObject
	_, rest, ok := strings.Cut(e.Message, " notification for ")
	object, answer, named := strings.Cut(rest, ": ")
	if e.Reason != "NotificationDispatchFailed" || of.Kind != "Alert" || !ok || !named {
		return nil
	}
	key := telling{id{of.Namespace, of.Name}, object}
	if old, ok := s.refusals[key]; ok && old.at.After(e.at()) {
		return nil
	}
	if s.refusals == nil {
		s.refusals = map[telling]refusal{}
	}
	s.refusals[key] = refusal{e.at(), answer}
	return nil
}

// telling is an Alert, and the object that it tells of: KIND/NAMESPACE/NAME.
type telling struct {
	alert  id
	object string
}

// undelivered finds a report that did not get out, with the answer that it got. Nothing is said of it where a later
// reconciliation has been reported since. Where GitHub has a report of what is applied all the same, nothing waits for this one.
func (l look) undelivered(a *alert, p *provider, k *kustomization) []Fault {
	r, ok := l.refusals[telling{a.id(), "Kustomization/" + k.id().String()}]
	if !ok || r.at.Before(k.lastReconciled()) {
		return nil
	}
	f := Fault{
		Code: "provider-failing", Severity: failed, Stage: validated, Since: r.at,
		Message: fmt.Sprintf("%s could not tell GitHub of %s%s: %s", a, k, when("on", r.at), said(r.answer)),
		Hint:    l.deliverHint(p, k, r.answer),
	}
	if _, d := revision(k.Status.LastAppliedRevision); l.registry.Reported != nil && l.registry.Reported(d) {
		f.Severity = warning
		f.Message += "; GitHub has a report of what is applied all the same"
	}
	return []Fault{f}
}

func (l look) deliverHint(p *provider, k *kustomization, answer string) string {
	has := func(words ...string) bool { return has(condition{Message: answer}, words...) }
	mend := "mend what it names"
	switch {
	case has("no commit found"):
		mend = fmt.Sprintf("does %s have the commit of the artifact's revision? set spec.address of %s to the repository that it is built from", l.page(), p)
	case has(": 401 ", ": 403 ", ": 404 ", "bad credentials"):
		mend = fmt.Sprintf("renew the token in the secret of spec.secretRef of %s: one of %s that may write commit statuses", p, l.page())
	case has("secret", "must be specified"):
		mend = fmt.Sprintf("give the secret of spec.secretRef of %s the key token, with one that may write commit statuses", p)
	}
	return fmt.Sprintf("%s; the report comes again at spec.interval, or at once by `flux reconcile kustomization %s`", mend, on(k.id()))
}

// lastReconciled is when a Kustomization was last reconciled, well or not; zero for unknown.
func (o *object[Spec]) lastReconciled() time.Time {
	if h := o.Status.History; len(h) > 0 {
		return h[0].LastReconciled.Time
	}
	return time.Time{}
}
