package pipeline

import (
	"fmt"

	"github.com/oci-promote/oci-promote/internal/version"
)

// Clusters is how the two clusters select.
type Clusters struct{ Integration, Live version.Constraint }

// Selected tells what each cluster picks from tags.
func (c Clusters) Selected(tags []string) *Selected {
	return &Selected{c.Integration.Select(tags), c.Live.Select(tags)}
}

// MissedByIntegration tells why integration, which picks one tag, will not take a candidate that is listed too; empty
// where it does, and where a higher version of this pipeline is there already, as it should be.
func (c Clusters) MissedByIntegration(candidate, picked string) string {
	return missed("integration", c.Integration, candidate, picked, IsStable(picked) || IsCandidate(picked))
}

// MissedByLive is the same of live and a stable. A candidate is nothing that live should pick.
func (c Clusters) MissedByLive(stable, picked string) string {
	return missed("live", c.Live, stable, picked, IsStable(picked))
}

// LetIn finds that live, which picks one tag, admits candidates such as this one; nil where it does not.
func (c Clusters) LetIn(candidate, picked string) *Finding {
	if c.Live.Select([]string{candidate}) == "" {
		return nil
	}
	return &Finding{
		Code: NotSelectedByLive, Severity: Error, Stage: SelectedByLive,
		Message: fmt.Sprintf("live takes what nobody validated: its constraint %q admits candidates such as %s, and selects %q now", c.Live, candidate, picked),
		Hint:    `the constraint on live must have no -0: ">= 0.0.0"; live-semver must say what the cluster has`,
	}
}

func missed(cluster string, c version.Constraint, tag, picked string, rightly bool) string {
	hint, what := "", "none of this pipeline's"
	if IsCandidate(tag) {
		hint = `; a constraint needs "-0" to see candidates, such as ">= 0.0.0-0"`
	}
	if IsCandidate(picked) {
		what = "no stable"
	}
	switch {
	case picked == "":
		return fmt.Sprintf("%s selects nothing: its constraint %q matches no tag, not even %s%s", cluster, c, tag, hint)
	case c.Select([]string{tag}) == "":
		return fmt.Sprintf("%s selects %q and can never select %s: its constraint %q excludes it%s", cluster, picked, tag, c, hint)
	case rightly:
		return ""
	}
	return fmt.Sprintf("%s selects %q, not %s: for the constraint %q that tag, which is %s, is the higher version; delete it, or narrow the constraint on the cluster and in %[1]s-semver",
		cluster, picked, tag, c, what)
}
