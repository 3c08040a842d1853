package cluster

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// Text from outside is data: it becomes one line of bounded length before it is told on.
const (
	maxQuoted = 120 // runes of a name, a constraint, a URL
	maxSaid   = 300 // runes of what Flux says
)

// The commands that make the files, on any cluster: kubectl refuses a kind that is not installed, and all others with it
// (docs/facts.md 35).
const (
	getObjects = `kubectl get "$(kubectl api-resources -o name | grep toolkit.fluxcd.io | paste -sd, -)" -A -o json`
	listNames  = "kubectl get secrets -A -o custom-columns=NS:.metadata.namespace,NAME:.metadata.name"
)

// hinted is an error with a line that says what to do.
type hinted struct {
	error
	hint string
}

// Hint is what to do about it.
func (h *hinted) Hint() string { return h.hint }

// said is a text of Flux's on one line.
func said(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
	s = strings.Join(strings.Fields(s), " ")
	s = login.ReplaceAllString(s, "://…@")
	s = credential.ReplaceAllString(s, "$1…")
	return clip(s, maxSaid)
}

// What Flux and its libraries quote of a request may hold a login.
var (
	login      = regexp.MustCompile(`://[^\s/"'?#]*(?:[?#][^\s/"']*)?@`)
	credential = regexp.MustCompile(`(?i)((?:token|password|secret|authorization|signature)["']?\s*[=:]\s*["']?(?:(?:bearer|basic)\s+)?)[^\s"'&,;]+`)
)

// quote is a value from outside, in quotes.
func quote(s string) string { return strconv.Quote(clip(s, maxQuoted)) }

func clip(s string, runes int) string {
	n := 0
	for i := range s {
		if n++; n > runes {
			return s[:i] + "…"
		}
	}
	return s
}

var word = regexp.MustCompile(`^[A-Za-z]{1,63}$`)

// kindName is a kind from outside.
func kindName(kind string) string {
	if !word.MatchString(kind) {
		return quote(kind)
	}
	return kind
}

// naming is a kind from outside and what it names.
func naming(kind string, i id) string { return kindName(kind) + " " + i.String() }

// address is a URL without what can be a secret in it: a login, a query.
func address(s string) string {
	s, digest, pinned := strings.Cut(s, "@sha256:")
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		scheme, rest = "", s
	}
	if i := strings.LastIndex(rest, "@"); i >= 0 { // first: a login may hold the signs that end an address
		rest = rest[i+1:]
	}
	rest, _, _ = strings.Cut(rest, "?")
	rest, _, _ = strings.Cut(rest, "#")
	if ok {
		rest = scheme + "://" + rest
	}
	if pinned {
		rest += "@sha256:" + digest
	}
	return rest
}

// each joins at most three of a list, and counts the others.
func each[T fmt.Stringer](all []T) string {
	const most = 3
	var names []string
	for _, one := range all[:min(most, len(all))] {
		names = append(names, one.String())
	}
	s := strings.Join(names, ", ")
	if more := len(all) - most; more > 0 {
		s += fmt.Sprintf(" and %d more", more)
	}
	return s
}

// on is the end of a command on an object.
func on(i id) string {
	if !i.valid() {
		return "NAME -n NAMESPACE"
	}
	if i.namespace == "" {
		return i.name
	}
	return i.name + " -n " + i.namespace
}
