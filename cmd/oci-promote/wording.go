package main

import (
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/oci-promote/oci-promote/internal/action"
	"github.com/oci-promote/oci-promote/internal/oci"
	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// How a hint names inputs. The rooms write it for a workflow; by hand the same inputs are flags. This is the one place that
// turns one into the other, by the forms that a hint has:
//
//	first-build: true, version: next    an input with a value
//	max-age, artifact-sha or digest     a name with a dash, which is no other word, and what is listed beside it
//	set token, give artifact-sha or digest, the input path      after a word that is for inputs
//	token (by hand: GITHUB_TOKEN)       two wordings
//	in a workflow …; by hand …          two hints
var (
	inputName  = `(?:` + strings.Join(namesByLength(), "|") + `)`
	inputList  = inputName + `(?:(?:,| and| or) ` + inputName + `)*`
	twoHints   = regexp.MustCompile(`^(.*?)\bin a workflow (.*); by hand (.*)$`)
	twoWords   = regexp.MustCompile(`(\S+) \(by hand: ([^()]*)\)`)
	leftFalse  = regexp.MustCompile(`(^|\W)leave (` + inputName + `) false\b`)
	withValue  = regexp.MustCompile("(^|[\\s(`])(" + inputName + `): (true|false|next|latest|auto|\d\S*|[^\s/]+/\S+)`)
	afterVerb  = regexp.MustCompile(`(^|[\s(])((?:set|give|leave|check|raise|compare|with|without|the inputs?) )(` + inputList + `)($|[\s,;:).?])`)
	hyphenated = regexp.MustCompile("(^|[\\s(`\"])(" + inputList + ")($|[\\s,;:).?`\"])")
	anyName    = regexp.MustCompile(inputName)
)

// namesByLength are the names of all inputs, the longest first, so that none is taken for another that it begins with.
func namesByLength() (names []string) {
	for _, i := range action.Inputs {
		if i.Name != "mode" {
			names = append(names, i.Name)
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return len(b) - len(a) })
	return names
}

// worded is a hint for a workflow, or for a person with a shell.
func worded(hint string, byHand bool) string {
	if !byHand {
		return twoWords.ReplaceAllString(twoHints.ReplaceAllString(hint, "$1$2"), "$1")
	}
	hint = twoWords.ReplaceAllString(twoHints.ReplaceAllString(hint, "$1$3"), "$2")
	hint = leftFalse.ReplaceAllString(hint, "${1}leave out --$2")
	hint = withValue.ReplaceAllStringFunc(hint, func(found string) string {
		m := withValue.FindStringSubmatch(found)
		return m[1] + strings.TrimSuffix("--"+m[2]+"="+m[3], "=true")
	})
	hint = afterVerb.ReplaceAllStringFunc(hint, func(found string) string {
		m := afterVerb.FindStringSubmatch(found)
		verb := strings.TrimPrefix(strings.TrimPrefix(m[2], "the inputs "), "the input ")
		return m[1] + verb + anyName.ReplaceAllStringFunc(m[3], flagOf) + m[4]
	})
	return hyphenated.ReplaceAllStringFunc(hint, func(found string) string {
		m := hyphenated.FindStringSubmatch(found)
		if !strings.Contains(m[2], "-") {
			return found
		}
		return m[1] + anyName.ReplaceAllStringFunc(m[2], flagOf) + m[3]
	})
}

// flagOf is an input by hand, with the variable in which a secret need not stand in a process list.
func flagOf(name string) string {
	i := slices.IndexFunc(action.Inputs, func(i action.Input) bool { return i.Name == name })
	if name == "token" || name == "password" {
		return "--" + name + " (or " + action.Inputs[i].Env[0] + ")"
	}
	return "--" + name
}

// wordReport words what a report tells to do.
func wordReport(r *pipeline.Report, byHand bool) {
	r.Next = worded(r.Next, byHand)
	if r.Diagnosis != nil {
		for i := range r.Findings {
			r.Findings[i].Hint = worded(r.Findings[i].Hint, byHand)
		}
	}
}

// wordError words what an error tells to do.
func (c *command) wordError(err error, v action.Values, byHand bool) error {
	hints := hintsOf(err)
	if len(hints) == 0 {
		return err
	}
	for i := range hints {
		hints[i] = worded(hints[i], byHand)
	}
	hint := strings.Join(hints, "; ")
	var answer *oci.Error
	if byHand && v["username"] == "" && c.getenv(passwordVariable) != "" && errors.As(err, &answer) && (answer.Status == http.StatusUnauthorized || answer.Status == http.StatusForbidden) {
		hint += "; " + passwordVariable + " is set, and counts only with --username"
	}
	return &rehinted{err, hint}
}

// rehinted is an error, mostly one of several joined ones, with its hint in other words.
type rehinted struct {
	error
	hint string
}

func (r *rehinted) Hint() string    { return r.hint }
func (r *rehinted) Unwrap() []error { return []error{r.error} } // so that each still sees them
