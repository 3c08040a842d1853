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
	loose              // it is, in a form that Flux bears with
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
	case canonical(strings.TrimRight(rest, "/")) == name:
		return loose, "the slash at its end is one too many, though registries bear with it"
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
	severity := failed
	if m == loose {
		severity = warning
	}
	return []Fault{{
		Code: "wrong-url", Severity: severity, Stage: l.stage(),
		Message: fmt.Sprintf("%s has spec.url %s: %s", src, quote(address(src.Spec.URL)), problem),
		Hint:    fmt.Sprintf("set spec.url of %s to %s", src, l.url()),
	}}
}

// url is what spec.url must be.
func (l look) url() string { return quote("oci://" + l.registry.Name) }

// lost finds a gate that is not there, or that applies something else than the repository,
// and a repository that nothing reads. Stray reports that the gate applies something else,
// which leaves nothing to say of the sources.
func (l look) lost() (all []Fault, stray bool) {
	expected := l.url()
	if l.role == Integration && l.gate.Name != "" {
		gates := l.gates()
		for _, k := range gates {
			if what := l.strays(k); what != "" {
				return []Fault{{
					Code: "wrong-url", Severity: failed, Stage: l.stage(),
					Message: fmt.Sprintf("%s applies %s, and not an OCIRepository that reads %s", k, what, expected),
					Hint:    l.readInstead(k) + "; " + orInput,
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
	sources := inOrder(l.State.sources)
	for _, src := range sources {
		urls = append(urls, text(quote(address(src.Spec.URL))))
	}
	found, wrong := "there is none", "an OCIRepository"
	if len(urls) > 0 {
		found = "there is " + each(urls)
	}
	if len(urls) == 1 {
		wrong = sources[0].String()
	}
	return append([]Fault{{
		Code: "wrong-url", Severity: failed, Stage: l.stage(),
		Message: fmt.Sprintf("no OCIRepository reads %s: %s", expected, found),
		Hint:    fmt.Sprintf("set spec.url of %s to %s; %s; if it is there, make the file anew with `%s`", wrong, expected, orInput, getObjects),
	}}, all...), false
}

// readInstead is how a Kustomization that applies something else comes to apply the repository: by the OCIRepository that
// reads it, where there is one, and else by its own, of which the URL is wrong.
func (l look) readInstead(k *kustomization) string {
	switch reading, own := l.reading(l.registry), l.sourceOf(k); {
	case len(reading) > 0:
		return fmt.Sprintf("set spec.sourceRef of %s to %s", k, each(reading))
	case own != nil:
		return fmt.Sprintf("set spec.url of %s to %s", own, l.url())
	}
	return fmt.Sprintf("set spec.sourceRef of %s to an OCIRepository with spec.url %s", k, l.url())
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
