package oci

import "strings"

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

// parseChallenges reads all challenges of a header that may come several times, and of which each may hold several. A
// comma separates both challenges and parameters: what has a value is a parameter, and what has none begins the next challenge. What
// is neither is left out; a value without quotes may hold more than a token may.
func parseChallenges(lines []string) (all []challenge) {
	for _, s := range lines {
		first := len(all)
		for s = skipCommas(s); s != ""; s = skipCommas(s) {
			if name, value, rest, ok := cutParameter(s); ok {
				if s = rest; len(all) > first {
					all[len(all)-1].learn(name, value)
				}
				continue
			}
			scheme, rest := cutToken(s)
			if scheme == "" {
				s = dropElement(s)
				continue
			}
			c := challenge{scheme: scheme, params: map[string]string{}}
			c.token, s = cutToken68(rest)
			all = append(all, c)
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

const blank = " \t"

func skipCommas(s string) string { return strings.TrimLeft(s, blank+",") }

// cutToken takes a token (RFC 9110, 5.6.2) off s; an empty one where there is none.
func cutToken(s string) (token, rest string) {
	i := strings.IndexFunc(s, func(r rune) bool { return !alphanumeric(r) && !strings.ContainsRune("!#$%&'*+-.^_`|~", r) })
	if i < 0 {
		return s, ""
	}
	return s[:i], s[i:]
}

func alphanumeric(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// cutToken68 takes the one word off s that a scheme may have in place of parameters, if it has.
func cutToken68(s string) (token, rest string) {
	word := strings.TrimLeft(s, blank)
	if word == s { // not after a space
		return "", s
	}
	rest = strings.TrimLeftFunc(word, func(r rune) bool { return alphanumeric(r) || strings.ContainsRune("-._~+/", r) })
	if len(rest) == len(word) {
		return "", s
	}
	rest = strings.TrimLeft(rest, "=")
	if end := strings.TrimLeft(rest, blank); end != "" && end[0] != ',' {
		return "", s
	}
	return word[:len(word)-len(rest)], rest
}

// cutParameter takes name=value off s, with blanks around the sign. A value whose quotes do not end is empty.
func cutParameter(s string) (name, value, rest string, ok bool) {
	name, rest = cutToken(s)
	rest, ok = strings.CutPrefix(strings.TrimLeft(rest, blank), "=")
	rest = strings.TrimLeft(rest, blank)
	if name == "" || !ok {
		return "", "", s, false
	}
	if strings.HasPrefix(rest, `"`) {
		value, rest = cutQuoted(rest)
		return name, value, rest, true
	}
	value = rest
	if i := strings.IndexAny(rest, blank+`,"`); i >= 0 {
		value = rest[:i]
	}
	return name, value, rest[len(value):], true
}

// cutQuoted takes a quoted string, with which s begins, off s.
func cutQuoted(s string) (value, rest string) {
	var text strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return text.String(), s[i+1:]
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		text.WriteByte(s[i])
	}
	return "", ""
}

// dropElement leaves out what stands before the next comma.
func dropElement(s string) string {
	for s != "" && s[0] != ',' {
		if s[0] == '"' {
			_, s = cutQuoted(s)
			continue
		}
		s = s[1:]
	}
	return s
}
