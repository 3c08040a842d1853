package registrytest

import (
	"slices"
	"testing"

	"oras.land/oras-go/v2/registry/remote/auth"
)

// TestDebian: what is found on the disk is what the registry says, so that tests may write and read there.
func TestDebian(t *testing.T) {
	binary, err := Debian()
	if err != nil {
		t.Skip("docker-registry 2.8 of Debian is not tested: ", err)
	}
	s := Start(t, Options{Binary: binary})
	repo := client(t, s, "acme/fleet", auth.EmptyCredential)
	push(t, repo, "1.0.0")
	s.Seed("acme/fleet", "2.0.0")
	got := tags(t, repo)
	slices.Sort(got)
	if want := []string{"1.0.0", "2.0.0"}; !slices.Equal(got, want) || len(s.Tags("acme/fleet")) != len(want) {
		t.Errorf("tags = %q, on the disk %v, want %q", got, s.Tags("acme/fleet"), want)
	}
	if _, err := New(t.TempDir(), Options{Binary: binary, Token: true}); err == nil {
		t.Error("it was started to ask for a token, and lets everybody in")
	}
}
