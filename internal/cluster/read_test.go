package cluster

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
)

const alertJSON = `{"apiVersion":"notification.toolkit.fluxcd.io/v1beta3","kind":"Alert","metadata":{"name":"a","namespace":"b"},"spec":{}}`

func TestAdd(t *testing.T) {
	healthy := string(recorded(t, "integration.json"))
	var list struct{ Items []json.RawMessage }
	if err := json.Unmarshal([]byte(healthy), &list); err != nil {
		t.Fatal(err)
	}
	separate := ""
	for _, item := range list.Items {
		separate += string(item) + "\n"
	}
	typed := strings.NewReplacer(`"kind":"List"`, `"kind":"OCIRepositoryList"`, `"apiVersion":"v1"`, `"apiVersion":"source.toolkit.fluxcd.io/v1"`, `"kind":"OCIRepository","metadata"`, `"metadata"`).Replace(healthy)
	tests := map[string]string{
		"a List":                healthy,
		"a mark of byte order":  "\ufeff" + healthy,
		"a nested List":         `{"apiVersion":"v1","kind":"List","items":[` + healthy + `]}`,
		"objects":               separate,
		"a typed list":          typed,
		"the same twice":        healthy + healthy,
		"unknown kinds":         healthy + `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":7}` + `{"apiVersion":"apps/v1","kind":"Deployment"}`,
		"lists of other things": healthy + `{"apiVersion":"v1","kind":"PodList","items":[{"metadata":{"name":"x"}}]}` + `{"apiVersion":"v1","kind":"List","items":[]}`,
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			s := state(t, Integration, []byte(text))
			wantFaults(t, s.Faults(Integration, registry(t, Integration), gate, now, maxAge), "")
		})
	}
}

// Of an object that comes twice the later counts.
func TestAppendedOutputs(t *testing.T) {
	suspended := recorded(t, "integration.json", change{"Kustomization platform", "spec.suspend", true})
	s := state(t, Integration, recorded(t, "integration.json"), suspended)
	wantFaults(t, s.Faults(Integration, registry(t, Integration), gate, now, maxAge), "suspended")
	s = state(t, Integration, append(suspended, recorded(t, "integration.json")...))
	wantFaults(t, s.Faults(Integration, registry(t, Integration), gate, now, maxAge), "")
}

func TestSecretNames(t *testing.T) {
	for _, text := range []string{
		"apps redis\nflux-system   github-token\n", "NS            NAME\r\nflux-system   github-token\r\n\r\n", "NAMESPACE NAME\nflux-system github-token",
		`{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Secret","metadata":{"name":"github-token","namespace":"flux-system","annotations":{"a":"b"}},"data":null}]}`,
		`{"apiVersion":"v1","kind":"SecretList","items":[{"metadata":{"name":"github-token","namespace":"flux-system"},"type":"Opaque"}]}`,
	} {
		s := state(t, Integration, recorded(t, "integration.json"), []byte(text))
		if !s.named || !s.secrets[id{"flux-system", "github-token"}] {
			t.Errorf("%q: got %v", text, s.secrets)
		}
		wantFaults(t, s.Faults(Integration, registry(t, Integration), gate, now, maxAge), "")
	}
}

