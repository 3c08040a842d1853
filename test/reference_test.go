package test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/oci-promote/oci-promote/internal/action"
)

const reference = "docs/reference.md"

// TestReferenceTables holds the tables of inputs and outputs to those of the program. `go test -run TestReferenceTables -update .`
// writes them.
func TestReferenceTables(t *testing.T) {
	p := readPage(t, reference)
	text := withTable(t, p.text, "Inputs", inputsTable())
	text = withTable(t, text, "Outputs", outputsTable())
	if text == p.text {
		return
	}
	if !*update {
		t.Fatalf("the tables of %s are not those of internal/action/inputs.go; -update writes them:\n%s\n%s", reference, inputsTable(), outputsTable())
	}
	if err := os.WriteFile("../"+reference, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// withTable is the text with another first table below a heading.
func withTable(t *testing.T, text, heading, table string) string {
	t.Helper()
	before, rest, found := strings.Cut(text, "\n## "+heading+"\n")
	head, _, hasTable := strings.Cut(rest, "\n|")
	if !found || !hasTable || strings.Contains(head, "\n## ") {
		t.Fatalf("%s has no table below %q", reference, heading)
	}
	_, after, _ := strings.Cut(rest[len(head)+1:], "\n\n")
	return before + "\n## " + heading + "\n" + head + "\n" + table + "\n" + after
}

func inputsTable() string {
	var b strings.Builder
	b.WriteString("| input | modes | default | meaning |\n|---|---|---|---|\n")
	for _, i := range action.Inputs {
		modes, byDefault := "all", "—"
		if i.Modes != nil {
			modes = strings.Join(i.Modes, ", ")
		}
		if value := defaultOf(i); value != "" {
			byDefault = "`" + value + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", i.Name, modes, byDefault, meaning(i.Help))
	}
	return b.String()
}

func outputsTable() string {
	var b strings.Builder
	b.WriteString("| output | meaning |\n|---|---|\n")
	for _, o := range action.Outputs {
		fmt.Fprintf(&b, "| `%s` | %s |\n", o.Name, meaning(o.Help))
	}
	return b.String()
}

var placeholder = regexp.MustCompile(`<[a-z]+>`)

// meaning is a line of help as Markdown: what stands for something else is no HTML.
func meaning(help string) string { return placeholder.ReplaceAllString(help, "`$0`") }

var (
	codeInGo     = regexp.MustCompile(`Code(?::| =) "([a-z-]+)"`)
	codeConstant = regexp.MustCompile(`(?m)^(?:const )?\s*\w+ +Code += "([a-z-]+)"`)
	codeInTable  = regexp.MustCompile("`([a-z]+(?:-[a-z]+)*)`")
)

const findingSource = "../internal/pipeline/finding.go"

// findingCodes are the codes of all findings that the source has.
func findingCodes(t *testing.T) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	finding, err := os.ReadFile(findingSource)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range codeConstant.FindAllStringSubmatch(string(finding), -1) {
		known[m[1]] = true
	}
	files, err := filepath.Glob("../internal/cluster/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range codeInGo.FindAllStringSubmatch(string(source), -1) {
			known[m[1]] = true
		}
	}
	return known
}

// TestReferenceListsTheFindings holds the tables of codes to the code: each finding that there is, and no other.
func TestReferenceListsTheFindings(t *testing.T) {
	known := findingCodes(t)
	_, findings, _ := strings.Cut(readPage(t, reference).text, "\n## Findings\n")
	findings, _, _ = strings.Cut(findings, "\n## ")
	listed := map[string]bool{}
	for line := range strings.Lines(findings) {
		if cell, ok := strings.CutPrefix(line, "| "); ok {
			cell, _, _ = strings.Cut(cell, " | ")
			for _, m := range codeInTable.FindAllStringSubmatch(cell, -1) {
				listed[m[1]] = true
			}
		}
	}
	for code := range known {
		if !listed[code] {
			t.Errorf("the reference does not tell of %s", code)
		}
	}
	for code := range listed {
		if !known[code] {
			t.Errorf("the reference tells of %s, which is no finding", code)
		}
	}
	t.Logf("%d codes", len(known))
}
