package action

import (
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"plain", "reading tags: 403 denied", "reading tags: 403 denied"},
		{"empty", "", ""},
		{"other languages", "本番 è ж 🚀", "本番 è ж 🚀"},
		{"spaces inside and around", "  a  b  ", "  a  b  "},
		{"command", "::error::x", ":\u200a:error::x"},
		{"command after spaces", "  \t ::error::x", ":\u200a:error::x"},
		{"command after a no-break space", "\u00a0\u3000::error::x", ":\u200a:error::x"},
		{"command in mid-line is none", "see ::error::x", "see ::error::x"},
		{"three colons", ":::error::x", ":\u200a::error::x"},
		{"command after a line break", "a\n::error::x", "a ::error::x"},
		{"command after a carriage return", "a\r::error::x\r\n::warning::y", "a ::error::x  ::warning::y"},
		{"command after a leading line break", "\n::error::x", ":\u200a:error::x"},
		{"other line breaks", "a\u2028b\u2029c\u0085d\ve\ff", "a b c def"},
		{"old command", "a ##[error]b", "a #\u200a#[error]b"},
		{"old command, twice", "##[x]##[y]", "#\u200a#[x]#\u200a#[y]"},
		{"old command, more signs", "####[[error]", "###\u200a#[[error]"},
		{"colours", "\x1b[31mred\x1b[0m", "[31mred[0m"},
		{"escape sequence with one byte", "\u009b31mred", "31mred"},
		{"bell and backspace", "a\ab\bc\x7fd", "abcd"},
		{"NUL", "a\x00b", "ab"},
		{"bidirectional controls", "a\u202eb\u2066c\u200fd\u061ce", "abcde"},
		{"invisible", "a\u200bb\ufeffc\u00add\U000e0041e", "abcde"},
		{"invalid UTF-8", "a\xffb\xc3", "a\ufffdb\ufffd"},
		{"command once the controls are gone", ":\x1b:error::x", ":\u200a:error::x"},
		{"command once the bidirectional control is gone", "\u202e:\u202e:error::x", ":\u200a:error::x"},
		{"command once invalid bytes are replaced is none", ":\xff:error::x", ":\ufffd:error::x"},
		{"old command once the escape is gone", "#\x1b#[error]x", "#\u200a#[error]x"},
		{"old command once NUL is gone", "##\x00[error]x", "#\u200a#[error]x"},
		{"old command once all is gone", "#\u200b#\u202e[error]x", "#\u200a#[error]x"},
		{"a mebibyte", strings.Repeat("a", 1<<20), strings.Repeat("a", maxText) + "…"},
		{"as long as a line may be", strings.Repeat("a", maxText), strings.Repeat("a", maxText)},
		{"cut inside a character", strings.Repeat("a", maxText-1) + "é", strings.Repeat("a", maxText-1) + "…"},
		{"cut inside four bytes", strings.Repeat("a", maxText-3) + "🚀🚀", strings.Repeat("a", maxText-3) + "…"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Clean(test.text); got != test.want {
				t.Errorf("got  %.200q\nwant %.200q", got, test.want)
			}
			harmless(t, test.text)
		})
	}
}

// obeyed tells whether the runner would read a command from a line (docs/facts.md 21,
// actions/runner ActionCommand.cs), written anew and not as Clean does it.
func obeyed(line string) bool {
	return strings.HasPrefix(strings.TrimSpace(line), "::") || strings.Contains(line, "##[")
}

// invisible tells whether a terminal would obey r, or show something else for it.
func invisible(r rune) bool {
	return r < ' ' || r >= 0x7f && r < 0xa0 || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}

func harmless(t *testing.T, text string) {
	t.Helper()
	got := Clean(text)
	for _, line := range regexp.MustCompile(`\r\n|[\n\r\v\f\x{85}\x{2028}\x{2029}]`).Split(got, -1) {
		if obeyed(line) {
			t.Errorf("%.200q: the runner obeys %.200q", text, line)
		}
	}
	if i := strings.IndexFunc(got, invisible); i >= 0 {
		t.Errorf("%.200q: %.200q has a control", text, got[i:])
	}
	if !utf8.ValidString(got) {
		t.Errorf("%.200q: %.200q is no UTF-8", text, got)
	}
	if len(got) > 2*maxText+len("…") { // each ##[ grows to twice its length
		t.Errorf("%.200q: %d bytes are left", text, len(got))
	}
	if again := Clean(got); len(got) <= maxText && again != got {
		t.Errorf("%.200q: %.200q is not clean yet", text, got)
	}
}

