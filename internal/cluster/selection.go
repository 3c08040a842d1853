package cluster

import (
	"fmt"
	"regexp"

	"github.com/oci-promote/oci-promote/internal/version"
)

// selection is how a source picks a tag: a filter first, then a constraint
// (source-controller, getTagBySemver; docs/facts.md 8).
type selection struct {
	constraint version.Constraint
	filter     *regexp.Regexp
}

// selectionOf reads it from spec.ref; problem says why Flux cannot.
func selectionOf(src *source) (sel selection, problem string) {
	ref := src.Spec.Ref
	var err error
	if sel.constraint, err = version.ParseConstraint(ref.Semver); err != nil {
		return sel, "spec.ref.semver " + quote(ref.Semver) + " is no semver constraint"
	}
	if ref.SemverFilter == "" {
		return sel, ""
	}
	if sel.filter, err = regexp.Compile(ref.SemverFilter); err != nil {
		return sel, "spec.ref.semverFilter " + quote(ref.SemverFilter) + " is no regular expression"
	}
	return sel, ""
}

// pick is the tag that the source picks; "" for none.
func (s selection) pick(tags []string) string {
	if s.filter == nil {
		return s.constraint.Select(tags)
	}
	var left []string
	for _, tag := range tags {
		if s.filter.MatchString(tag) {
			left = append(left, tag)
		}
	}
	return s.constraint.Select(left)
}

// takes reports whether the source lets candidates in, of those that there are or those that the next build may make; tag is
// one of the former, "" for none.
func (s selection) takes(r Registry) (tag string, ok bool) {
	ladder := version.Read(r.Tags)
	are := []string{r.Candidate}
	for _, c := range ladder.Candidates {
		are = append(are, c.String())
	}
	var mayCome []string
	stable, _ := ladder.Stable()
	for _, bump := range []version.Bump{version.Patch, version.Minor, version.Major} {
		mayCome = append(mayCome, version.Candidate{Base: stable.Bump(bump), N: 1}.String())
	}
	tag = s.pick(are)
	return tag, tag != "" || s.pick(mayCome) != ""
}

// wrongSemver finds a source that selects by the wrong rule.
func (l look) wrongSemver(src *source) []Fault {
	ref := src.Spec.Ref
	f := Fault{Code: "wrong-semver", Severity: failed, Stage: l.stage(), Hint: fmt.Sprintf("set spec.ref.semver of %s to %s", src, l.semver())}
	if ref.Semver == "" {
		f.Message = fmt.Sprintf("%s has no spec.ref.semver, so that it reads the tag \"latest\" for ever", src)
		return []Fault{f}
	}
	sel, problem := selectionOf(src)
	if problem != "" {
		f.Message = fmt.Sprintf("%s: %s", src, problem)
		return []Fault{f}
	}
	if f.Message = l.excludes(src, sel); f.Message != "" {
		return []Fault{f}
	}
	told := l.registry.Constraint
	if told.String() == "" || told.Select(l.registry.Tags) == sel.pick(l.registry.Tags) {
		return nil
	}
	f.Severity = warning
	f.Message = fmt.Sprintf("%s selects %s by %s, and verify was told that %s has %s, which selects %s",
		src, tagOr(sel.pick(l.registry.Tags)), rule(src), l.role, quote(told.String()), tagOr(told.Select(l.registry.Tags)))
	f.Hint = fmt.Sprintf("set the input %s-semver to what the cluster has, or the cluster to what the input says", l.role)
	return []Fault{f}
}

// semver is what the role's clusters should select by, unless they were told otherwise.
func (l look) semver() string {
	if l.role == Live {
		return `">= 0.0.0"`
	}
	return `">= 0.0.0-0"`
}

// excludes says what a source should let in and does not, or lets in and should not.
func (l look) excludes(src *source, sel selection) string {
	r := l.registry
	if l.role == Live {
		switch taken, ok := sel.takes(r); {
		case ok && taken == "":
			return fmt.Sprintf("%s selects by %s, which lets candidates in: the next one goes live before anybody validated it", src, rule(src))
		case taken != "":
			return fmt.Sprintf("%s selects by %s, which lets candidates in, such as %s: what nobody validated goes live", src, rule(src), taken)
		case r.Stable != "" && sel.pick([]string{r.Stable}) == "":
			return fmt.Sprintf("%s selects by %s, which does not let %s in, the stable", src, rule(src), r.Stable)
		}
		return ""
	}
	c, err := version.ParseCandidate(r.Candidate)
	if err != nil || sel.pick([]string{r.Candidate}) != "" {
		return ""
	}
	why := "its range excludes it"
	switch {
	case sel.filter != nil && !sel.filter.MatchString(r.Candidate):
		why = "spec.ref.semverFilter drops it"
	case sel.constraint.Select([]string{c.Base.String()}) != "":
		why = "without -0 a constraint matches no pre-release"
	}
	return fmt.Sprintf("%s selects by %s, which cannot select the candidate %s: %s", src, rule(src), r.Candidate, why)
}

// rule is how a source selects, in words.
func rule(src *source) string {
	if filter := src.Spec.Ref.SemverFilter; filter != "" {
		return quote(src.Spec.Ref.Semver) + " and the filter " + quote(filter)
	}
	return quote(src.Spec.Ref.Semver)
}

func tagOr(tag string) string {
	if tag == "" {
		return "nothing"
	}
	return quote(tag)
}
