package bins

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// tiny is a program of one file, in a modules directory of its own.
func tiny(t *testing.T) (b Binary, modules string) {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir()) // for macOS
	modules = t.TempDir()
	write(t, filepath.Join(modules, "tiny", "go.mod"), "module tiny\n\ngo 1.26.0\n")
	write(t, filepath.Join(modules, "tiny", "go.sum"), "")
	write(t, filepath.Join(modules, "tiny", "main.go"), "package main\n\nfunc main() {}\n")
	return Binary{Name: "tiny", Package: ".", Module: "tiny"}, modules
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestBuild: a program is missing until it is built, and again once anything that it is built from has changed.
func TestBuild(t *testing.T) {
	b, modules := tiny(t)
	t.Setenv("GOCACHE", cached)
	for _, change := range []string{"", "// another\n"} {
		write(t, filepath.Join(modules, "tiny", "main.go"), "package main\n\nfunc main() {}\n"+change)
		if missing, err := Missing(modules, []Binary{b}); err != nil || len(missing) != 1 {
			t.Fatalf("before the build with %q: missing %v, %v", change, missing, err)
		}
		for range 2 { // the second finds what the first made
			if err := b.Build(modules); err != nil {
				t.Fatal(err)
			}
		}
		if missing, err := Missing(modules, []Binary{b}); err != nil || len(missing) != 0 {
			t.Fatalf("after the build with %q: missing %v, %v", change, missing, err)
		}
		dir, err := b.Dir(modules)
		if err != nil {
			t.Fatal(err)
		}
		if rest, err := filepath.Glob(filepath.Join(filepath.Dir(dir), "tmp-*")); err != nil || len(rest) != 0 {
			t.Errorf("the build left %v, %v", rest, err)
		}
		if version, err := b.Version(dir); err != nil || !regexp.MustCompile(`^tiny \(devel\)`).MatchString(version) {
			t.Errorf("version %q, %v", version, err)
		}
	}
}

// TestBuildFails: what does not compile is said, and is still missing.
func TestBuildFails(t *testing.T) {
	b, modules := tiny(t)
	t.Setenv("GOCACHE", cached)
	write(t, filepath.Join(modules, "tiny", "main.go"), "package main\n\nfunc main() { nothing }\n")
	if err := b.Build(modules); err == nil || !regexp.MustCompile(`^building tiny: go build: .*\n(.|\n)*undefined: nothing`).MatchString(err.Error()) {
		t.Errorf("error %v", err)
	}
	dir, err := b.Dir(modules)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("%s is there (%v)", dir, err)
	}
}

// TestModules: each program has its module, and the module's go.mod requires what the program is of.
func TestModules(t *testing.T) {
	for _, b := range slices.Concat(All, Older) {
		data, err := os.ReadFile(filepath.Join("../modules", b.Name, "go.mod"))
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`(?m)^\s*(require )?` + regexp.QuoteMeta(b.Module) + ` v`).Match(data) {
			t.Errorf("modules/%s/go.mod requires no %s", b.Name, b.Module)
		}
		if _, err := b.Dir("../modules"); err != nil {
			t.Error(err)
		}
	}
}

// cached is the cache of compiled packages, before a test changes HOME.
var cached = func() string {
	out, err := run(".", "env", "GOCACHE")
	if err != nil {
		panic(err)
	}
	return out[:len(out)-1]
}()
