package cluster

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
)

// MaxFile is how many bytes of one file are read: 32 MiB. A larger one is refused.
const MaxFile = 32 << 20

// maxNested is how deep lists may be in lists.
const maxNested = 8

// Add reads one file into the state: what kubectl get -o json prints (a List, one object, or
// several of them one after the other), or the names of secrets, "NAMESPACE NAME" a line below such a
// header; a file whose name has the word secrets needs no header, and says that there are none where it is
// empty. Of an object that comes twice the later counts; other kinds than Flux's are passed over.
//
// Refused are a file of another form, one larger than MaxFile, one with the data of a Secret,
// and one with another object of a name that is there already, which is another cluster's.
// The error names the file and shows nothing of it but kinds and names, since it could be a
// secret. After an error the state is not to be used.
func (s *State) Add(name string, r io.Reader) error {
	blob, err := io.ReadAll(io.LimitReader(r, MaxFile+1))
	if err != nil {
		return fmt.Errorf("reading %s: %w", quote(name), err)
	}
	s.files = append(s.files, name)
	if err := s.read(name, blob); err != nil {
		hint := "make it with `" + getObjects + "`"
		var h *hinted
		if errors.As(err, &h) {
			hint = h.hint
		}
		return &hinted{fmt.Errorf("reading %s: %w", quote(name), err), hint}
	}
	return nil
}

func (s *State) read(name string, blob []byte) error {
	if len(blob) > MaxFile {
		return fmt.Errorf("it is larger than %d MiB", MaxFile>>20)
	}
	blob = bytes.TrimSpace(bytes.TrimPrefix(blob, []byte("\ufeff")))
	switch {
	case len(blob) == 0 && slices.Contains(words(base(name)), "secrets"):
		s.named = true
		return nil
	case len(blob) == 0:
		return errors.New("it is empty, as it is where kubectl failed; expected kubectl's output with -o json")
	case bytes.HasPrefix(blob, []byte("\xff\xfe")), bytes.HasPrefix(blob, []byte("\xfe\xff")), bytes.IndexByte(blob[:min(64, len(blob))], 0) >= 0:
		return &hinted{
			errors.New("it is UTF-16, as PowerShell's > writes it; expected kubectl's output with -o json in UTF-8"),
			"in PowerShell make it with `kubectl get … | Out-File -Encoding utf8 FILE`, not with `> FILE`",
		}
	case blob[0] == '{':
		return s.readJSON(blob)
	}
	return s.readSecretNames(blob, slices.Contains(words(base(name)), "secrets"))
}

// readJSON reads JSON objects that follow each other, as appended outputs do.
func (s *State) readJSON(blob []byte) error {
	d := json.NewDecoder(bytes.NewReader(blob))
	for {
		var raw json.RawMessage
		err := d.Decode(&raw)
		switch {
		case err == io.EOF:
			return nil
		case errors.Is(err, io.ErrUnexpectedEOF):
			return errors.New("it ends in the middle of an object; expected the whole output of kubectl with -o json")
		case err != nil:
			return fmt.Errorf("it is not JSON after byte %d; expected kubectl's output with -o json", d.InputOffset())
		}
		if err := s.readObject(raw, kindOf{}, 0); err != nil {
			return err
		}
	}
}

// kindOf is what an object is.
type kindOf struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
}

// readObject reads an object, or those of a list. In a typed list (OCIRepositoryList) objects
// need not say what they are.
func (s *State) readObject(raw json.RawMessage, of kindOf, depth int) error {
	if err := json.Unmarshal(raw, &of); err != nil || of.Kind == "" {
		return errors.New("it holds something that has no kind; expected Kubernetes objects, as kubectl prints them with -o json")
	}
	if of.Kind == "Status" && of.APIVersion == "v1" && depth == 0 {
		return errors.New("it is an error of the API server (kind Status), and no objects; expected kubectl's output with -o json")
	}
	listed, isList := strings.CutSuffix(of.Kind, "List")
	if !isList {
		return s.keep(raw, of)
	}
	if depth == maxNested {
		return fmt.Errorf("it has lists in lists, %d deep; expected kubectl's output with -o json", maxNested)
	}
	var list struct {
		Items []json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return fmt.Errorf("the items of its %s are no list; expected kubectl's output with -o json", kindName(of.Kind))
	}
	s.named = s.named || listed == "Secret"
	for _, item := range list.Items {
		if err := s.readObject(item, kindOf{of.APIVersion, listed}, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// keep takes what matters of an object. Kinds are told apart by their API too: Crossplane has
// a Provider as well.
func (s *State) keep(raw json.RawMessage, of kindOf) error {
	group, _, _ := strings.Cut(of.APIVersion, "/")
	is := func(kind, api string) bool {
		if of.Kind == kind && group != api+".toolkit.fluxcd.io" && group != "" {
			if s.foreign == nil {
				s.foreign = map[string]bool{}
			}
			s.foreign[kind] = true
			return false
		}
		return of.Kind == kind
	}
	switch {
	case of.Kind == "Secret":
		return s.readSecret(raw)
	case of.Kind == "Event" && of.APIVersion == "v1":
		return s.readEvent(raw)
	case is("OCIRepository", "source"):
		return put(&s.sources, raw, of.Kind)
	case is("Kustomization", "kustomize"):
		return put(&s.kustomizations, raw, of.Kind)
	case is("Alert", "notification"):
		return put(&s.alerts, raw, of.Kind)
	case is("Provider", "notification"):
		return put(&s.providers, raw, of.Kind)
	case is("HelmRelease", "helm"):
		return put(&s.releases, raw, of.Kind)
	}
	return nil
}

func put[Spec any](into *map[id]*object[Spec], raw json.RawMessage, kind string) error {
	o := &object[Spec]{}
	err := json.Unmarshal(raw, o)
	o.Kind = kind
	switch {
	case o.Metadata.Name == "":
		return fmt.Errorf("it has %s without metadata.name; expected kubectl's output with -o json", a(kind))
	case !o.id().valid():
		return fmt.Errorf("it has %s with a name that Kubernetes does not allow", a(kind))
	case err != nil:
		return fmt.Errorf("%s: %s", o, mistyped(err))
	}
	if *into == nil {
		*into = map[id]*object[Spec]{}
	}
	old := (*into)[o.id()]
	if old != nil && old.Metadata.UID != o.Metadata.UID && old.Metadata.UID != "" && o.Metadata.UID != "" {
		return &hinted{
			fmt.Errorf("it has another %s than was read before: they are of two clusters, or it was made anew in between", o),
			"say of which cluster each file is: integration=FILE, live=FILE",
		}
	}
	(*into)[o.id()] = o
	return nil
}

// mistyped tells of a field with a value of the wrong type. It does not show the value, as
// encoding/json does.
func mistyped(err error) string {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) || wrong.Field == "" {
		return "it is not an object of Flux's"
	}
	want := map[reflect.Kind]string{reflect.String: "a string", reflect.Bool: "true or false", reflect.Slice: "a list"}[wrong.Type.Kind()]
	if want == "" {
		want = "an object"
	}
	return fmt.Sprintf("%s is not %s", wrong.Field, want)
}

func a(kind string) string {
	if strings.ContainsRune("AEIOU", rune(kind[0])) {
		return "an " + kind
	}
	return "a " + kind
}
