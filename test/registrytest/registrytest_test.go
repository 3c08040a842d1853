package registrytest

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

func TestPushAndTagsAreRecorded(t *testing.T) {
	s := Start(t, Options{})
	repo := client(t, s, "acme/fleet", auth.EmptyCredential)
	push(t, repo, "1.0.0")

	if got := s.Tags("acme/fleet"); len(got) != 1 || !strings.HasPrefix(got["1.0.0"], "sha256:") {
		t.Errorf("tags = %v", got)
	}
	log := s.Requests()
	last := log[len(log)-1]
	if last.Method != http.MethodPut || last.Path != "/v2/acme/fleet/manifests/1.0.0" || last.Status != 201 {
		t.Errorf("last request = %+v", last)
	}
	if last.Host != s.Host || last.RequestBytes == 0 || last.N != len(log)-1 || last.Auth != "" {
		t.Errorf("last request = %+v", last)
	}
	s.Reset()
	if got := s.RequestLog(); got != "" {
		t.Errorf("log after reset = %q", got)
	}
}

func TestToken(t *testing.T) {
	s := Start(t, Options{Token: true, Password: "pa:ss"})
	repo := client(t, s, "acme/fleet", auth.Credential{Username: "robot", Password: "pa:ss"})
	push(t, repo, "1.0.0")
	if got := tags(t, repo); !slices.Equal(got, []string{"1.0.0"}) {
		t.Errorf("tags = %v", got)
	}
	var schemes []string
	for _, r := range s.Requests() {
		if strings.HasPrefix(r.Path, "/token?") {
			schemes = append(schemes, r.Auth)
		}
	}
	if len(schemes) == 0 || schemes[0] != "Basic" {
		t.Errorf("schemes of the token requests = %q\n%s", schemes, s.RequestLog())
	}
}

func TestTokenIsRefused(t *testing.T) {
	s := Start(t, Options{Token: true})
	s.Seed("acme/fleet", "1.0.0")
	for name, credential := range map[string]auth.Credential{
		"wrong password": {Username: "robot", Password: "guess"},
		"wrong user":     {Username: "root", Password: s.Password},
		"anonymous":      auth.EmptyCredential,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := registry.Tags(t.Context(), client(t, s, "acme/fleet", credential))
			var response *errcode.ErrorResponse
			if !errors.As(err, &response) || response.StatusCode != http.StatusUnauthorized {
				t.Fatalf("err = %v, want a 401", err)
			}
			if isGuess := credential != auth.EmptyCredential; isGuess != strings.Contains(err.Error(), "incorrect username") {
				t.Errorf("err = %v", err)
			}
		})
	}
}

// All that a client asks goes through the door that it knows: its token, and where the registry lets it upload to.
func TestDoor(t *testing.T) {
	s := Start(t, Options{Token: true})
	s.Intercept(On(http.MethodPut, "/blobs/", Delayed(func() time.Duration { return 30 * time.Millisecond })))
	door := s.Door(t)
	push(t, client(t, &Server{Host: door}, "acme/fleet", auth.Credential{Username: s.Username, Password: s.Password}), "1.0.0")
	late := 0
	for _, r := range s.Requests() {
		if r.Host != door {
			t.Errorf("%s asks %s, want %s", r, r.Host, door)
		}
		if strings.Contains(r.Path, "/blobs/") && r.Method == http.MethodPut && r.Duration >= 30*time.Millisecond {
			late++
		}
	}
	if s.Named("acme/fleet", "1.0.0") == "" || late == 0 {
		t.Errorf("tags %v, %d delayed\n%s", s.Tags("acme/fleet"), late, s.RequestLog())
	}
}

func TestPages(t *testing.T) {
	for _, c := range []struct {
		options Options
		pages   map[int]int // by the page size that a client asks for; 250 is a multiple of 50: the last page is empty
	}{
		{Options{PageSize: 100}, map[int]int{0: 3, 50: 6, 1000: 3}},
		{Options{DefaultPage: 100}, map[int]int{0: 3, 50: 6, 1000: 1}},
	} {
		checkPages(t, Start(t, c.options), c.pages)
	}
}

func checkPages(t *testing.T, s *Server, pages map[int]int) {
	t.Helper()
	var want []string
	for i := range 250 {
		want = append(want, fmt.Sprintf("0.0.%d", i))
	}
	s.Seed("acme/fleet", want...)
	slices.Sort(want)

	repo := client(t, s, "acme/fleet", auth.EmptyCredential)
	for size, n := range pages {
		s.Reset()
		repo.TagListPageSize = size
		if got := tags(t, repo); !slices.Equal(got, want) {
			t.Errorf("page size %d: %d tags, want %d", size, len(got), len(want))
		}
		if got := len(s.Requests()); got != n {
			t.Errorf("page size %d: %d requests, want %d\n%s", size, got, n, s.RequestLog())
		}
	}
}

func TestSeedManyTags(t *testing.T) {
	s := Start(t, Options{})
	want := make([]string, 10_000)
	for i := range want {
		want[i] = fmt.Sprintf("sha-%07x", i)
	}
	start := time.Now()
	seeded := s.Seed("acme/fleet", want...)
	t.Logf("seeded in %s", time.Since(start))

	repo := client(t, s, "acme/fleet", auth.EmptyCredential)
	if got := tags(t, repo); !slices.Equal(got, want) {
		t.Errorf("%d tags", len(got))
	}
	got, data, err := oras.FetchBytes(t.Context(), repo, want[9_999], oras.DefaultFetchBytesOptions)
	if err != nil || got.Digest != seeded || !strings.Contains(string(data), ocispec.MediaTypeEmptyJSON) {
		t.Errorf("manifest %v, %s, %v; want digest %s", got, data, err, seeded)
	}
	if got := s.Tags("acme/fleet"); len(got) != len(want) || got[want[0]] != seeded.String() {
		t.Errorf("%d tags on disk", len(got))
	}
}

