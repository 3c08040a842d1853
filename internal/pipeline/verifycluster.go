package pipeline

import (
	"fmt"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/cluster"
	"github.com/oci-promote/oci-promote/internal/version"
)

// knows reports whether a cluster with that role told of itself.
func (r *verifyRun) knows(role cluster.Role) bool {
	for _, s := range r.States {
		if s.Has(role, r.registry(role)) {
			return true
		}
	}
	return false
}

// fetched is the step of an artifact that a cluster of that role has fetched. Not ok where none
// told so.
func (r *verifyRun) fetched(role cluster.Role, d digest.Digest) (Step, bool) {
	for _, s := range r.States {
		if got, ok := s.Fetched(role, r.registry(role), r.Gate); ok && got.Digest == d {
			return at(Reached, got.At, Evidence{Tag: got.Tag, Digest: d}), true
		}
	}
	return Step{}, false
}

// registry is what a cluster of that role is compared with.
func (r *verifyRun) registry(role cluster.Role) cluster.Registry {
	reg := cluster.Registry{
		Name: r.name, Tags: r.snap.tags, Stable: r.stable.tag, Digest: r.digestOf, Ready: r.since, Constraint: r.Clusters.Integration,
	}
	if role == cluster.Live {
		reg.Constraint = r.Clusters.Live
	}
	reg.Candidate = r.nextCandidate()
	return reg
}

// nextCandidate is what integration must be able to select: the newest candidate above the
// stable, or the one that the next build would get.
func (r *verifyRun) nextCandidate() string {
	if newest := r.snap.newestAbove(); newest != "" {
		return newest
	}
	next, err := r.snap.ladder.Next(version.Patch, version.Stable{Patch: 1})
	if err != nil {
		return ""
	}
	return next.String()
}

// checkClusters finds what is wrong on the clusters that told of themselves.
func (r *verifyRun) checkClusters() (integration, live []Finding) {
	for _, s := range r.States {
		integration = append(integration, r.faultsOf(s, cluster.Integration)...)
		live = append(live, r.faultsOf(s, cluster.Live)...)
	}
	if !hasError(integration) {
		integration = append(integration, r.checkDelivery()...)
	}
	return integration, live
}

func (r *verifyRun) faultsOf(s *cluster.State, role cluster.Role) (all []Finding) {
	for _, f := range s.Faults(role, r.registry(role), r.Gate, r.Now, r.MaxAge) {
		severity := Severity(f.Severity)
		if Code(f.Code) == "behind" && severity == Error && !r.knowsPromotion(role) {
			severity = Warning // it may have been promoted just now
		}
		all = append(all, Finding{
			Code: Code(f.Code), Severity: severity, Stage: Stage(f.Stage), Since: f.Since,
			Message: fmt.Sprintf("on %s: %s", role, f.Message), Hint: f.Hint,
		})
	}
	return all
}

// knowsPromotion reports whether it is known when what a cluster should have was promoted: that
// is after integration's first report, and a rollback or a version by hand has no report of its
// own. A candidate that integration should have is not promoted.
func (r *verifyRun) knowsPromotion(role cluster.Role) bool {
	if role == cluster.Integration && r.snap.newestAbove() != "" {
		return true
	}
	s := r.stable
	return s.artifact != nil && s.lower == "" && r.heard.words[s.artifact.desc.Digest].State == "success"
}

// checkDelivery finds a report that was made and did not arrive: integration has applied the
// artifact and found it healthy, its Alert and its Provider are as they should be, and the
// commit has no status.
func (r *verifyRun) checkDelivery() []Finding {
	a := r.subject.artifact
	if r.Host == nil || a == nil || r.subject.stable != "" || r.validatedTag() != "" {
		return nil
	}
	w, asked := r.heard.words[a.desc.Digest]
	if !asked || w.State != "" {
		return nil
	}
	for _, s := range r.States {
		applied, ok := s.Applied(cluster.Integration, r.registry(cluster.Integration), r.Gate)
		if !ok || applied.Digest != a.desc.Digest || r.Now.Sub(applied.At) < promotionTakes {
			continue
		}
		return []Finding{{
			Code: ProviderFailing, Severity: Error, Stage: Validated, Since: applied.At,
			Message: fmt.Sprintf("on integration: %s is applied and healthy, and its report did not reach commit %s: the Alert and the Provider look right, so GitHub refused it"+
				" (a token that expired or may not write commit statuses), or the controller is too old", applied.Tag, short(r.subject.commit)),
			Hint: fmt.Sprintf("`kubectl logs -n flux-system deploy/notification-controller` says what GitHub answered; renew the token with the right to write commit statuses;"+
				" Flux does not repeat the report, so promote by hand: mode tag with artifact-sha %s", short(r.subject.commit)),
		}}
	}
	return nil
}
