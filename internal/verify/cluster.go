package verify

import (
	"fmt"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/cluster"
	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// knows reports whether a cluster with that role told of itself.
func (r *reading) knows(role cluster.Role) bool {
	for _, s := range r.States {
		if s.Has(role, r.registry(role)) {
			return true
		}
	}
	return false
}

// fetched is the step of an artifact that a cluster of that role has fetched. Not ok where none
// told so.
func (r *reading) fetched(role cluster.Role, d digest.Digest) (pipeline.Step, bool) {
	for _, s := range r.States {
		if got, ok := s.Fetched(role, r.registry(role), r.Gate); ok && got.Digest == d {
			return at(pipeline.Reached, got.At, pipeline.Evidence{Tag: got.Tag, Digest: d}), true
		}
	}
	return pipeline.Step{}, false
}

// registry is what a cluster of that role is compared with.
func (r *reading) registry(role cluster.Role) cluster.Registry {
	reg := cluster.Registry{
		Name: r.Name, Tags: r.snap.Tags, Stable: r.stable.tag, Digest: r.digestOf, Ready: r.since, Constraint: r.Clusters.Integration,
	}
	if role == cluster.Live {
		reg.Constraint = r.Clusters.Live
	}
	reg.Candidate = r.nextCandidate()
	if r.Host != nil {
		reg.Reported = func(d digest.Digest) bool { return r.heard.words[d].Integration.State != "" }
	}
	return reg
}

// checkClusters finds what is wrong on the clusters that told of themselves.
func (r *reading) checkClusters() (integration, live []pipeline.Finding) {
	for _, s := range r.States {
		integration = append(integration, r.faultsOf(s, cluster.Integration)...)
		live = append(live, r.faultsOf(s, cluster.Live)...)
	}
	if !hasError(integration) {
		integration = append(integration, r.checkDelivery()...)
	}
	return integration, live
}

// clusterError is the first error of its kind that the clusters in a role told of; nil for none.
func (r *reading) clusterError(role cluster.Role, is func(pipeline.Finding) bool) *pipeline.Finding {
	return r.clusterFinding(role, func(f pipeline.Finding) bool { return f.Severity == pipeline.Error && is(f) })
}

// misdirected is what integration told of reports that go to another commit; nil for none.
func (r *reading) misdirected() *pipeline.Finding {
	return r.clusterFinding(cluster.Integration, func(f pipeline.Finding) bool { return f.Code == "wrong-commit" })
}

func (r *reading) clusterFinding(role cluster.Role, is func(pipeline.Finding) bool) *pipeline.Finding {
	for _, s := range r.States {
		for _, f := range r.faultsOf(s, role) {
			if is(f) {
				return &f
			}
		}
	}
	return nil
}

func (r *reading) faultsOf(s *cluster.State, role cluster.Role) (all []pipeline.Finding) {
	for _, f := range s.Faults(role, r.registry(role), r.Gate, r.Now, r.MaxAge) {
		severity := pipeline.Severity(f.Severity)
		if f.ByAge && severity == pipeline.Error && !r.knowsPromotion(role) {
			severity = pipeline.Warning // it may have been promoted just now
		}
		all = append(all, pipeline.Finding{
			Code: pipeline.Code(f.Code), Severity: severity, Stage: pipeline.Stage(f.Stage), Since: f.Since,
			Message: fmt.Sprintf("on %s: %s", role, f.Message), Hint: f.Hint,
		})
	}
	return all
}

// knowsPromotion reports whether it is known when what a cluster should have was promoted: that
// is after integration's first report, and a rollback or a version by hand has no report of its
// own but under its tag. A candidate that integration should have is not promoted.
func (r *reading) knowsPromotion(role cluster.Role) bool {
	if role == cluster.Integration && r.top() != "" {
		return true
	}
	s := r.stable
	if s.artifact == nil {
		return false
	}
	w := r.heard.words[s.artifact.Desc.Digest].Integration
	return w.Tag == s.tag || !s.rollback && w.Healthy
}

// checkDelivery finds a report that was made and did not arrive: integration has applied the
// artifact and found it healthy, its Alert and its Provider are as they should be, and the
// commit has no status. What GitHub refused is reported again at spec.interval (docs/facts.md 4).
func (r *reading) checkDelivery() []pipeline.Finding {
	a := r.subject.artifact
	if r.Host == nil || a == nil || r.subject.stable != "" || r.validatedTag() != "" {
		return nil
	}
	w, asked := r.heard.words[a.Desc.Digest]
	if !asked || w.Integration.State != "" || r.misdirected() != nil {
		return nil
	}
	for _, s := range r.States {
		applied, ok := s.Applied(cluster.Integration, r.registry(cluster.Integration), r.Gate)
		if !ok || applied.Digest != a.Desc.Digest || r.Now.Sub(applied.At) < promotionTakes {
			continue
		}
		return []pipeline.Finding{{
			Code: pipeline.ProviderFailing, Severity: pipeline.Error, Stage: pipeline.Validated, Since: applied.At,
			Message: fmt.Sprintf("on integration: %s is applied and healthy, and its report did not reach commit %s: the Alert and the Provider look right, so GitHub refused it"+
				" (a token that expired or may not write commit statuses), or the controller is too old", applied.Tag, short(r.subject.commit)),
			Hint: fmt.Sprintf("`kubectl logs -n flux-system deploy/notification-controller` says what GitHub answered; renew the token with the right to write commit statuses,"+
				" and Flux reports again at spec.interval; if it must go live now, promote it by hand: mode tag with artifact-sha %s", short(r.subject.commit)),
		}}
	}
	return nil
}
