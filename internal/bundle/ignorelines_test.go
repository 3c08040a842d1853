package bundle

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

const mark = "\ufeff"

// utf16le is text as Windows' "Unicode" has it.
func utf16le(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteByte(byte(r))
		b.WriteByte(0)
	}
	return b.String()
}

// What an editor or a shell adds to a list, or makes of it, either means nothing or is an error that says what to do. No
// pattern loses its effect in silence.
func TestReadIgnore(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want string // lines
		says string // part of the error
	}{
		"nothing":                        {"", "", ""},
		"lines":                          {"a\n\n# c\n  \nb \n", "a|# c|b ", ""},
		"Windows line ends":              {"a\r\nb\r\n", "a|b", ""},
		"the last line without an end":   {"a\r\nb", "a|b", ""},
		"converted twice":                {"a\r\r\nb\r\r\n", "a|b", ""},
		"a mark":                         {mark + "secret.env\nb\n", "secret.env|b", ""},
		"a mark, and Windows line ends":  {mark + "secret.env\r\nb\r\n", "secret.env|b", ""},
		"a mark alone":                   {mark, "", ""},
		"a mark of each file put here":   {mark + "a\n" + mark + "b\n", "a|b", ""},
		"a mark before a comment":        {mark + "# c\na\n", "# c|a", ""},
		"old line ends":                  {"a\rsecret.env\r", "", "line 1 has a carriage return in it"},
		"old line ends after a comment":  {"# c\rsecret.env\r", "", "line 1 has a carriage return in it"},
		"old line ends further on":       {"a\nb\rc", "", "line 2 has a carriage return in it"},
		"UTF-16 with a mark":             {"\xff\xfe" + utf16le("secret.env\r\n"), "", "it is UTF-16"},
		"UTF-16 with the other mark":     {"\xfe\xff\x00a\x00\n", "", "it is UTF-16"},
		"a mark of UTF-16 alone":         {"\xff\xfe", "", "it is UTF-16"},
		"UTF-16 without a mark":          {utf16le("secret.env\n"), "", "it has a NUL byte, as UTF-16 has"},
		"a NUL further on":               {"a\nb\x00\n", "", "it has a NUL byte"},
		"umlauts":                        {"schlüssel.env\n", "schlüssel.env", ""},
		"umlauts of Windows":             {"a\nschl\xfcssel.env\n", "a|schl\xfcssel.env", ""},
		"umlauts of Windows, in comment": {"# Schl\xfcssel\na\n", "# Schl\xfcssel|a", ""},
		"a pointer of git-lfs":           {"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 3\n", "", "it is a git-lfs pointer"},
	} {
		t.Run(name, func(t *testing.T) {
			lines, err := ReadIgnore(c.text)
			if got := strings.Join(lines, "|"); got != c.want || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("%q, %v; want %q, and an error with %q", got, err, c.want, c.says)
			}
		})
	}
}

// In a directory: what was to stay out does, or nothing is packed and the error names the file.
func TestIgnoreFilesOfWindows(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		says string
	}{
		"a mark":       {mark + "secret.env\r\n", ""},
		"UTF-16":       {"\xff\xfe" + utf16le("secret.env\r\n"), "it is UTF-16"},
		"UTF-16 plain": {utf16le("secret.env\r\n"), "NUL byte"},
		"CR":           {"x\rsecret.env\r", "carriage return"},
	} {
		t.Run(name, func(t *testing.T) {
			files := names("a.yaml", "d/secret.env", "d/b.yaml")
			files["d/.sourceignore"] = c.text
			fsys := os.DirFS(tree(t, files))
			if c.says == "" {
				if got := packed(t, build(t, fsys, Options{})); got != "a.yaml d/.sourceignore d/b.yaml" {
					t.Errorf("packed %s", got)
				}
				return
			}
			err := unbuildable(t, fsys, Options{})
			if !strings.Contains(err.Error(), `reading ignore file "d/.sourceignore": `) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "UTF-8") && !strings.Contains(err.Error(), "LF") {
				t.Errorf("error %q, want one with %q, and what to do", err, c.says)
			}
		})
	}
}

// A pattern in another encoding fits nothing that can be packed: that is told.
func TestIgnoreFilesNotUTF8(t *testing.T) {
	for text, want := range map[string]string{"schl\xfcssel.env\n": `"d/.sourceignore": a pattern that is not UTF-8`, "# Schl\xfcssel\nschlüssel.env\n": ""} {
		files := names("schlüssel.env")
		files["d/.sourceignore"] = text
		said := strings.Join(build(t, os.DirFS(tree(t, files)), Options{}).Contents.Warnings, "\n")
		if want == "" && said != "" || !strings.HasPrefix(said, want) {
			t.Errorf("%q: said %q, want %q", text, said, want)
		}
	}
}

