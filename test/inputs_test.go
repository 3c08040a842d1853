package test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/oci-promote/oci-promote/internal/action"

	"github.com/oci-promote/oci-promote/test/programtest"
)

// One table of inputs and one of outputs; action.yml, docs/reference.md and --help repeat it for their readers.

// metadata is action.yml. The nodes keep the order.
type metadata struct {
	Name, Description, Author string
	Branding                  struct{ Icon, Color string }
	Inputs, Outputs           yaml.Node
	Runs                      struct {
		Using, Image string
		Args         []string
	}
}

// parameter is an input or output in action.yml.
type parameter struct {
	Description string
	Default     string
	Required    bool
}

func readActionYML(t *testing.T) metadata {
	t.Helper()
	blob, err := os.ReadFile("../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	var m metadata
	decoder := yaml.NewDecoder(strings.NewReader(string(blob)))
	decoder.KnownFields(true)
	if err := decoder.Decode(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

// parameters gives a mapping of action.yml in its order.
func parameters(t *testing.T, node yaml.Node) (names []string, byName map[string]parameter) {
	t.Helper()
	byName = map[string]parameter{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		var p parameter
		if err := node.Content[i+1].Decode(&p); err != nil {
			t.Fatal(err)
		}
		names = append(names, node.Content[i].Value)
		byName[node.Content[i].Value] = p
	}
	return names, byName
}

// defaultOf is what the runner gives the program when a workflow does not set the input.
func defaultOf(i action.Input) string {
	if i.Expr != "" {
		return i.Expr
	}
	return i.Default
}

func inputNames() []string {
	var names []string
	for _, i := range action.Inputs {
		names = append(names, i.Name)
	}
	return names
}

func outputNames() []string {
	var names []string
	for _, o := range action.Outputs {
		names = append(names, o.Name)
	}
	return names
}

func TestActionYML(t *testing.T) {
	m := readActionYML(t)
	if m.Name == "" || m.Description == "" || m.Branding.Icon == "" || m.Branding.Color == "" {
		t.Errorf("the Marketplace wants name, description and branding: %+v", m)
	}
	if m.Runs.Using != "docker" || m.Runs.Image == "" || len(m.Runs.Args) > 0 {
		t.Errorf("runs = %+v, want docker, an image and no arguments, which would make the program a CLI", m.Runs)
	}
	names, inputs := parameters(t, m.Inputs)
	if !slices.Equal(names, inputNames()) {
		t.Errorf("inputs of action.yml:\n%q\nof the program:\n%q", names, inputNames())
	}
	for _, i := range action.Inputs {
		got := inputs[i.Name]
		if got.Default != defaultOf(i) {
			t.Errorf("input %s: default %q in action.yml, %q in the program", i.Name, got.Default, defaultOf(i))
		}
		if !strings.HasPrefix(got.Description, i.Help) {
			t.Errorf("input %s: description %q in action.yml, %q in the program", i.Name, got.Description, i.Help)
		}
		if want := modesInWords(i); !strings.HasSuffix(got.Description, "("+want+")") {
			t.Errorf("input %s: description %q does not end with %q", i.Name, got.Description, want)
		}
		if got.Required != (i.Name == "mode") {
			t.Errorf("input %s: required = %v", i.Name, got.Required)
		}
	}
	names, outputs := parameters(t, m.Outputs)
	if !slices.Equal(names, outputNames()) {
		t.Errorf("outputs of action.yml:\n%q\nof the program:\n%q", names, outputNames())
	}
	for _, o := range action.Outputs {
		if outputs[o.Name].Description != o.Help {
			t.Errorf("output %s: description %q in action.yml, %q in the program", o.Name, outputs[o.Name].Description, o.Help)
		}
	}
}

func modesInWords(i action.Input) string {
	if i.Modes == nil {
		return "all modes"
	}
	return "mode " + strings.Join(i.Modes, " and ")
}

// TestHelp: each mode's help lists the inputs of that mode, all of them, in order, and no other.
func TestHelp(t *testing.T) {
	flag := regexp.MustCompile(`(?m)^  --([a-z-]+)[ \n]`)
	for _, mode := range action.Modes {
		r := programtest.Run(t, nil, mode, "--help")
		text := strings.Join(strings.Fields(r.Stdout), " ")
		var got, want []string
		for _, m := range flag.FindAllStringSubmatch(r.Stdout, -1) {
			got = append(got, m[1])
		}
		for _, i := range action.Inputs {
			if i.Name != "mode" && (i.Modes == nil || slices.Contains(i.Modes, mode)) {
				want = append(want, i.Name)
			}
			if i.Default != "" && !i.IsBool && slices.Contains(want, i.Name) && !strings.Contains(text, `default "`+i.Default+`")`) {
				t.Errorf("%s --help does not tell the default of %s", mode, i.Name)
			}
		}
		want = append(want, "json")
		if r.Code != 0 || r.Stderr != "" || !slices.Equal(got, want) {
			t.Errorf("%s --help: exit status %d, flags\n%q\nwant\n%q\n%s", mode, r.Code, got, want, r.Stderr)
		}
	}
}
