package test

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// block is a fenced block of a Markdown file.
type block struct {
	lang   string
	body   string // with the last line's end
	line   int    // of the opening fence, from 1
	before string // the paragraph that stands before it
}

// page is a Markdown file, taken apart.
type page struct {
	name   string // from the root of the repository
	text   string
	prose  string // without what stands in fences
	blocks []block
}

func readPage(t *testing.T, name string) page {
	t.Helper()
	text, err := os.ReadFile("../" + name)
	if err != nil {
		t.Fatal(err)
	}
	p := page{name: name, text: string(text)}
	var prose, paragraph strings.Builder
	var open *block
	indent := ""
	n := 0
	for line := range strings.Lines(p.text) {
		n++
		trimmed := strings.TrimSpace(line)
		switch {
		case open != nil && trimmed == "```":
			p.blocks = append(p.blocks, *open)
			open = nil
			paragraph.Reset()
		case open != nil:
			open.body += strings.TrimPrefix(line, indent)
		case strings.HasPrefix(trimmed, "```"):
			indent, _, _ = strings.Cut(line, "```")
			open = &block{lang: trimmed[3:], line: n, before: paragraph.String()}
		default:
			if trimmed != "" && paragraph.Len() > 0 && strings.HasSuffix(paragraph.String(), "\n\n") {
				paragraph.Reset()
			}
			paragraph.WriteString(strings.TrimSpace(line) + "\n")
			prose.WriteString(line)
			continue
		}
		prose.WriteString("\n")
	}
	if open != nil {
		t.Errorf("%s:%d: this block has no end", name, open.line)
	}
	p.prose = prose.String()
	return p
}

var (
	codeSpan      = regexp.MustCompile("`[^`\n]*`")
	link          = regexp.MustCompile(`\]\(([^()\s]*(?:\([^()\s]*\)[^()\s]*)*)(?:\s+"[^"]*")?\)|(?m)^\[[^\]]+\]:\s+(\S+)`)
	headingInPage = regexp.MustCompile(`(?m)^#{1,6}[ \t]+(.*?)[ \t]*#*$`)
	anchor        = regexp.MustCompile(`<a (?:id|name)="([^"]+)"`)
	linked        = regexp.MustCompile(`!?\[([^\]]*)\]\([^)]*\)`)
)

// links are the targets of all links of the page.
func (p page) links() (all []string) {
	for _, m := range link.FindAllStringSubmatch(codeSpan.ReplaceAllString(p.prose, "``"), -1) {
		all = append(all, m[1]+m[2])
	}
	return all
}

// anchors are what a link to a place in the page may name: GitHub's slugs of its headings, and its own anchors.
func (p page) anchors() map[string]bool {
	all := map[string]bool{}
	for _, m := range headingInPage.FindAllStringSubmatch(p.prose, -1) {
		base := slug(m[1])
		name := base
		for n := 1; all[name]; n++ {
			name = base + "-" + strconv.Itoa(n)
		}
		all[name] = true
	}
	for _, m := range anchor.FindAllStringSubmatch(p.prose, -1) {
		all[m[1]] = true
	}
	return all
}

// slug is GitHub's rule: the heading's text in lower case, without all but letters, digits, hyphens, underscores and
// spaces, which become hyphens.
func slug(heading string) string {
	text := linked.ReplaceAllString(heading, "$1")
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case unicode.IsLetter(r), unicode.IsNumber(r), r == '-', r == '_':
			return unicode.ToLower(r)
		}
		return -1
	}, text)
}

func TestSlug(t *testing.T) {
	for _, c := range [][2]string{
		{"What you can rely on", "what-you-can-rely-on"},
		{"`kustomization-missing`, `kustomization-failing`", "kustomization-missing-kustomization-failing"},
		{"Rolling back: three ways", "rolling-back-three-ways"},
		{"A – b / c", "a--b--c"},
		{"[Flux](https://fluxcd.io) 2.x", "flux-2x"},
	} {
		if got := slug(c[0]); got != c[1] {
			t.Errorf("slug(%q) = %q, want %q", c[0], got, c[1])
		}
	}
}
