package action

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxText bounds one line of a log. Registries put whole web pages into errors.
const maxText = 2000

// Clean makes text from outside fit for one line of a log. The runner reads a command
// from any line that begins, after spaces, with "::", and "##[command]" anywhere in a
// line (docs/facts.md 21); a terminal obeys escape sequences, and bidirectional controls show
// a line as what it is not. Line breaks become spaces, other controls vanish.
func Clean(s string) string {
	s, cut := shorten(s)
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t' || r == '\u2028' || r == '\u2029' || r == '\u0085':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r): // Cf holds the bidirectional controls
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, string(utf8.RuneError)))
	s = strings.ReplaceAll(s, "##[", "#\u200a#[")
	if trimmed := strings.TrimLeftFunc(s, unicode.IsSpace); strings.HasPrefix(trimmed, "::") {
		s = ":\u200a:" + trimmed[2:]
	}
	if cut {
		s += "…"
	}
	return s
}

// shorten cuts what no line needs, between two characters.
func shorten(s string) (short string, cut bool) {
	if len(s) <= maxText {
		return s, false
	}
	s = s[:maxText]
	for !utf8.ValidString(s) && len(s) > maxText-utf8.UTFMax {
		s = s[:len(s)-1]
	}
	return s, true
}

// Clean is Clean without the secrets. They are looked for before a cut can go through one, and again when what nobody
// sees is gone from between.
func (s *Secrets) Clean(text string) string { return s.Hide(Clean(s.Hide(text))) }

// Short is text without the secrets, cut to what a report holds of one text. Where a secret shows only once what nobody
// sees is gone, so is that.
func (s *Secrets) Short(text string) string {
	text, cut := shorten(s.Hide(text))
	if clean := Clean(text); s.Hide(clean) != clean {
		return s.Hide(clean)
	}
	if cut {
		text += "…"
	}
	return text
}

// Markdown makes text from outside harmless in a summary or an issue: no link, no image, no
// HTML, no mention of a person or an issue, no table cell.
func Markdown(s string) string {
	var b strings.Builder
	for _, r := range Clean(s) {
		switch {
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '&':
			b.WriteString("&amp;")
		case r == '@': // GitHub looks for people after it has read the Markdown: an entity alone does not hide one
			b.WriteString("&#64;" + apart)
		case r == '#': // nor an issue
			b.WriteString(`\#` + apart)
		case strings.ContainsRune("\\`*_{}[]()+!|~$^", r):
			b.WriteRune('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return issueName.ReplaceAllString(bareURL.Replace(b.String()), "$1"+apart+"-")
}

// apart is a space without width, which keeps a sign from what follows it.
const apart = "&#8203;"

// issueName is the beginning of GH-1, which names an issue as #1 does.
var issueName = regexp.MustCompile(`(?i)\b(GH)-`)

// bareURL breaks what GitHub makes a link of without being asked.
var bareURL = strings.NewReplacer("://", "&#58;//", "www.", `www\.`)

// Code is text as a Markdown code span. Text that could end the span is escaped
// instead.
func Code(s string) string {
	s = Clean(s)
	if s == "" || strings.ContainsAny(s, "`|\\") {
		return Markdown(s)
	}
	return "`" + s + "`"
}
