package registries

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	"oras.land/oras-go/v2/errdef"

	"github.com/oci-promote/oci-promote/internal/oci"
	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
	"github.com/oci-promote/oci-promote/test/registrytest/vendors"
)

// What a deletion by digest leaves of an artifact with tags.
const (
	tagsGo     = "its tags go"
	tagsListed = "its tags stay in the list, and name nothing"
	tagsServed = "nothing goes: its tags are served on"
	isRefused  = "refused: " // with what it says
)

// deletionKinds are the registries as they are mostly set up; those that need a setting to delete, without it; and those with
// rules for what tags that do not move name, with such a rule.
func deletionKinds() (all []kind) {
	for _, k := range kinds() {
		if k.real {
			all = append(all, k)
		}
	}
	all = append(all, distribution("CNCF Distribution 3, as it comes", registrytest.Options{Token: true, NoDelete: true}))
	all = append(all, debian("docker-registry 2.8 of Debian, as it comes", registrytest.Options{NoDelete: true}))
	for _, v := range vendors.Table {
		all = append(all, inWordsWith(v, vendors.Options{}))
		if v.Delete.Immutable {
			k := inWordsOf(v)
			k.name += ", immutable tags"
			all = append(all, k)
		}
	}
	return all
}

// TestDeletion: what the page says that a deletion leaves is what it leaves, on each registry; the neighbour of what is deleted
// keeps all that it has, and goes live. Nothing is deleted by a tag. Where tags stay that name nothing, verify says so.
func TestDeletion(t *testing.T) {
	told := deletionsTold(t)
	var rows []string
	for _, k := range deletionKinds() {
		rows = append(rows, k.name)
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			w := k.start(t)
			first, second := w.ready().build(t, a, 0), w.build(t, b, 1)
			left := w.delete(t, digest.Digest(first.Digest), first.Tag)
			if want := told[k.name]; left != want.leaves {
				t.Errorf("a deletion leaves %q, and the page says %q\n%s", left, want.leaves, w.RequestLog())
			} else if has := w.hasReferrers(t, digest.Digest(second.Digest)); k.real && has != want.referrers {
				t.Errorf("has it a referrers API? %s, and the page says %q", has, want.referrers)
			}
			if body := w.manifest(second.Tag); digest.FromBytes(body).String() != second.Digest {
				t.Errorf("the neighbour is %s", body)
			}
			w.tag(t, "promoted", "0.0.1", second, second.BoundStatus(t))
			r := w.run(t, nil, "verify", "--retry-for", "0s")
			if healthy := strings.HasPrefix(r.Stdout, "verify: healthy, live selects 0.0.1\n"); healthy != (left != tagsListed) {
				t.Errorf("verify afterwards: exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
			}
			for _, r := range w.Requests() {
				if r.Method == http.MethodDelete && !strings.Contains(r.Path, "/manifests/sha256:") && !strings.Contains(r.Path, "/blobs/uploads/") {
					t.Errorf("%s is no deletion by digest", r)
				}
			}
		})
	}
	for row := range told {
		if !slices.Contains(rows, row) {
			t.Errorf("%s: the page tells what a deletion leaves, and it was not run", row)
		}
	}
}

// client opens the repository to delete in it.
func (w world) client(t *testing.T) *oci.Registry {
	t.Helper()
	ref, err := oci.ParseReference(w.Host + "/" + programtest.Fleet)
	if err != nil {
		t.Fatal(err)
	}
	r, err := oci.OpenRegistry(ref, oci.Options{
		Credentials: oci.Credentials{Username: w.Username, Password: w.Password}, PlainHTTP: true, Delete: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// delete deletes d, which tag names, twice, and says what that leaves.
func (w world) delete(t *testing.T, d digest.Digest, tag string) string {
	t.Helper()
	r := w.client(t)
	err := r.Delete(t.Context(), d)
	var refused *oci.Error
	if errors.As(err, &refused) {
		if refused.Hint() == "" || strings.Contains(refused.Hint(), notARegistry) || w.tags()[tag] != d.String() {
			t.Errorf("%v (%s); the tag names %q", err, refused.Hint(), w.tags()[tag])
		}
		return isRefused + "`" + refused.Error() + "`"
	}
	if err != nil {
		t.Fatal(err)
	}
	served := w.served(t, r, tag)
	if again := r.Delete(t.Context(), d); !errors.Is(again, errdef.ErrNotFound) && !served {
		t.Errorf("deleted again: %v", again)
	}
	if w.served(t, r, d.String()) != served && !served {
		t.Error("the digest is served on")
	}
	listed := false
	if err := r.Tags(t.Context(), "", func(tags []string) error { listed = listed || slices.Contains(tags, tag); return nil }); err != nil {
		t.Error(err)
	}
	switch {
	case served:
		return tagsServed
	case listed:
		return tagsListed
	}
	return tagsGo
}

// served reports whether a manifest can be read.
func (w world) served(t *testing.T, r *oci.Registry, reference string) bool {
	t.Helper()
	_, rc, err := r.FetchReference(t.Context(), reference)
	if errors.Is(err, errdef.ErrNotFound) {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	_ = rc.Close()
	return true
}

// hasReferrers is "yes" or "no".
func (w world) hasReferrers(t *testing.T, d digest.Digest) string {
	t.Helper()
	all, ok, err := w.client(t).Referrers(t.Context(), d)
	if err != nil || len(all) > 0 {
		t.Errorf("referrers %v, %v", all, err)
	}
	return map[bool]string{true: "yes", false: "no"}[ok]
}

// deletion is a row of the page's table.
type deletion struct{ leaves, referrers string }

// deletionsTold is what the page says, by the name of the kind.
func deletionsTold(t *testing.T) map[string]deletion {
	t.Helper()
	told := map[string]deletion{}
	for _, m := range row.FindAllStringSubmatch(page(t)["deleting"], -1) {
		if name := m[1] + m[3]; name != "registry" && !strings.HasPrefix(name, "---") {
			told[name] = deletion{m[4], m[5]}
		}
	}
	return told
}
