package prune

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// hung is what a test has hung on artifacts, by name.
type hung map[string]digest.Digest

// TestAttached: what is attached to an artifact goes with it and before it; what stays for another reason keeps it; and
// what is attached to another artifact is left alone.
func TestAttached(t *testing.T) {
	tests := []struct {
		name   string
		api    bool
		attach func(*testing.T, *store, hung)
		there  string // artifacts of a, b and c; b is live
		hung   string // names of what is there afterwards
	}{
		{"nothing", false, func(*testing.T, *store, hung) {}, "b", ""},
		{"a fallback tag", false, func(t *testing.T, s *store, h hung) {
			h["referrer"] = s.attach(t, s.Digests["a"], "r")
			h["kept"] = s.attach(t, s.Digests["b"], "r")
		}, "b", "kept"},
		{"two by a fallback tag", false, func(t *testing.T, s *store, h hung) {
			h["one"], h["two"] = s.attach(t, s.Digests["a"], "1"), s.attach(t, s.Digests["a"], "2")
		}, "b", ""},
		{"the API", true, func(t *testing.T, s *store, h hung) {
			h["referrer"] = s.attach(t, s.Digests["a"], "r")
			h["kept"] = s.attach(t, s.Digests["b"], "r")
		}, "b", "kept"},
		{"cosign's tags", false, func(t *testing.T, s *store, h hung) {
			for _, suffix := range []string{"sig", "att", "sbom"} {
				h[suffix] = s.sign(t, s.Digests["a"], suffix, suffix)
				h["kept "+suffix] = s.sign(t, s.Digests["b"], suffix, "other "+suffix)
			}
		}, "b", "kept att, kept sbom, kept sig"},
		{"a tag that only looks like one", false, func(t *testing.T, s *store, h hung) {
			h["other"] = s.sign(t, s.Digests["a"], "txt", "text")
		}, "b", "other"},
		{"cosign's tag of a referrer", true, func(t *testing.T, s *store, h hung) {
			h["referrer"] = s.attach(t, s.Digests["a"], "r")
			h["signature"] = s.sign(t, h["referrer"], "sig", "of r")
		}, "b", ""},
		{"a referrer of a referrer", true, func(t *testing.T, s *store, h hung) {
			h["one"] = s.attach(t, s.Digests["a"], "1")
			h["two"] = s.attach(t, h["one"], "2")
			h["three"] = s.attach(t, h["two"], "3")
		}, "b", ""},
		{"a referrer of a referrer, by tags", false, func(t *testing.T, s *store, h hung) {
			h["one"] = s.attach(t, s.Digests["a"], "1")
			h["two"] = s.attach(t, h["one"], "2")
		}, "b", ""},
		{"a referrer with a tag of its own", true, func(t *testing.T, s *store, h hung) {
			h["referrer"] = s.attach(t, s.Digests["a"], "r")
			s.tag(t, h["referrer"], "bill-of-materials")
		}, "a b", "referrer"},
		{"a signature with a tag of its own", false, func(t *testing.T, s *store, h hung) {
			h["signature"] = s.sign(t, s.Digests["a"], "sig", "s")
			s.tag(t, h["signature"], "signed")
		}, "a b", "signature"},
		{"a referrer of a referrer with a tag of its own", false, func(t *testing.T, s *store, h hung) {
			h["one"] = s.attach(t, s.Digests["a"], "1")
			h["two"] = s.attach(t, h["one"], "2")
			s.tag(t, h["two"], "two")
		}, "a b", "one, two"},
		{"a referrer that an index lists", true, func(t *testing.T, s *store, h hung) {
			h["referrer"] = s.attach(t, s.Digests["a"], "r")
			s.index(t, "all", ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: h["referrer"], Size: 1})
		}, "a b", "referrer"},
		{"an empty list that two share", false, func(t *testing.T, s *store, h hung) {
			h["empty"] = s.index(t, fallback(s.Digests["a"])).Digest
			s.index(t, fallback(s.Digests["b"]))
		}, "b", "empty"},
		{"a bill of materials that two share", false, func(t *testing.T, s *store, h hung) {
			h["bill"] = s.sign(t, s.Digests["a"], "sbom", "one bill")
			s.sign(t, s.Digests["b"], "sbom", "one bill")
		}, "b", "bill"},
		{"an empty list", false, func(t *testing.T, s *store, h hung) {
			h["empty"] = s.index(t, fallback(s.Digests["a"])).Digest
		}, "b", ""},
		{"a list that names what does not refer to it", false, func(t *testing.T, s *store, h hung) {
			h["kept"] = s.attach(t, s.Digests["b"], "r")
			s.listReferrers(t, s.Digests["a"], s.listed(t, s.Digests["b"]))
		}, "b", "kept"},
		{"a list that names an artifact", false, func(t *testing.T, s *store, h hung) {
			s.listReferrers(t, s.Digests["a"], []ocispec.Descriptor{s.desc(t, "b")})
		}, "b", ""},
		{"a list that names itself and what is gone", false, func(t *testing.T, s *store, h hung) {
			gone := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromString("gone"), Size: 4}
			h["list"] = s.index(t, fallback(s.Digests["a"]), gone, s.desc(t, "a")).Digest
		}, "b", ""},
		{"a signature's tag on an artifact", false, func(t *testing.T, s *store, h hung) {
			s.tag(t, s.Digests["b"], fallback(s.Digests["a"])+".sig")
		}, "a b", ""},
		{"the tag of a signature of another on it", false, func(t *testing.T, s *store, h hung) {
			s.tag(t, s.Digests["a"], fallback(s.Digests["b"])+".sig")
		}, "a b", ""},
		{"a signature's tag on itself", false, func(t *testing.T, s *store, h hung) {
			s.tag(t, s.Digests["a"], fallback(s.Digests["a"])+".sig")
		}, "b", ""},
		{"a cycle", false, func(t *testing.T, s *store, h hung) {
			h["one"], h["two"] = s.manifest(t, "1", "").Digest, s.manifest(t, "2", "").Digest
			s.tag(t, h["one"], fallback(s.Digests["a"])+".sig")
			s.tag(t, h["two"], fallback(h["one"])+".sig")
			s.tag(t, h["one"], fallback(h["two"])+".sig")
		}, "b", "one, two"},
		{"what is attached to nothing that is there", false, func(t *testing.T, s *store, h hung) {
			h["orphan"] = s.sign(t, digest.FromString("nothing"), "sig", "s")
		}, "b", "orphan"},
	}
	for _, test := range tests {
		for _, tells := range []bool{false, true} {
			t.Run(test.name, func(t *testing.T) {
				s, h := newStore(t, live("a b")), hung{}
				s.api, s.tells = test.api, tells
				test.attach(t, s, h)
				r := mustRun(t, s, applying(s), test.there)
				if got := h.there(t, s); got != test.hung {
					t.Errorf("there is %q, not %q; %q", got, test.hung, s.requests)
				}
				s.deepestFirst(t)
				again := mustRun(t, s, applying(s), test.there)
				if again.Outcome != pipeline.Unchanged || len(again.Retention.Delete) > 0 || r.Retention.Left > 0 {
					t.Errorf("once more: %s (%s), left %d", again.Outcome, again.Reason, r.Retention.Left)
				}
			})
		}
	}
}

