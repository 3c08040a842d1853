package version

import (
	"regexp"
	"strings"
)

// visible is a character that is no white space of Unicode.
const visible = `[^\s\v\x{85}\pZ]`

// header is the first line of a Conventional Commit: type, optional scope,
// optional "!", colon, space (conventionalcommits.org 1.0.0, rules 1 to 5).
var header = regexp.MustCompile(`^([A-Za-z]+)(\([^()\r\n]*\))?(!)?: ` + visible)

// footer is rule 8 and 16: BREAKING-CHANGE is a synonym of BREAKING CHANGE, and
// both must be upper case at the start of a line.
var footer = regexp.MustCompile(`(?m)^BREAKING[ -]CHANGE: ` + visible)

// BumpOf reads one commit message as a Conventional Commit. A message that is
// none asks for a patch and says so with false.
func BumpOf(message string) (Bump, bool) {
	m := header.FindStringSubmatch(strings.TrimSpace(message))
	switch {
	case m == nil:
		return Patch, false
	case m[3] == "!" || footer.MatchString(message):
		return Major, true
	case strings.EqualFold(m[1], "feat"):
		return Minor, true
	}
	return Patch, true
}
