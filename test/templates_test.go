package test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"go.yaml.in/yaml/v3"
)

// field is a part of an issue form, as far as it is held here:
// https://docs.github.com/en/communities/using-templates-to-encourage-useful-issues-and-pull-requests/syntax-for-githubs-form-schema
type field struct {
	Type        string
	ID          string
	Attributes  map[string]string
	Validations map[string]bool
}

// TestIssueForms: the forms are of GitHub's schema, of which an unknown word hides the form, and a bug report has what an answer needs.
func TestIssueForms(t *testing.T) {
	files, err := filepath.Glob("../.github/ISSUE_TEMPLATE/*.yml")
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		if filepath.Base(name) == "config.yml" {
			continue
		}
		var form struct {
			Name, Description string
			Labels            []string
			Body              []field
		}
		decodeStrictly(t, name, &form)
		var required []string
		for _, f := range form.Body {
			if !slices.Contains([]string{"markdown", "input", "textarea"}, f.Type) || (f.Type == "markdown") == (f.ID != "") || (f.Type != "markdown" && f.Attributes["label"] == "") {
				t.Errorf("%s: %+v", name, f)
			}
			if f.Validations["required"] {
				required = append(required, f.ID)
			}
		}
		if want := []string{"version", "registry", "step", "report", "expected"}; filepath.Base(name) == "bug.yml" && !slices.Equal(required, want) {
			t.Errorf("%s asks for %q, want %q", name, required, want)
		}
		if form.Name == "" || form.Description == "" || len(required) == 0 {
			t.Errorf("%s: %+v", name, form)
		}
	}
	var config struct {
		Blank bool                                `yaml:"blank_issues_enabled"`
		Links []struct{ Name, URL, About string } `yaml:"contact_links"`
	}
	decodeStrictly(t, "../.github/ISSUE_TEMPLATE/config.yml", &config)
	for _, link := range config.Links {
		if link.Name == "" || link.URL == "" || link.About == "" {
			t.Errorf("%+v", link)
		}
	}
}

func decodeStrictly(t *testing.T, name string, to any) {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // only read
	decoder := yaml.NewDecoder(file)
	decoder.KnownFields(true)
	if err := decoder.Decode(to); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}