func TestRefused(t *testing.T) {
	object := func(kind, rest string) string { return `{"apiVersion":"v1","kind":"` + kind + `",` + rest + `}` }
	deep := alertJSON
	for range maxNested + 1 {
		deep = object("List", `"items":[`+deep+`]`)
	}
	tests := map[string]struct{ text, want string }{
		"nothing":                {"", "it is empty"},
		"spaces":                 {" \n\t", "it is empty"},
		"YAML":                   {"apiVersion: v1\nkind: hunter2\n", "YAML"},
		"YAML of two documents":  {"---\nhunter2: 1\n", "YAML"},
		"a web page":             {"<!DOCTYPE html>hunter2", "web page"},
		"an array":               {`["hunter2"]`, "JSON array"},
		"a sentence":             {"error: hunter2 is not a resource type\n", "no list of secrets"},
		"a table":                {"NS NAME\napps redis\nhunter2 a b\n", "line 3 is not two names"},
		"an assignment":          {"TOKEN=hunter2 x\n", "no list of secrets"},
		"two words":              {"not hunter2\n", "no list of secrets"},
		"lines of two words":     {"no resources\nwere hunter2\n", "no list of secrets"},
		"a word":                 {"hunter2", "no list of secrets"},
		"no object of JSON":      {`"hunter2"`, "no list of secrets"},
		"no value of JSON":       {"null\n", "no list of secrets"},
		"another table":          {"NAME AGE\nhunter2 1d\n", "no list of secrets"},
		"UTF-16":                 {"\xff\xfe{\x00\"\x00", "it is UTF-16"},
		"UTF-16 the other way":   {"\xfe\xff\x00{\x00", "it is UTF-16"},
		"UTF-16 without a mark":  {"{\x00\"\x00", "it is UTF-16"},
		"UTF-16 of names":        {"\xff\xfea\x00 \x00b\x00\r\x00\n\x00", "it is UTF-16"},
		"cut off":                {`{"kind":"List","items":[{"kind":"hunter2`, "in the middle"},
		"malformed":              {`{"kind":hunter2}`, "not JSON after byte"},
		"followed by YAML":       {alertJSON + "\nhunter2: 1", "not JSON after byte"},
		"followed by an array":   {alertJSON + `["hunter2"]`, "no kind"},
		"no kind":                {`{"data":"hunter2"}`, "no kind"},
		"an event that is none":  {`{"apiVersion":"v1","kind":"Event","reason":7,"message":"hunter2"}`, "an Event that cannot be read"},
		"a kind that is none":    {`{"kind":["hunter2"]}`, "no kind"},
		"an item that is none":   {object("List", `"items":["hunter2"]`), "no kind"},
		"items that are none":    {object("List", `"items":"hunter2"`), "items of its List"},
		"an error of the server": {object("Status", `"message":"hunter2"`), "error of the API server"},
		"lists in lists":         {deep, "lists in lists"},
		"no name":                {`{"kind":"Alert","spec":{"summary":"hunter2"}}`, "an Alert without metadata.name"},
		"no metadata":            {object("Secret", `"data":{"token":"hunter2"}`), "Secret without a name"},
		"a name that is none":    {`{"kind":"OCIRepository","metadata":{"name":"hunter2\n::error::"}}`, "an OCIRepository with a name that Kubernetes does not allow"},
		"a wrong type":           {`{"kind":"OCIRepository","metadata":{"name":"a","namespace":"b"},"spec":{"ref":{"semver":["hunter2"]}}}`, "OCIRepository b/a: spec.ref.semver is not a string"},
		"a wrong flag":           {`{"kind":"Kustomization","metadata":{"name":"a","namespace":"b"},"spec":{"suspend":"hunter2"}}`, "spec.suspend is not true or false"},
		"a wrong list":           {`{"kind":"Alert","metadata":{"name":"a","namespace":"b"},"spec":{"eventSources":"hunter2"}}`, "spec.eventSources is not a list"},
		"a wrong object":         {`{"kind":"Provider","metadata":{"name":"a","namespace":"b"},"spec":{"secretRef":"hunter2"}}`, "spec.secretRef is not an object"},
		"a wrong number":         {`{"kind":"Kustomization","metadata":{"name":"a","namespace":"b"},"spec":{"wait":123456789}}`, "spec.wait is not true or false"},
		"a spec that is none":    {`{"kind":"HelmRelease","metadata":{"name":"a","namespace":"b"},"spec":"hunter2"}`, "spec is not an object"},
		"data":                   {object("Secret", `"metadata":{"name":"a","namespace":"b"},"data":{"token":"hunter2"}`), "data of Secret b/a"},
		"data in clear":          {object("Secret", `"metadata":{"name":"a","namespace":"b"},"stringData":{"token":"hunter2"}`), "data of Secret b/a"},
		"data that was applied":  {object("Secret", `"metadata":{"name":"a","namespace":"b","annotations":{"`+lastApplied+`":"hunter2"}}`), "data of Secret b/a"},
		"data in a list":         {object("SecretList", `"items":[{"metadata":{"name":"a","namespace":"b"},"data":{"token":"hunter2"}}]`), "data of Secret b/a"},
		"data of another type":   {object("Secret", `"metadata":{"name":"a","namespace":"b"},"data":"hunter2"`), "data of Secret b/a"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := new(State).Add("state.json", strings.NewReader(test.text))
			wantRefused(t, err, test.want)
		})
	}
}

