package oci

import (
	"regexp"
	"strings"
)

// challenge is one way to log in that a 401 offers (RFC 9110, 11.6.1).
type challenge struct {
	scheme string            // as it came; a token
	token  string            // token68, which some schemes have in place of parameters
	params map[string]string // by their names in lower case; the first of a name counts
}

// is reports whether c is of a scheme, whose name has no case.
func (c challenge) is(scheme string) bool { return strings.EqualFold(c.scheme, scheme) }

// format is c with those of its parameters that are named and not empty, in that order.
func (c challenge) format(names ...string) string {
	if c.token != "" {
		return c.scheme + " " + c.token
	}
	var params []string
	for _, name := range names {
		if value := c.params[name]; value != "" {
			params = append(params, name+`="`+escaped.Replace(value)+`"`)
		}
	}
	return strings.TrimSpace(c.scheme + " " + strings.Join(params, ","))
}

var escaped = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// The parts of a challenge. A value without quotes may hold more than a token may; one whose quotes do not end is empty.
var (
	challengeScheme    = regexp.MustCompile(`^(` + httpWord + `)(?:[ \t]+([-._~+/0-9A-Za-z]+=*)[ \t]*(?:,|$))?`)
	challengeParameter = regexp.MustCompile(`(?s)^(` + httpWord + `)[ \t]*=[ \t]*(?:` + quotedString + `|".*|([^ \t,"]*))`)
	noChallenge        = regexp.MustCompile(`(?s)^(?:` + quotedString + `|".*|[^,"])+`)
)

// Of RFC 9110, 5.6.2 and 5.6.4.
const (
	httpWord     = "[-!#$%&'*+.^_`|~0-9A-Za-z]+" //nolint:gosec // no credential
	quotedString = `"((?:[^"\\]|\\.)*)"`
)

var unescaped = regexp.MustCompile(`(?s)\\(.)`)

// parseChallenges reads all challenges of a header that may come several times, and of which each may hold several. A
// comma separates both challenges and parameters: what has a value is a parameter, and what has none begins the next challenge. What
// is neither is left out.
func parseChallenges(lines []string) (all []challenge) {
	const between = " \t,"
	for _, line := range lines {
		first := len(all)
		for s := strings.Trim(line, between); s != ""; s = strings.TrimLeft(s, between) {
			m := challengeParameter.FindStringSubmatch(s)
			switch {
			case m == nil:
				if m = challengeScheme.FindStringSubmatch(s); m == nil {
					m = noChallenge.FindStringSubmatch(s)
					break
				}
				all = append(all, challenge{scheme: m[1], token: m[2], params: map[string]string{}})
			case len(all) > first:
				all[len(all)-1].learn(m[1], unescaped.ReplaceAllString(m[2], "$1")+m[3])
			}
			s = s[len(m[0]):]
		}
	}
	return all
}

func (c challenge) learn(name, value string) {
	name = strings.ToLower(name)
	if _, twice := c.params[name]; !twice {
		c.params[name] = value
	}
}
