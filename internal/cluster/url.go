package cluster

import (
	"fmt"
	"regexp"
	"strings"
)

// match is how a source's URL is that of the repository.
type match int

const (
	other match = iota // it is another's
	near               // it is meant to be, and Flux reads something else or refuses it
	exact
)

var scheme = regexp.MustCompile(`^[a-z]+://`)

// compare tells whether url is meant to be the repository named HOST/PATH, and what is wrong
// with it where it is not exactly that (source-controller, parseRepository).
func compare(url, name string) (match, string) {
	name = canonical(name)
	rest, isOCI := strings.CutPrefix(url, "oci://")
	if isOCI && canonical(rest) == name {
		return exact, ""
	}
	plain := strings.ToLower(strings.TrimSpace(url))
	plain = scheme.ReplaceAllString(plain, "")
	plain, _, hasDigest := strings.Cut(plain, "@sha256:")
	hasTag := false
	if i := strings.LastIndexByte(plain, ':'); i > strings.LastIndexByte(plain, '/') && strings.Contains(plain, "/") {
		plain, hasTag = plain[:i], true
	}
	path := strings.TrimRight(plain, "/")
	switch {
	case canonical(path) != strings.ToLower(name):
		return other, ""
	case !isOCI:
		return near, "it must begin with oci://"
	case hasTag || hasDigest:
		return near, "it must not have a tag or a digest; those belong into spec.ref"
	case path != plain:
		return near, "it must not end with a slash"
	}
	return near, "its path must be in lower case, or Flux refuses it"
}

// canonical is HOST/PATH with the host in lower case, and the names of Docker Hub made one.
func canonical(name string) string {
	host, path, ok := strings.Cut(name, "/")
	if !ok || !strings.ContainsAny(host, ".:") && host != "localhost" {
		return "docker.io/" + name
	}
	if host = strings.ToLower(host); host == "index.docker.io" || host == "registry-1.docker.io" {
		host = "docker.io"
	}
	return host + "/" + path
}

// reading are the sources that read the repository, or are meant to.
func (s *State) reading(r Registry) (all []*source) {
	for _, src := range inOrder(s.sources) {
		if m, _ := compare(src.Spec.URL, r.Name); m != other {
			all = append(all, src)
		}
	}
	return all
}

// wrongURL finds a source that is meant to read the repository and does not.
func (l look) wrongURL(src *source) []Fault {
	m, problem := compare(src.Spec.URL, l.registry.Name)
	if m == exact {
		return nil
	}
	return []Fault{{
		Code: "wrong-url", Severity: failed, Stage: l.stage(),
		Message: fmt.Sprintf("%s has spec.url %s: %s", src, quote(address(src.Spec.URL)), problem),
		Hint:    fmt.Sprintf("set spec.url of %s to %s", src, quote("oci://"+l.registry.Name)),
	}}
}

// lost finds a gate that is not there, or that applies something else than the repository,
// and a repository that nothing reads. Stray reports that the gate applies something else,
// which leaves nothing to say of the sources.
func (l look) lost() (all []Fault, stray bool) {
	expected := quote("oci://" + l.registry.Name)
	if l.role == Integration && l.gate.Name != "" {
		gates := l.gates()
		for _, k := range gates {
			if what := l.strays(k); what != "" {
				return []Fault{{
					Code: "wrong-url", Severity: failed, Stage: l.stage(),
					Message: fmt.Sprintf("%s applies %s, and not an OCIRepository that reads %s", k, what, expected),
					Hint:    fmt.Sprintf("set spec.sourceRef of %s to an OCIRepository with spec.url %s; %s", k, expected, orInput),
				}}, true
			}
		}
		if len(gates) == 0 {
			all = append(all, l.gateMissing())
		}
	}
	if len(l.reading(l.registry)) > 0 {
		return all, false
	}
	var urls []text
	for _, src := range inOrder(l.State.sources) {
		urls = append(urls, text(quote(address(src.Spec.URL))))
	}
	found := "there is none"
	if len(urls) > 0 {
		found = "there is " + each(urls)
	}
	return append([]Fault{{
		Code: "wrong-url", Severity: failed, Stage: l.stage(),
		Message: fmt.Sprintf("no OCIRepository reads %s: %s", expected, found),
		Hint:    fmt.Sprintf("set spec.url of an OCIRepository to %s; %s; if it is there, make the file anew with `%s`", expected, orInput, getObjects),
	}}, all...), false
}

// orInput is the other way to mend it: the action has a default repository, which need not be the one that is built to.
const orInput = "or, where the cluster is right, set the input repository to what it reads"

// strays says what a Kustomization applies that is not the repository; "" where it is.
func (l look) strays(k *kustomization) string {
	ref := k.Spec.SourceRef
	named := naming(ref.Kind, ref.id(k.Metadata.Namespace))
	if ref.Kind != "OCIRepository" {
		return named
	}
	src := l.State.sources[ref.id(k.Metadata.Namespace)]
	if src == nil {
		return named + ", which is not there"
	}
	if m, _ := compare(src.Spec.URL, l.registry.Name); m == other {
		return fmt.Sprintf("%s, which reads %s", named, quote(address(src.Spec.URL)))
	}
	return ""
}

func (l look) gateMissing() Fault {
	want := id{l.gate.Namespace, l.gate.Name}
	var others []*kustomization
	for _, k := range inOrder(l.kustomizations) {
		if l.strays(k) == "" {
			others = append(others, k)
		}
	}
	f := Fault{
		Code: "kustomization-missing", Severity: failed, Stage: validated,
		Message: fmt.Sprintf("there is no Kustomization %s", want),
		Hint:    "create it, or set the input kustomization to the one that applies the artifact",
	}
	if len(others) > 0 {
		f.Message += "; what applies the repository is " + each(others)
	}
	return f
}

// text is a string that tells itself.
type text string

func (t text) String() string { return string(t) }
