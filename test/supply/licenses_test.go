package supply

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/licensecheck"
)

var update = flag.Bool("update", false, "write THIRD_PARTY_LICENSES")

const licenses = "THIRD_PARTY_LICENSES"

// allowed are the licences that a program under Apache-2.0 can be linked with, as long as their texts go with it. A
// licence that is missing here is a question for a person, not for a test.
var allowed = []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MPL-2.0"}

// legal is how a file with a licence, or with what a licence wants to be passed on, is called.
var legal = regexp.MustCompile(`(?i)^(un)?(licen[cs]es?|copying|copyright|notice|patents)([.-].*)?$`)

// aside are files of that name that do not speak of linked code.
var aside = map[string]string{
	"github.com/opencontainers/go-digest/LICENSE.docs": "of its documentation (CC-BY-SA-4.0)",
}

// found is a text and whose it is.
type found struct {
	text  string
	whose []string
}

// TestLicenses: each module that is linked has a licence that is known and allowed, and THIRD_PARTY_LICENSES, which
// goes with every archive and image, has the text of each. `make licenses` writes it.
func TestLicenses(t *testing.T) {
	var texts []found
	add := func(whose, text string) {
		text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
		i := slices.IndexFunc(texts, func(f found) bool { return f.text == text })
		if i < 0 {
			texts, i = append(texts, found{text: text}), len(texts)
		}
		if !slices.Contains(texts[i].whose, whose) {
			texts[i].whose = append(texts[i].whose, whose)
		}
	}
	output, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	goroot := strings.TrimSpace(string(output))
	ofGo := legalFiles(t, "Go", goroot, map[string]bool{goroot: true})
	for _, name := range slices.Sorted(maps.Keys(ofGo)) {
		if err := classify(name, ofGo[name]); err != nil {
			t.Error(err)
		}
		add("the Go runtime and standard library (go.dev)", ofGo[name])
	}
	all := linkAll(t)
	for _, path := range slices.Sorted(maps.Keys(all)) {
		files := legalFiles(t, path, all[path].dir, all[path].code)
		licensed := false
		for _, name := range slices.Sorted(maps.Keys(files)) {
			if err := classify(name, files[name]); err != nil {
				t.Errorf("%s: %v", path, err)
			}
			licensed = licensed || speaks(name)
			add(path, files[name])
		}
		if !licensed {
			t.Errorf("%s is linked and has no licence", path)
		}
	}
	if want := document(texts); *update {
		if err := os.WriteFile(filepath.Join(root, licenses), []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if readFile(t, root, licenses) != want {
		t.Errorf("%s is not what is linked now: run `make licenses`, and read its diff", licenses)
	}
}

// legalFiles are the legal texts of a module, by path: at its root, and in the directories on the way to linked code.
func legalFiles(t *testing.T, module, dir string, code map[string]bool) map[string]string {
	t.Helper()
	files := map[string]string{}
	for at := range code {
		for ; strings.HasPrefix(at, dir); at = filepath.Dir(at) {
			entries, err := os.ReadDir(at)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				rel, _ := filepath.Rel(dir, filepath.Join(at, e.Name()))
				name := module + "/" + filepath.ToSlash(rel)
				if e.Type().IsRegular() && legal.MatchString(e.Name()) && !strings.HasSuffix(e.Name(), ".go") && aside[name] == "" {
					files[name] = readFile(t, at, e.Name())
				}
			}
		}
	}
	return files
}

// speaks reports whether a file is a licence, and not a notice or a promise about patents beside one.
func speaks(name string) bool {
	return !regexp.MustCompile(`(?i)/(notice|patents)[^/]*$`).MatchString(name)
}

// classify refuses a licence that is not known nearly word for word, or not allowed.
func classify(name, text string) error {
	if !speaks(name) {
		return nil
	}
	const nearly = 90 // per cent of the words: a copyright line and an introduction are none of the licence's
	cover := licensecheck.Scan([]byte(text))
	if cover.Percent < nearly {
		return fmt.Errorf("%s is no licence that is known: %.0f%% of its words are", name, cover.Percent)
	}
	for _, m := range cover.Match {
		if !slices.Contains(allowed, m.ID) {
			return fmt.Errorf("%s is under %s, which is none of %s", name, m.ID, strings.Join(allowed, ", "))
		}
	}
	return nil
}

// document is the file of all texts.
func document(texts []found) string {
	var b strings.Builder
	b.WriteString("oci-promote is under the Apache License 2.0 (LICENSE). Its binaries contain the software below, under these terms.\n")
	for _, f := range texts {
		fmt.Fprintf(&b, "\n%s\n\n", strings.Repeat("=", 80))
		for _, whose := range f.whose {
			fmt.Fprintf(&b, "%s\n", whose)
		}
		fmt.Fprintf(&b, "\n%s\n\n%s\n", strings.Repeat("-", 80), f.text)
	}
	return b.String()
}

// What the test refuses, it refuses.
func TestClassify(t *testing.T) {
	const gpl = "This program is free software: you can redistribute it and/or modify it under the terms of the GNU General Public License as published by\n" +
		"the Free Software Foundation, either version 3 of the License, or (at your option) any later version.\n"
	apache := readFile(t, root, "LICENSE")
	for name, c := range map[string]struct {
		file, text string
		refused    string
	}{
		"Apache":                 {"m/LICENSE", apache, ""},
		"a notice is no licence": {"m/NOTICE", "made by us", ""},
		"nothing":                {"m/LICENSE", "", "no licence that is known"},
		"all rights reserved":    {"m/COPYING", "Copyright 2026 ACME. All rights reserved.", "no licence that is known"},
		"Apache and a condition": {"m/LICENSE", apache + strings.Repeat("\nThe software shall not be used on Sundays or near the sea.", 200), "no licence that is known"},
		"the GPL":                {"m/LICENSE", gpl, "is under GPL-3.0"},
		"Apache with the GPL":    {"m/LICENSE", apache + "\n" + gpl, "is under GPL-3.0"},
	} {
		err := classify(c.file, c.text)
		if c.refused == "" && err != nil || c.refused != "" && (err == nil || !strings.Contains(err.Error(), c.refused)) {
			t.Errorf("%s: %v, want %q", name, err, c.refused)
		}
	}
	for name, want := range map[string]bool{"LICENSE": true, "LICENCE.md": true, "COPYING": true, "license-mit.txt": true, "UNLICENSE": true, "NOTICE.txt": true, "notices.go": false, "README": false} {
		if got := legal.MatchString(name); got != want {
			t.Errorf("%s is a legal text: %t", name, got)
		}
	}
}
