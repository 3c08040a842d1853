package test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const troubleshooting = "../docs/troubleshooting.md"

var (
	codeHeading = regexp.MustCompile(`^### ([a-z]+(?:-[a-z]+)*)$`)
	toldAs      = regexp.MustCompile("^(error|warning|info) ([a-z-]+): (.+)$")
	sentenceEnd = regexp.MustCompile(`[.:](\s|$)`)
	aSetting    = regexp.MustCompile("(^|[^`])`[^`]+`")
)

// section is what stands below one heading of the guide.
type section struct {
	text   string   // without quoted messages
	quotes []string // messages as they are quoted, on one line each
}

// guide reads the sections of the guide by their heading. What is not below one of them is under "".
func guide(t *testing.T) (codes []string, sections map[string]*section) {
	t.Helper()
	text, err := os.ReadFile(troubleshooting)
	if err != nil {
		t.Fatal(err)
	}
	current := &section{}
	sections = map[string]*section{"": current}
	var quote []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if said, ok := strings.CutPrefix(line, "> "); ok {
			quote = append(quote, said)
			continue
		}
		if quote != nil {
			current.quotes = append(current.quotes, strings.Trim(strings.Join(quote, " "), "`"))
			quote = nil
		}
		if m := codeHeading.FindStringSubmatch(line); m != nil {
			codes = append(codes, m[1])
			current = &section{}
			sections[m[1]] = current
		} else if strings.HasPrefix(line, "## ") || strings.HasPrefix(line, "### ") {
			current = sections[""]
		}
		current.text += line + "\n"
	}
	return codes, sections
}

// TestTroubleshootingHasEachFinding holds the guide's sections to the codes that there are: the link of a finding ends in
// its code. A section explains, in more than its heading and the hint.
func TestTroubleshootingHasEachFinding(t *testing.T) {
	known := findingCodes(t)
	codes, sections := guide(t)
	for i, code := range codes {
		if !known[code] {
			t.Errorf("there is a section for %s, which is no finding", code)
		}
		if slices.Contains(codes[:i], code) {
			t.Errorf("%s has two sections", code)
		}
	}
	for code := range known {
		s := sections[code]
		if s == nil {
			t.Errorf("%s has no section", code)
			continue
		}
		if n := len(sentenceEnd.FindAllString(s.text, -1)); n <= 2 {
			t.Errorf("%s has %d sentences", code, n)
		}
		if !strings.Contains(s.text, "```") && !aSetting.MatchString(s.text) {
			t.Errorf("%s has neither a command nor a setting", code)
		}
		if !strings.Contains(s.text, "Mended") && !strings.Contains(s.text, "Nothing is wrong") {
			t.Errorf("%s does not say how to see that it is mended", code)
		}
	}
	t.Logf("%d sections", len(codes))
}

// TestTroubleshootingQuotesTheProgram holds each quoted message to the source: that of a finding to what the source says
// where it raises that code, those of a failed run to anything that the program says.
func TestTroubleshootingQuotesTheProgram(t *testing.T) {
	src := readSource(t)
	codes, sections := guide(t)
	for _, code := range codes {
		if len(sections[code].quotes) == 0 {
			t.Errorf("%s: the section does not show how it looks", code)
		}
		for _, quote := range sections[code].quotes {
			m := toldAs.FindStringSubmatch(quote)
			if m == nil || m[2] != code {
				t.Errorf("%s: %q is not SEVERITY %s: MESSAGE", code, quote, code)
				continue
			}
			if !src.says(slices.Concat(src.byCode[code], src.byCode[anyCode]), m[3]) {
				t.Errorf("%s: the program never says %q", code, m[3])
			}
		}
	}
	quotes := sections[""].quotes
	if len(quotes) < 20 {
		t.Errorf("only %d messages of failed runs are quoted", len(quotes))
	}
	for _, quote := range quotes {
		if !src.says(nil, quote) {
			t.Errorf("the program never says %q", quote)
		}
	}
}

