package test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"
)

// others are the modules whose files the examples are held to. They are read where they are needed, and are no
// dependency: several are as big as Kubernetes. The sum is that of go.sum.
var others = map[string]string{
	"github.com/fluxcd/source-controller@v1.9.3":                 "h1:Zj1gfvK/2MFIm/K3vh5fSHoJBoggLKMuLWf5ZEmaF0w=",
	"github.com/fluxcd/kustomize-controller@v1.9.5":              "h1:/XY2zy3K7fntyppEXIHG7oRMzmfgIt50eJzUfaPX1Kc=",
	"github.com/fluxcd/notification-controller@v1.9.3":           "h1:vBONN/Lx5aQ2nDnJxYp5Sb0Wsgh13UbuP5A1MK4dmkY=",
	"github.com/controlplaneio-fluxcd/flux-operator@v0.59.0":     "h1:jByuiWYtjSJxucGHuz68tV0DeVFz5CYrKQYfxAwE7lE=",
	"github.com/flanksource/canary-checker@v1.2.0":               "h1:bQvZ8ew/y1zyKzjg4V1u4BfwvrNa6m0zubJvmyoADF4=",
	"github.com/prometheus-operator/prometheus-operator@v0.85.0": "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=",
}

// download fetches the modules of others, or finds them in the module cache, and gives the zip file of each.
var download = sync.OnceValues(func() (map[string]string, error) {
	empty, err := os.MkdirTemp("", "oci-promote-modules")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(empty) }()
	zips := map[string]string{}
	for module, sum := range others {
		cmd := exec.Command("go", "mod", "download", "-json", module)
		cmd.Dir, cmd.Env = empty, append(os.Environ(), "GOWORK=off")
		// The exit status says that the module cannot be built where it asks for a newer Go; nobody builds it here.
		output, err := cmd.Output()
		var got struct{ Zip, Sum, Error string }
		if jsonErr := json.Unmarshal(output, &got); jsonErr != nil || got.Zip == "" {
			return nil, fmt.Errorf("the examples cannot be tested without the schemas of %s: go mod download: %w", module, errors.Join(err, errors.New(got.Error)))
		}
		if got.Sum != sum {
			return nil, fmt.Errorf("%s has sum %s, want %s", module, got.Sum, sum)
		}
		zips[module] = got.Zip
	}
	return zips, nil
})

// foreign is one file of a module of others, or all that match a pattern, by name.
func foreign(t *testing.T, module, pattern string) map[string][]byte {
	t.Helper()
	zips, err := download()
	if err != nil {
		t.Fatal(err)
	}
	r, err := zip.OpenReader(zips[module])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	found := map[string][]byte{}
	for _, f := range r.File {
		name := strings.TrimPrefix(f.Name, module+"/")
		if ok, err := path.Match(pattern, name); err != nil || !ok {
			continue
		}
		content, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(content)
		if err != nil {
			t.Fatal(err)
		}
		found[name] = data
	}
	if len(found) == 0 {
		t.Fatalf("%s has no %s", module, pattern)
	}
	return found
}

// schemas are the API server's rules for each kind, by group, version and kind.
type schemas map[string]*rules

type rules struct {
	structural *schema.Structural
	validator  validation.SchemaValidator
	cel        *cel.Validator
}

func schemasOf(t *testing.T) schemas {
	t.Helper()
	all := schemas{}
	for module, pattern := range map[string]string{
		"github.com/fluxcd/source-controller@v1.9.3":                 "config/crd/bases/*.yaml",
		"github.com/fluxcd/kustomize-controller@v1.9.5":              "config/crd/bases/*.yaml",
		"github.com/fluxcd/notification-controller@v1.9.3":           "config/crd/bases/*.yaml",
		"github.com/controlplaneio-fluxcd/flux-operator@v0.59.0":     "config/crd/bases/*.yaml",
		"github.com/flanksource/canary-checker@v1.2.0":               "config/deploy/Canary.yml",
		"github.com/prometheus-operator/prometheus-operator@v0.85.0": "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
	} {
		for name, data := range foreign(t, module, pattern) {
			if err := all.add(data); err != nil {
				t.Fatalf("%s: %s: %v", module, name, err)
			}
		}
	}
	return all
}

// add reads a CustomResourceDefinition as the API server does.
func (s schemas) add(data []byte) error {
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal(bytes.TrimPrefix(data, []byte("---\n")), &crd); err != nil {
		return err
	}
	for _, version := range crd.Spec.Versions {
		if !version.Served {
			continue
		}
		var props apiextensions.JSONSchemaProps
		if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(version.Schema.OpenAPIV3Schema, &props, nil); err != nil {
			return err
		}
		structural, err := schema.NewStructural(&props)
		if err != nil {
			return err
		}
		validator, _, err := validation.NewSchemaValidator(&props)
		if err != nil {
			return err
		}
		s[crd.Spec.Group+"/"+version.Name+" "+crd.Spec.Names.Kind] = &rules{
			structural, validator, cel.NewValidator(structural, true, celconfig.PerCallLimit),
		}
	}
	return nil
}

// faults are what the API server would say of an object under `kubectl apply --validate=strict`; none is good.
func (s schemas) faults(u *unstructured.Unstructured) []string {
	r, ok := s[u.GetAPIVersion()+" "+u.GetKind()]
	if !ok {
		return []string{"no schema for " + u.GetAPIVersion() + " " + u.GetKind()}
	}
	var faults []string
	object := u.DeepCopy().Object
	fieldErr, unknown := objectmeta.CoerceWithOptions(nil, object, r.structural, true, objectmeta.CoerceOptions{ReturnUnknownFieldPaths: true})
	if fieldErr != nil {
		return []string{fieldErr.Error()}
	}
	for _, field := range append(unknown, pruning.PruneWithOptions(object, r.structural, true, schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})...) {
		faults = append(faults, "unknown field "+field)
	}
	defaulting.Default(object, r.structural)
	all := validation.ValidateCustomResource(nil, object, r.validator)
	all = append(all, objectmeta.Validate(nil, object, r.structural, true)...)
	all = append(all, listtype.ValidateListSetsAndMaps(nil, r.structural, object)...)
	if r.cel != nil && len(all) == 0 {
		found, _ := r.cel.Validate(context.Background(), nil, r.structural, object, nil, celconfig.RuntimeCELCostBudget)
		all = append(all, found...)
	}
	for _, err := range all {
		faults = append(faults, err.Error())
	}
	slices.Sort(faults)
	return faults
}

func (s schemas) check(t *testing.T, where string, u *unstructured.Unstructured) {
	t.Helper()
	for _, fault := range s.faults(u) {
		t.Errorf("%s: %s %s: %s", where, u.GetKind(), u.GetName(), fault)
	}
}