func wantRefused(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil {
		t.Fatal("it was accepted")
	}
	s := err.Error()
	if !strings.HasPrefix(s, `reading "state.json": `) || !strings.Contains(s, want) || strings.ContainsAny(s, "\r\n") {
		t.Errorf("the error is %q, want one line with %q", s, want)
	}
	if strings.Contains(s, "hunter2") || strings.Contains(s, "123456789") {
		t.Errorf("the error %q shows what the file holds", s)
	}
	var h interface{ Hint() string }
	if !errors.As(err, &h) || !strings.Contains(h.Hint(), "kubectl get") {
		t.Errorf("%q has no hint", s)
	}
	if strings.Contains(s, "Secret b/a") && !strings.Contains(h.Hint(), "delete the file") {
		t.Errorf("the hint is %q", h.Hint())
	}
}

func TestTwoClustersInOneState(t *testing.T) {
	s := state(t, "", recorded(t, "integration.json"))
	err := s.Add("live.json", bytes.NewReader(recorded(t, "live.json")))
	var h interface{ Hint() string }
	if err == nil || !strings.Contains(err.Error(), "of two clusters") || !errors.As(err, &h) || !strings.Contains(h.Hint(), "live=FILE") {
		t.Errorf("got %v", err)
	}
}

// zeros is a file that never ends, and counts what was read of it.
type zeros struct{ n int }

func (z *zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	z.n += len(p)
	return len(p), nil
}

func TestTooLarge(t *testing.T) {
	endless := &zeros{}
	wantRefused(t, new(State).Add("state.json", endless), "larger than 32 MiB")
	if endless.n > MaxFile+1<<10 {
		t.Errorf("it read %d bytes", endless.n)
	}
	one := io.MultiReader(strings.NewReader(alertJSON), io.LimitReader(&zeros{}, MaxFile-int64(len(alertJSON))))
	if err := new(State).Add("state.json", one); err != nil {
		t.Error(err)
	}
}

func TestUnreadable(t *testing.T) {
	failing := errors.New("input/output error")
	err := new(State).Add("state.json", io.MultiReader(strings.NewReader("{"), &broken{failing}))
	if !errors.Is(err, failing) || !strings.HasPrefix(err.Error(), `reading "state.json": `) {
		t.Errorf("got %v", err)
	}
}

type broken struct{ error }

func (b *broken) Read([]byte) (int, error) { return 0, b.error }

// Flux quotes requests, and people write logins into addresses: neither is told on.
func TestNoLoginIsTold(t *testing.T) {
	for _, text := range []string{
		"https://robot:hunter2@ghcr.io/v2/", "oci://robot:hunter2?x@ghcr.io/acme/fleet", "oci://robot:hunter2#x@ghcr.io/acme/fleet", "robot:hunter2@ghcr.io/acme/fleet",
		"https://ghcr.io/token?password=hunter2&scope=x", "https://x/?a=1#token=hunter2",
	} {
		if got := address(text); strings.Contains(got, "hunter2") {
			t.Errorf("address(%q) = %q", text, got)
		}
	}
	for _, text := range []string{
		"GET https://robot:hunter2@ghcr.io/v2/: DENIED", `Get "https://ghcr.io/token?account=x&password=hunter2": EOF`, "Authorization: Bearer hunter2", "authorization: basic hunter2",
		`{"token":"hunter2"}`, "token=hunter2, denied", "https://robot:hunter2?x@ghcr.io/v2/", `Post "https://hooks.test/?signature=hunter2"`,
	} {
		if got := said(text); strings.Contains(got, "hunter2") {
			t.Errorf("said(%q) = %q", text, got)
		}
	}
	for _, text := range []string{"failed to pull oci://ghcr.io/acme/fleet: 401 unauthorized", "the secret 'ghcr-auth' is not found", "health check failed after 2m0s: timeout waiting for: [Secret/apps/web]"} {
		if got := said(text); got != text {
			t.Errorf("said(%q) = %q", text, got)
		}
	}
}