func TestMarkdown(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"plain", "0.0.1-rc.1 is new", "0.0.1-rc.1 is new"},
		{"link", "[a](https://x)", `\[a\]\(https&#58;//x\)`},
		{"image", "![a](x)", `\!\[a\]\(x\)`},
		{"bare URL", "see https://evil.example", "see https&#58;//evil.example"},
		{"bare host", "see www.evil.example", `see www\.evil.example`},
		{"HTML", "<img src=x>", "&lt;img src=x&gt;"},
		{"entity", "&lt;b&gt;", "&amp;lt;b&amp;gt;"},
		{"escaped already", `\[a\]`, `\\\[a\\\]`},
		{"mention", "@octocat", "&#64;&#8203;octocat"},
		{"issue", "fixes #1, acme/fleet#2, GH-3 and gh-4", `fixes \#&#8203;1, acme/fleet\#&#8203;2, GH&#8203;-3 and gh&#8203;-4`},
		{"table", "a|b", `a\|b`},
		{"row", "a|\n|b", `a\| \|b`},
		{"emphasis", "*a* _b_ ~~c~~", `\*a\* \_b\_ \~\~c\~\~`},
		{"code", "`a`", "\\`a\\`"},
		{"heading", "# a", `\#&#8203; a`},
		{"mathematics", "$x^2$", `\$x\^2\$`},
		{"command", "::error::x", ":\u200a:error::x"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Markdown(test.text); got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
			harmlessMarkdown(t, test.text)
		})
	}
}

func TestCode(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"plain", "0.0.1-rc.1", "`0.0.1-rc.1`"},
		{"HTML is text in a span", "<b>", "`<b>`"},
		{"empty", "", ""},
		{"ends the span", "a`<b>`c", "a\\`&lt;b&gt;\\`c"},
		{"ends the cell", "a|b", `a\|b`},
		{"backslash", `a\`, `a\\`},
		{"ends the line", "a\n\n<b>", "`a  <b>`"},
		{"control", "a\x00b", "`ab`"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := Code(test.text)
			if got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
			if strings.Contains(got, "\n") {
				t.Errorf("%q has several lines", got)
			}
		})
	}
}

var (
	escape  = regexp.MustCompile(`\\[!-/:-@\[-` + "`" + `{-~]|&(?:lt|gt|amp|#58|#64|#8203);`) // what stands for itself
	special = regexp.MustCompile("(?i:\\bGH-)|[<>\\[\\]()`*_|~$^{}!#\\\\&@\n]|://|www\\.")
)

// harmlessMarkdown takes away all that is escaped; nothing special may be left.
func harmlessMarkdown(t *testing.T, text string) {
	t.Helper()
	for name, got := range map[string]string{"Markdown": Markdown(text), "Code": Code(text)} {
		if name == "Code" && strings.HasPrefix(got, "`") {
			if len(got) < 3 || strings.ContainsAny(got[1:len(got)-1], "`|\\\n") || !strings.HasSuffix(got, "`") {
				t.Errorf("%.200q: the span %.200q can be left", text, got)
			}
			continue
		}
		if apart := strings.NewReplacer("&#64;&#8203;", "", `\#&#8203;`, "").Replace(got); strings.Contains(apart, "&#64;") || strings.Contains(apart, `\#`) {
			t.Errorf("%s(%.200q) = %.200q names somebody or something", name, text, got)
		}
		if bare := special.FindString(escape.ReplaceAllString(got, " ")); bare != "" {
			t.Errorf("%s(%.200q) = %.200q has a bare %q", name, text, got, bare)
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"", "::error::x", " ::error::x", "a\n::x", "##[x]", "####[[", "#\x1b#[", "#\u202e#\x00[", ":\u202e:", "\xff::", "\u200a::a", "\ufeff::a",
		"\u180e::a", "\v::a", "\u2028::a", "[a](b)", "<b>", "`a`", "\\`", "a|b", "www.x.y", "wwww.x", strings.Repeat("##[", 1000), strings.Repeat("é", 2000), strings.Repeat("\xff#", 2000)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		harmless(t, text)
		harmlessMarkdown(t, text)
	})
}
