// Package bins builds the programs of a real Flux pipeline from pinned Go modules, once, into the user's cache.
package bins

import (
	"crypto/sha256"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// Binary is one program. Its module, modules/NAME, pins all that it is built from: the dependencies of the programs
// disagree, so that no module could hold two.
type Binary struct {
	Name    string
	Package string // "." for a main of ours
	Flags   string // for the linker, beside -s -w
	Module  string // of the program, whose version tells what runs; its config/crd/bases are the kinds that it serves
	Kinds   bool   // it has such
}

const fluxcd = "github.com/fluxcd/"

// A kube-apiserver without a version of its own says v0.0.0, and refuses objects of its time.
const component = "k8s.io/component-base/version."

// All are the programs of the pipeline, what the others wait for first.
var All = []Binary{
	{Name: "etcd", Package: "go.etcd.io/etcd/server/v3", Module: "go.etcd.io/etcd/server/v3"},
	{
		Name: "kube-apiserver", Package: ".", Module: "k8s.io/kubernetes",
		Flags: "-X " + component + "gitVersion=v1.36.3 -X " + component + "gitMajor=1 -X " + component + "gitMinor=36",
	},
	{Name: "source-controller", Package: fluxcd + "source-controller", Module: fluxcd + "source-controller", Kinds: true},
	{Name: "kustomize-controller", Package: fluxcd + "kustomize-controller", Module: fluxcd + "kustomize-controller", Kinds: true},
	{Name: "notification-controller", Package: fluxcd + "notification-controller", Module: fluxcd + "notification-controller", Kinds: true},
}

// Older is what make flux-versions runs beside All.
var Older = []Binary{
	{Name: "notification-controller-1.6", Package: fluxcd + "notification-controller", Module: fluxcd + "notification-controller"},
}

// Named is the program of that name, of All and Older. It panics if there is none.
func Named(name string) Binary {
	for _, b := range slices.Concat(All, Older) {
		if b.Name == name {
			return b
		}
	}
	panic("no program " + name)
}

// Dir is where the program is, once it is built: a directory of the user's cache, named after what it is built from (the
// files of its module, and Go). modules is the directory of all modules.
func (b Binary) Dir(modules string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	fmt.Fprintln(hash, runtime.Version(), b)
	for _, name := range []string{"go.mod", "go.sum", "main.go"} {
		data, err := os.ReadFile(filepath.Join(modules, b.Name, name))
		if errors.Is(err, fs.ErrNotExist) && name == "main.go" && b.Package != "." {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("reading what %s is built from: %w", b.Name, err)
		}
		fmt.Fprintf(hash, "%s %d\n%s", name, len(data), data)
	}
	return filepath.Join(cache, "oci-promote", "flux", fmt.Sprintf("%s-%x", b.Name, hash.Sum(nil)[:8])), nil
}

// Program is the path of the binary in its Dir.
func (b Binary) Program(dir string) string { return filepath.Join(dir, b.Name) }

// CRDs are the definitions of the kinds that the program serves, each a file's content.
func (b Binary) CRDs(dir string) ([][]byte, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	var all [][]byte
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

// Missing are those of the programs that are not built.
func Missing(modules string, programs []Binary) ([]Binary, error) {
	var missing []Binary
	for _, b := range programs {
		dir, err := b.Dir(modules)
		if err != nil {
			return nil, err
		}
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			missing = append(missing, b)
		} else if err != nil {
			return nil, err
		}
	}
	return missing, nil
}

// Build builds the program into its Dir, which is there only once it is complete. Two that build the same program at once
// do not disturb each other.
func (b Binary) Build(modules string) error {
	dir, err := b.Dir(modules)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	partial, err := os.MkdirTemp(filepath.Dir(dir), "tmp-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(partial) }() // of no use to anybody
	module := filepath.Join(modules, b.Name)
	if _, err := run(module, "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w "+b.Flags, "-o", b.Program(partial), b.Package); err != nil {
		return fmt.Errorf("building %s: %w", b.Name, err)
	}
	if b.Kinds {
		if err := b.copyCRDs(module, partial); err != nil {
			return fmt.Errorf("copying the kinds of %s: %w", b.Name, err)
		}
	}
	if err := os.Rename(partial, dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

func (b Binary) copyCRDs(module, to string) error {
	source, err := run(module, "list", "-m", "-f", "{{.Dir}}", b.Module)
	if err != nil {
		return err
	}
	names, err := filepath.Glob(filepath.Join(strings.TrimSpace(source), "config/crd/bases/*.yaml"))
	if err != nil || len(names) == 0 {
		return errors.Join(err, fmt.Errorf("%s has no config/crd/bases", b.Module))
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, filepath.Base(name)), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// run runs go in a module, and gives its output.
func run(module string, args ...string) (string, error) {
	command := exec.Command("go", args...)
	command.Dir = module
	command.Env = append(slices.Clone(os.Environ()), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=-mod=readonly")
	var stderr strings.Builder
	command.Stderr = &stderr
	output, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", args[0], err, stderr.String())
	}
	return string(output), nil
}

// Version is the module that the built program is of, and its version, as the binary says.
func (b Binary) Version(dir string) (string, error) {
	info, err := buildinfo.ReadFile(b.Program(dir))
	if err != nil {
		return "", err
	}
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path == b.Module {
			return m.Path + " " + m.Version, nil
		}
	}
	return "", fmt.Errorf("%s has no module %s", b.Name, b.Module)
}