// Messages that the program does not have are found out.
func TestTheProgramNeverSays(t *testing.T) {
	src := readSource(t)
	for code, messages := range map[string][]string{
		"not-built":        {"commit 1a2b3c4 was not built: ghcr.io/acme/fleet has no tag \"sha-1a2b3c4\"", "commit 1a2b3c4 is stranded: 0.0.1 took its version, so that no cluster will select it"},
		"stuck":            {"nothing was promoted since 0.0.1-rc.1 (commit 1a2b3c4), which waits longer than 2h; integration went out for lunch"},
		"provider-failing": {"on live: Alert flux-system/x is suspended (spec.suspend)"},
		"wrong-url":        {"on integration: OCIRepository flux-system/platform has spec.url \"x\": its path must be in upper case, or Flux refuses it"},
	} {
		for _, message := range messages {
			if src.says(slices.Concat(src.byCode[code], src.byCode[anyCode]), message) {
				t.Errorf("%s: %q is taken for the program's", code, message)
			}
		}
	}
	for _, message := range []string{"the registry has gone on holiday and left no address", "version 1.0.0 is below 1.4.2, so that live would not take it"} {
		if src.says(nil, message) {
			t.Errorf("%q is taken for the program's", message)
		}
	}
}

// source is what the program may say, as patterns.
type source struct {
	byCode map[string][]*regexp.Regexp // messages of a finding, whole
	parts  []*regexp.Regexp            // any text of the program
	texts  string                      // what tests let others say: registries, GitHub, Flux
}

// says reports whether message is one of the patterns, or, where none are given, any text of the program. What a pattern
// leaves open is a name, or a text of the program or of others again.
func (s source) says(patterns []*regexp.Regexp, message string) bool {
	if patterns == nil {
		return s.part(message) || s.pieces(message)
	}
	bare := strings.TrimPrefix(strings.TrimPrefix(message, "on integration: "), "on live: ")
	return s.match(patterns, message) || s.match(patterns, bare)
}

func (s source) match(patterns []*regexp.Regexp, message string) bool {
	return slices.ContainsFunc(patterns, func(re *regexp.Regexp) bool {
		m := re.FindStringSubmatch(message)
		return m != nil && !slices.ContainsFunc(m[1:], func(open string) bool { return !s.open(open) })
	})
}

// moment is a time as messages have it.
var moment = regexp.MustCompile(`(?: on)? \d{4}-\d\d-\d\d \d\d:\d\d UTC`)

// open reports whether text may stand where a pattern leaves something open.
func (s source) open(text string) bool {
	text = strings.Trim(moment.ReplaceAllString(text, ""), " ()")
	if unquoted, err := strconv.Unquote(text); err == nil {
		text = unquoted
	}
	return len(strings.Fields(text)) <= 3 || s.part(text) || s.pieces(text)
}

func (s source) part(text string) bool {
	return strings.Contains(s.texts, text) || s.match(s.parts, text)
}

// pieces reports whether text is two such texts after each other.
func (s source) pieces(text string) bool {
	for _, between := range []string{"; ", ": ", ", ", " (", " has "} {
		for at := 0; ; {
			i := strings.Index(text[at:], between)
			if i < 0 {
				break
			}
			at += i + len(between)
			if left, right := text[:at-len(between)], text[at:]; len(strings.Fields(left)) < len(strings.Fields(text)) && s.open(left) && s.open(right) {
				return true
			}
		}
	}
	return false
}