// there are the names of what is there, sorted.
func (h hung) there(t *testing.T, s *store) string {
	t.Helper()
	var names []string
	for name, d := range h {
		if s.has(t, d) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// deepestFirst wants an artifact to be deleted after what is attached to it.
func (s *store) deepestFirst(t *testing.T) {
	t.Helper()
	last := ""
	for _, request := range s.requests {
		if d, ok := strings.CutPrefix(request, "delete "); ok {
			last = d
		}
	}
	if last != "" && s.Letter(last) == last {
		t.Errorf("%s was deleted last: %q", last, s.requests)
	}
}

// TestAttachedMeanwhile: what is attached to an artifact after the plan keeps it for this run.
func TestAttachedMeanwhile(t *testing.T) {
	s := newStore(t, live("a b c"))
	s.api = true
	s.attach(t, s.Digests["a"], "first")
	p := applying(s)
	p.Progress = func(what string, done, _ int) {
		if what == "deleting" && done == 0 {
			s.attach(t, s.Digests["a"], "second")
		}
	}
	r := mustRun(t, s, p, "a c")
	if r.Retention.Delete[0].State != pipeline.PrunedKept || r.Retention.Left != 1 {
		t.Errorf("%+v", r.Retention)
	}
	mustRun(t, s, applying(s), "c")
}

// TestAutoGC: a layout that collects by itself would take more than it is asked to.
func TestAutoGC(t *testing.T) {
	for _, collects := range []bool{false, true} {
		s := newStore(t, live("a b"))
		s.api, s.AutoGC = true, collects
		referrer := s.attach(t, s.Digests["a"], "r")
		if _, err := s.Delete(context.Background(), s.Digests["a"], nil); err != nil {
			t.Fatal(err)
		}
		if s.has(t, referrer) == collects || s.letters(t) != "b" {
			t.Errorf("collects %v: the referrer is there: %v, artifacts: %s", collects, s.has(t, referrer), s.letters(t))
		}
	}
}

// TestAttachedRuns: what a cluster runs stays, also where it refers to something that would go.
func TestAttachedRuns(t *testing.T) {
	s := newStore(t, live("a b"))
	s.api = true
	h := hung{"referrer": s.attach(t, s.Digests["a"], "r")}
	p := applying(s)
	p.Running = map[digest.Digest]string{h["referrer"]: "live"}
	r := mustRun(t, s, p, "a b")
	if got := h.there(t, s); got != "referrer" || r.Retention.Keep[len(r.Retention.Keep)-1].Rule != pipeline.KeptAttached {
		t.Errorf("there is %q; %+v", got, r.Retention)
	}
}
