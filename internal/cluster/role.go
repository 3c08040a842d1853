package cluster

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/oci-promote/oci-promote/internal/version"
)

// RoleOf reads the role of a cluster from a file's name that has it as a whole word:
// integration.json, flux-live-objects.json. Not ok where it has neither or both.
func RoleOf(file string) (Role, bool) {
	return roleIn(base(file))
}

func base(file string) string { return file[strings.LastIndexAny(file, `/\`)+1:] }

// words are the words of a text, in lower case.
func words(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// roleIn is the role that a text has as a whole word. Not ok where it has neither or both.
func roleIn(text string) (Role, bool) {
	all := words(text)
	integration, live := slices.Contains(all, string(Integration)), slices.Contains(all, string(Live))
	switch {
	case integration == live:
		return "", false
	case integration:
		return Integration, true
	}
	return Live, true
}

// Has reports whether the cluster has that role.
func (s *State) Has(role Role, r Registry) bool {
	roles, _ := s.Roles(r)
	return slices.Contains(roles, role)
}

// Roles are the stages that the cluster is for: the one that was given, or what its objects
// let guess. One cluster can be both, with a source each. Without any object of Flux's it is
// for none.
//
// Why says in a sentence how it was guessed; it is empty where nothing was.
func (s *State) Roles(r Registry) (roles []Role, why string) {
	if s.Role != "" {
		return []Role{s.Role}, ""
	}
	if len(s.sources)+len(s.kustomizations)+len(s.alerts)+len(s.providers) == 0 {
		return nil, ""
	}
	var both [2]*source
	for _, src := range s.reading(r) {
		if follows(src, r) == Integration {
			both[0] = src
		} else {
			both[1] = src
		}
	}
	role, because := Live, "no source of it takes candidates, and no Provider reports to git"
	p, live := s.reports()
	if live != nil {
		because = "no source of it takes candidates, and " + live.String() + " reports to git as live"
	}
	switch {
	case both[0] != nil && both[1] != nil:
		return []Role{Integration, Live}, s.guessed("both stages", fmt.Sprintf("%s takes candidates and %s does not", both[0], both[1]))
	case p != nil:
		role, because = Integration, p.String()+" reports to git"
	case both[0] != nil:
		role, because = Integration, both[0].String()+" takes candidates"
	}
	return []Role{role}, s.guessed("stage "+string(role), because)
}

func (s *State) guessed(what, because string) string {
	var files []text
	for _, file := range s.files {
		files = append(files, text(quote(file)))
	}
	return fmt.Sprintf("%s was taken for %s, since %s; integration=FILE or live=FILE says which it is", each(files), what, because)
}

// reports is a Provider that tells a git repository's host of what the cluster does, and one that
// does so as live, by the word in its contexts; nil for none.
func (s *State) reports() (p, live *provider) {
	toGit := []string{"github", "githubdispatch", "gitlab", "gitea", "bitbucket", "bitbucketserver", "azuredevops"}
	for _, a := range inOrder(s.alerts) {
		to := s.providerOf(a)
		if to == nil || !slices.Contains(toGit, to.Spec.Type) {
			continue
		}
		if role, _ := roleIn(to.Spec.CommitStatusExpr); role == Live {
			live = cmp.Or(live, to)
		} else {
			p = cmp.Or(p, to)
		}
	}
	return p, live
}

// follows is the stage that a source is made for, by what it lets in.
func follows(src *source, r Registry) Role {
	ref := src.Spec.Ref
	if ref.Semver == "" {
		if _, err := version.ParseCandidate(ref.Tag); err == nil {
			return Integration
		}
		return Live
	}
	if prerelease.MatchString(ref.Semver) {
		return Integration
	}
	if sel, problem := selectionOf(src); problem == "" {
		if _, ok := sel.takes(r); ok {
			return Integration
		}
	}
	return Live
}

// prerelease is what a constraint has that admits some (docs/facts.md 8): the -0 of >= 1.0.0-0, and
// not the range 1.0 - 2.0.
var prerelease = regexp.MustCompile(`\d-\w`)