// readSource reads the source of the program.
func readSource(t *testing.T) source {
	t.Helper()
	s := source{byCode: map[string][]*regexp.Regexp{}}
	constants := map[string]string{}
	var files []*ast.File
	for _, root := range []string{"../internal", "../cmd"} {
		err := filepath.WalkDir(root, func(name string, _ fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(name) != ".go" && filepath.Ext(name) != ".txtar" {
				return err
			}
			return s.add(name, &files)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	scripts, err := filepath.Glob(scripts + "/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatal(scripts, err)
	}
	for _, name := range scripts {
		if err := s.add(name, &files); err != nil {
			t.Fatal(err)
		}
	}
	finding, err := os.ReadFile(findingSource)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range codeConstant.FindAllStringSubmatch(string(finding), -1) {
		constants[strings.Fields(strings.TrimPrefix(strings.TrimSpace(m[0]), "const "))[0]] = m[1]
	}
	for _, file := range files {
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Body != nil {
				s.read(f, constants)
			}
		}
		s.readParts(file)
	}
	return s
}

// add reads a file: a program's as source, a test's as what others say.
func (s *source) add(name string, files *[]*ast.File) error {
	if filepath.Ext(name) == ".go" && !strings.HasSuffix(name, "_test.go") {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		*files = append(*files, file)
		return err
	}
	text, err := os.ReadFile(name)
	s.texts += string(text)
	return err
}

// anyCode stands for the code of a finding that a function changes.
const anyCode = "*"

// read finds the messages of a function that raises findings: those of its literals with a code, and, where a message is
// put together after that, those for each code that the function has.
func (s *source) read(f *ast.FuncDecl, constants map[string]string) {
	var codes []string
	var messages, added []string
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CompositeLit:
			fields := map[string]ast.Expr{}
			for _, e := range n.Elts {
				if kv, ok := e.(*ast.KeyValueExpr); ok {
					fields[fmt.Sprint(kv.Key)] = kv.Value
				}
			}
			code := codeOf(fields["Code"], constants)
			if code == "" {
				return true
			}
			codes = append(codes, code)
			if message := fields["Message"]; message != nil && (code != anyCode || pattern(message) != "(.*)") { // which only hands one on
				s.byCode[code] = append(s.byCode[code], regexp.MustCompile("^"+pattern(message)+"$"))
				messages = append(messages, pattern(message))
			}
		case *ast.AssignStmt:
			for i, left := range n.Lhs {
				of, ok := left.(*ast.SelectorExpr)
				if !ok || len(n.Rhs) != len(n.Lhs) {
					continue
				}
				switch {
				case of.Sel.Name == "Code":
					codes = append(codes, codeOf(n.Rhs[i], constants))
				case of.Sel.Name == "Message" && n.Tok == token.ADD_ASSIGN:
					added = append(added, pattern(n.Rhs[i]))
				case of.Sel.Name == "Message":
					messages = append(messages, pattern(n.Rhs[i]))
				}
			}
		}
		return true
	})
	if codes == nil && messages != nil { // it changes what another function raised
		codes = []string{anyCode}
	}
	for _, code := range codes {
		for _, message := range messages {
			s.byCode[code] = append(s.byCode[code], regexp.MustCompile("^"+message+"$"))
			for _, more := range added {
				s.byCode[code] = append(s.byCode[code], regexp.MustCompile("^"+message+more+"$"))
			}
		}
	}
}

func codeOf(e ast.Expr, constants map[string]string) string {
	switch e := e.(type) {
	case *ast.Ident:
		return constants[e.Name]
	case *ast.SelectorExpr: // of another package
		return constants[e.Sel.Name]
	case *ast.BasicLit:
		code, _ := strconv.Unquote(e.Value)
		return code
	}
	return ""
}

var (
	verb  = regexp.MustCompile(`%(?:\.\d+)?[a-z]`)
	words = regexp.MustCompile(`[A-Za-z]{2,}`)
)

// pattern is what an expression can be: its literal text, with what is not literal left open.
func pattern(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BinaryExpr:
		return pattern(e.X) + pattern(e.Y)
	case *ast.ParenExpr:
		return pattern(e.X)
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		if err != nil {
			return "(.*)"
		}
		return format(text)
	case *ast.CallExpr:
		if f, ok := e.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "Sprintf" {
			return pattern(e.Args[0])
		}
	}
	return "(.*)"
}

// format is a format as a regular expression.
func format(text string) string {
	var b strings.Builder
	for {
		at := verb.FindStringIndex(text)
		if at == nil {
			return b.String() + regexp.QuoteMeta(text)
		}
		b.WriteString(regexp.QuoteMeta(text[:at[0]]))
		open := "(.*)"
		if text[at[0]:at[1]] == "%q" {
			open = `"([^"]*)"`
		}
		b.WriteString(open)
		text = text[at[1]:]
	}
}

// readParts takes each text of a file that has words enough to be recognized by.
func (s *source) readParts(file *ast.File) {
	ast.Inspect(file, func(n ast.Node) bool {
		e, ok := n.(ast.Expr)
		if !ok {
			return true
		}
		switch e.(type) {
		case *ast.BinaryExpr, *ast.BasicLit:
			p := pattern(e)
			for before := ""; before != p; { // as open leaves them out too
				before = p
				p = strings.TrimSuffix(strings.TrimLeft(strings.TrimPrefix(p, `\(`), ` ;,:`), `\)`)
			}
			fixed := words.FindAllString(strings.ReplaceAll(p, "(.*)", ""), -1)
			if len(fixed) >= 2 && len(strings.Join(fixed, "")) >= 10 {
				if re, err := regexp.Compile("^" + p + "$"); err == nil {
					s.parts = append(s.parts, re)
				}
			}
			_, isLiteral := e.(*ast.BasicLit)
			return !isLiteral
		}
		return true
	})
}