// git looks into a folder that !*/ takes back in; Flux's matcher takes in all of it. What was to stay out is packed: that is told.
func TestIgnoreThatOpensFolders(t *testing.T) {
	for opens, packs := range map[string]string{"!*/": "app/a.yaml app/notes.txt top.yaml", "!/*/": "app/a.yaml app/notes.txt top.yaml", "!**/": "app/a.yaml app/notes.txt top.yaml", "!/app/": "app/a.yaml app/notes.txt top.yaml", "!*.md": "app/a.yaml top.yaml"} {
		list := []string{"*", opens, "!*.yaml"}
		files := names("app/a.yaml", "app/notes.txt", "top.yaml", "top.txt")
		a := build(t, os.DirFS(tree(t, files)), Options{Ignore: list})
		files[".sourceignore"] = strings.Join(list, "\n")
		b := build(t, os.DirFS(tree(t, files)), Options{})
		for name, got := range map[string]*Artifact{"ignore": a, ".sourceignore": b} {
			said := strings.Join(got.Contents.Warnings, "\n")
			if want := fmt.Sprintf("%q: !*/ takes in every file", name); strings.HasPrefix(said, want) != strings.HasSuffix(opens, "*/") {
				t.Errorf("%s %s: said %q", name, opens, said)
			}
			if all := packed(t, got); strings.TrimPrefix(all, ".sourceignore ") != packs {
				t.Errorf("%s %s: packed %q, want %q", name, opens, all, packs)
			}
		}
	}
}

// A comma is part of a name here, and a separator in flux --ignore-paths: what seems to be meant so is told.
func TestIgnoreWithAComma(t *testing.T) {
	for lines, want := range map[string]string{
		"a.yaml":         "",
		"a.yaml|b.yaml":  "",
		"*.md,/docs/":    `"*.md" and "/docs/"`,
		" *.md , docs/,": `"*.md" and "docs/"`,
		"a,b,c":          `"a", "b" and "c"`,
		"a,":             `"a"`,
		",":              "",
		"# a, b":         "",
		"a,b|c":          "", // who gives lines knows of them
		`!a\,b`:          `"!a\\" and "b"`,
	} {
		a := build(t, os.DirFS(tree(t, names("x.yaml"))), Options{Ignore: strings.Split(lines, "|")})
		said := strings.Join(a.Contents.Warnings, "\n")
		if want == "" && said != "" || want != "" && !strings.HasSuffix(said, "give each a line of its own: "+want) {
			t.Errorf("%q: %q, want %s", lines, said, want)
		}
	}
}

// A pointer of git-lfs is what is left of a file where git-lfs was not asked for it.
func TestLFSPointers(t *testing.T) {
	const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
	long := pointer + strings.Repeat("ext-0-x sha256:0\n", 100)
	for name, c := range map[string]struct {
		files map[string]string
		says  string
	}{
		"none":                       {map[string]string{"a": "a: 1"}, ""},
		"one":                        {map[string]string{"a": "a: 1", "d/crd.yaml": pointer}, `"d/crd.yaml" is a git-lfs pointer`},
		"with Windows line ends":     {map[string]string{"a": strings.ReplaceAll(pointer, "\n", "\r\n")}, `"a" is a git-lfs pointer`},
		"two":                        {map[string]string{"a": pointer, "b": pointer}, `"a" and "b" are git-lfs pointers`},
		"three":                      {map[string]string{"a": pointer, "b": pointer, "c": pointer}, `"a", "b" and "c" are git-lfs pointers`},
		"many":                       {map[string]string{"a": pointer, "b": pointer, "c": pointer, "d": pointer, "e": pointer}, `"a", "b", "c" and 2 more are git-lfs pointers`},
		"one that is ignored":        {map[string]string{"a": "a: 1", "b.png": pointer}, ""},
		"more than a pointer may be": {map[string]string{"a": long}, ""},
		"further on in a file":       {map[string]string{"a": "# " + pointer}, ""},
		"another version":            {map[string]string{"a": strings.Replace(pointer, "v1", "v10", 1)}, ""},
		"a beginning":                {map[string]string{"a": pointer[:20]}, ""},
		"a name to be careful with":  {map[string]string{"a\n::error::x": pointer}, `"a\n::error::x" is a git-lfs pointer`},
	} {
		t.Run(name, func(t *testing.T) {
			said := strings.Join(build(t, os.DirFS(tree(t, c.files)), Options{}).Contents.Warnings, "\n")
			if c.says == "" && said != "" || !strings.HasPrefix(said, c.says) || strings.Contains(said, "\n") {
				t.Errorf("said %q, want %q", said, c.says)
			}
		})
	}
}

func FuzzReadIgnore(f *testing.F) {
	for _, text := range []string{"", "a\nb\n", "a\r\nb", "a\rb", mark + "a", "\xff\xfea\x00", "\x00", "#\xff\na", "a\xffb", "\r", "\n\r\n", " \t\n!a", mark + mark + "a", "\u2028"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		lines, err := ReadIgnore(text)
		if err != nil {
			if lines != nil || strings.ContainsAny(err.Error(), "\r\n\x00") {
				t.Errorf("%q: %q, %v", text, lines, err)
			}
			return
		}
		for _, line := range lines {
			if strings.ContainsAny(line, "\r\n\x00") || strings.HasPrefix(line, mark) || strings.TrimSpace(line) == "" {
				t.Errorf("%q has the line %q", text, line)
			}
		}
		for how, same := range map[string]string{
			"again": strings.Join(lines, "\n"), "with a mark": mark + text, "with an end": text + "\n", "of Windows": strings.Join(lines, "\r\n") + "\r\n",
		} {
			if got, err := ReadIgnore(same); err != nil || !slices.Equal(got, lines) {
				t.Errorf("%q, %s: %q, %v, want %q", text, how, got, err, lines)
			}
		}
	})
}