func TestFaults(t *testing.T) {
	s := Start(t, Options{})
	s.Seed("acme/fleet", "1.0.0")
	repo := client(t, s, "acme/fleet", auth.EmptyCredential)
	manifest, data, err := oras.FetchBytes(t.Context(), repo, "1.0.0", oras.DefaultFetchBytesOptions)
	if err != nil {
		t.Fatal(err)
	}
	teapot := Status(http.StatusTeapot, http.Header{"retry-after": {"3"}}, `{"errors":[{"code":"DENIED","message":"no"}]}`)
	for name, test := range map[string]struct {
		fault  Interceptor
		status int
		stored bool
	}{
		"before":  {DropBefore, 0, false},
		"after":   {DropAfter, 0, true},
		"status":  {teapot, 418, false},
		"at-0":    {At(0, teapot), 418, false},
		"at-1":    {At(1, teapot), 201, true},
		"on-put":  {On("PUT", "/manifests/on-put$", teapot), 418, false},
		"on-get":  {On("GET", "", teapot), 201, true},
		"times-0": {Times(0, teapot), 201, true},
		"times-1": {On("", "", Times(1, teapot)), 418, false},
	} {
		s.Reset()
		s.Intercept(test.fault)
		err := repo.PushReference(t.Context(), manifest, bytes.NewReader(data), name)
		s.Intercept(nil)
		if (err == nil) != (test.status == 201) {
			t.Errorf("%s: err = %v", name, err)
		}
		waitForEnd(t, s)
		if want := fmt.Sprintf("0 PUT /v2/acme/fleet/manifests/%s %d\n", name, test.status); s.RequestLog() != want {
			t.Errorf("log = %q, want %q", s.RequestLog(), want)
		}
		if _, stored := s.Tags("acme/fleet")[name]; stored != test.stored {
			t.Errorf("%s: stored = %v", name, stored)
		}
	}
}

func TestLatencyAndWriteDelay(t *testing.T) {
	a, b := RandomDelay(7, time.Second), RandomDelay(7, time.Second)
	for range 100 {
		if x, y := a(), b(); x != y || x < 0 || x > time.Second {
			t.Fatalf("delays %s and %s of one seed", x, y)
		}
	}
	s := Start(t, Options{Latency: 20 * time.Millisecond, WriteDelay: func() time.Duration { return 50 * time.Millisecond }})
	push(t, client(t, s, "acme/fleet", auth.EmptyCredential), "1.0.0")
	for _, r := range s.Requests() {
		least := 20 * time.Millisecond
		if r.Method == http.MethodPut && strings.Contains(r.Path, "/manifests/") {
			least = 70 * time.Millisecond
		}
		if r.Duration != 0 && r.Duration < least {
			t.Errorf("%s %s took %s, want at least %s", r.Method, r.Path, r.Duration, least)
		}
	}
}

func TestServersAreIndependent(t *testing.T) {
	var wait sync.WaitGroup
	hosts := make([]string, 3)
	for i := range hosts {
		wait.Go(func() {
			s, err := New(t.TempDir(), Options{Token: i == 0})
			if err != nil {
				t.Error(err)
				return
			}
			hosts[i] = s.Host
			s.Seed(fmt.Sprintf("acme/fleet-%d", i), "1.0.0")
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait() // before that, one may have the port of another
	for _, host := range hosts {
		if conn, err := net.Dial("tcp", host); err == nil {
			t.Error("somebody listens after the end: ", conn.Close())
		}
	}
}

// client never sends a request twice, so that the log holds what the test did.
func client(t *testing.T, s *Server, name string, credential auth.Credential) *remote.Repository {
	t.Helper()
	repo, err := remote.NewRepository(s.Host + "/" + name)
	if err != nil {
		t.Fatal(err)
	}
	repo.PlainHTTP = true
	transport := &http.Transport{DisableKeepAlives: true}
	repo.Client = &auth.Client{
		Client:     &http.Client{Transport: transport},
		Credential: auth.StaticCredential(s.Host, credential),
		Cache:      auth.NewCache(),
	}
	return repo
}

func push(t *testing.T, repo *remote.Repository, tag string) {
	t.Helper()
	layer, err := oras.PushBytes(t.Context(), repo, "application/vnd.example.layer", []byte("a layer"))
	if err != nil {
		t.Fatal(err)
	}
	options := oras.PackManifestOptions{Layers: []ocispec.Descriptor{layer}}
	manifest, err := oras.PackManifest(t.Context(), repo, oras.PackManifestVersion1_1, "application/vnd.example", options)
	if err != nil {
		t.Fatal(err)
	}
	if err := repo.Tag(t.Context(), manifest, tag); err != nil {
		t.Fatal(err)
	}
}

func tags(t *testing.T, repo *remote.Repository) []string {
	t.Helper()
	tags, err := registry.Tags(t.Context(), repo)
	if err != nil {
		t.Fatal(err)
	}
	return tags
}

// waitForEnd waits until the handler of the first request has ended: a dropped connection tells the client first.
func waitForEnd(t *testing.T, s *Server) {
	t.Helper()
	for s.Requests()[0].Duration == 0 {
		select {
		case <-t.Context().Done():
			t.Fatal("a request did not end")
		case <-time.After(time.Millisecond):
		}
	}
}
