package prune

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
	"github.com/oci-promote/oci-promote/internal/version"
)

// count counts the requests that begin with a word.
func (s *store) count(word string) (n int) {
	for _, request := range s.requests {
		if strings.HasPrefix(request, word) {
			n++
		}
	}
	return n
}

// TestRequests: one list, and one manifest an artifact, however many tags it has.
func TestRequests(t *testing.T) {
	tests := []struct {
		name, tags string
		reads      int
	}{
		{"nothing", "", 0},
		{"builds and promotions", live("a b c d e"), 5},
		{"candidates", live("a b") + built("0.0.3", "c") + built("0.0.3", "d"), 4},
		{"rescues", "0.0.1-rc.1=a @a 0.0.2-rc.1=a 0.0.3-rc.1=a 0.0.3=a +a 0.0.3-rc.2=b 0.0.4-rc.2=b @b 0.0.4=b +b", 2 + 5}, // each candidate of a height that several have,
		{"rollbacks", live("a b c") + " 0.0.4=a 0.0.5=b", 3 + 2},                                                           // each stable may name anything
		{"builds without all tags", "0.0.1-rc.1=a sha-" + pipelinetest.CommitOf("b")[:7] + "=b", 2},
		{"somebody's tags", live("a b") + " latest=b other=0", 2 + 2},
		{"a commit that was built twice", "0.0.1-rc.1=a 0.0.2-rc.1=a' @a'", 2 + 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newStore(t, test.tags)
			if _, _, err := planned(t, keeping(s), nil); err != nil {
				t.Fatal(err)
			}
			if s.count("list") != 1 || s.count("get") > test.reads || s.count("head") > 0 {
				t.Errorf("not %d reads: %q", test.reads, s.requests)
			}
		})
	}
}

// lost has a tag be listed, with nothing by that name; for ever, or until the second list.
func (s *store) lost(tag string, forever bool) *ghost { return &ghost{s, tag, forever, 0} }

type ghost struct {
	*store
	tag     string
	forever bool
	lists   int
}

func (g *ghost) Tags(ctx context.Context, last string, fn func([]string) error) error {
	g.lists++
	return g.store.Tags(ctx, last, func(tags []string) error {
		if g.lists == 1 || g.forever {
			tags = append(slices.Clone(tags), g.tag)
		}
		return fn(tags)
	})
}

// TestLostTags: nothing is deleted where a tag names nothing by which a rule may keep something, unless the list, too, has it
// no more.
func TestLostTags(t *testing.T) {
	for _, tag := range []string{"0.0.9", "0.0.9-rc.7", "latest"} {
		for _, forever := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				s := newStore(t, live("a b c"))
				p := applying(s)
				p.Repo = s.lost(tag, forever)
				_, err := p.Run(t.Context())
				var refused *pipeline.Refusal
				switch {
				case forever && (!errors.As(err, &refused) || !strings.Contains(err.Error(), tag) || s.letters(t) != "a b c"):
					t.Errorf("%s: %v, there is %s", tag, err, s.letters(t))
				case !forever && (err != nil || s.letters(t) != "c"):
					t.Errorf("%s: %v, there is %s", tag, err, s.letters(t))
				}
			})
		}
	}
}

// TestEmptyTags: a deletion that was cut off may leave tags that name nothing for ever. They do not hold up the next run,
// which tells of them.
func TestEmptyTags(t *testing.T) {
	for _, tag := range []string{"0.0.0", "0.0.2-rc.7", "sha-0123456", "integration-0123456", "validated-0123456", "sha256-" + strings.Repeat("0", 64) + ".sig"} {
		synctest.Test(t, func(t *testing.T) {
			s := newStore(t, live("a b c"))
			p := applying(s)
			p.Repo = s.lost(tag, true)
			r := mustRun(t, s, p, "c")
			if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], tag) {
				t.Errorf("%s: %q", tag, r.Warnings)
			}
		})
	}
}

// TestLostAmongOthers: which stables are the last does not hang on somebody else's.
func TestLostAmongOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t, live("a b c")+" 1.0.0=0 2.0.0=0")
		p := applying(s)
		p.KeepStables = 2
		p.Repo = s.lost("0.0.9", true)
		if _, err := p.Run(t.Context()); err == nil || s.letters(t) != "0 a b c" {
			t.Errorf("%v, there is %s", err, s.letters(t))
		}
	})
}

// TestEmptyTagComesBack: a tag that named nothing when the plan was made is asked for again before each deletion.
func TestEmptyTagComesBack(t *testing.T) {
	s := newStore(t, live("a b c"))
	p := applying(s)
	p.Repo = s.lost("validated-0123456", true)
	p.Progress = func(what string, done, _ int) {
		if what == "deleting" && done == 1 {
			s.tag(t, s.Digests["b"], "validated-0123456")
		}
	}
	mustRun(t, s, p, "b c")
}

// TestPicksOfNothing: what a cluster is told to take is needed, whatever the tag.
func TestPicksOfNothing(t *testing.T) {
	s := newStore(t, live("a b c"))
	p := applying(s)
	p.Repo = s.lost("sha-0123456", true)
	p.Picks = func([]string) map[string]string { return map[string]string{"sha-0123456": "live"} }
	if _, err := p.Run(t.Context()); err == nil || s.letters(t) != "a b c" {
		t.Errorf("%v, there is %s", err, s.letters(t))
	}
}

// TestLostStableIsNoVersion: the plan is that of the list without the tag that is gone.
func TestLostStableIsNoVersion(t *testing.T) {
	s := newStore(t, live("a b c"))
	p := keeping(s)
	p.Repo = s.lost("0.0.9", false)
	f, made, err := planned(t, p, nil)
	if err != nil || s.fates(f, made) != "a:goes b:goes c:stable" {
		t.Error(s.fates(f, made), err)
	}
}

// TestUnreadable: whatever cannot be read ends the run before anything is deleted.
func TestUnreadable(t *testing.T) {
	s := newStore(t, live("a b c")+" latest=0")
	s.sign(t, s.Digests["a"], "sig", "signature")
	clean := newStore(t, live("a b c")+" latest=0")
	clean.sign(t, clean.Digests["a"], "sig", "signature")
	clean.requests = nil
	if _, err := keeping(clean).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, request := range clean.requests {
		var n atomic.Int64
		s.around = func(_ string, do func() error) error {
			if n.Add(1) == int64(i+1) {
				return errors.New("500 out of order")
			}
			return do()
		}
		if _, err := applying(s).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "500") || s.letters(t) != "0 a b c" {
			t.Errorf("%s: %v, there is %s", request, err, s.letters(t))
		}
	}
}

// TestIndexes: what an index lists is kept, however deep, and though nobody tagged it but the pipeline.
func TestIndexes(t *testing.T) {
	for name, make := range map[string]func(*store, *testing.T){
		"a child":         func(s *store, t *testing.T) { s.index(t, "all", s.desc(t, "a")) },
		"of a Docker one": func(s *store, t *testing.T) { s.index(t, "all", s.docker(t, s.desc(t, "a"))) },
		"a grandchild":    func(s *store, t *testing.T) { s.index(t, "all", s.index(t, "", s.desc(t, "a"))) },
		"deeper":          func(s *store, t *testing.T) { s.index(t, "all", s.index(t, "", s.index(t, "", s.desc(t, "a")))) },
		"beside one that was never pushed": func(s *store, t *testing.T) {
			s.index(t, "all", ocispec.Descriptor{MediaType: ocispec.MediaTypeImageIndex, Digest: "sha256:" + "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", Size: 3}, s.desc(t, "a"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t, live("a b c"))
			make(s, t)
			f, made, err := planned(t, keeping(s), nil)
			if got := s.fates(f, made); err != nil || got != "a:indexed all:foreign b:goes c:stable" {
				t.Error(got, err)
			}
		})
	}
}

// TestAttachedIndexes: what an index lists stays, also where that is attached to something.
func TestAttachedIndexes(t *testing.T) {
	for name, attach := range map[string]func(*store, *testing.T){
		"by cosign's tag": func(s *store, t *testing.T) { s.index(t, fallback(s.Digests["c"])+".att", s.desc(t, "a")) },
		"by a list": func(s *store, t *testing.T) {
			s.listReferrers(t, s.Digests["c"], []ocispec.Descriptor{s.index(t, "", s.desc(t, "a"))})
		},
		"below one": func(s *store, t *testing.T) {
			s.index(t, fallback(s.Digests["c"])+".att", s.index(t, "", s.desc(t, "a")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t, live("a b c"))
			attach(s, t)
			f, made, err := planned(t, keeping(s), nil)
			if got := s.fates(f, made); err != nil || got != "a:indexed b:goes c:stable" {
				t.Error(got, err)
			}
		})
	}
}

// docker is an image index in Docker's words.
func (s *store) docker(t *testing.T, child ocispec.Descriptor) ocispec.Descriptor {
	const mediaType = "application/vnd.docker.distribution.manifest.list.v2+json"
	return s.push(t, mediaType, ocispec.Index{MediaType: mediaType, Manifests: []ocispec.Descriptor{child}})
}

// TestOneOfAHeight: a candidate is taken for its stable's only where nothing else has that height.
func TestOneOfAHeight(t *testing.T) {
	tests := []struct{ name, tags, pinned, want string }{
		{"another artifact's", live("b") + " 0.0.1-rc.1=a @a 0.0.2-rc.1=a' 0.0.2=a" + built("0.0.3", "c"), "", "a':goes a:stable b:rollback c:selected"},
		{"which integration selects", live("b") + " 0.0.1-rc.1=a @a 0.0.2-rc.1=a' 0.0.2=a" + built("0.0.3", "c"), "0.0.2-rc.1", "a':selected a:stable b:rollback c:newest"},
		{"known by somebody's tag", live("b") + " 0.0.1-rc.1=a @a other=a'" + built("0.0.3", "c"), "", "a':foreign a:goes b:stable c:selected"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newStore(t, test.tags)
			p := keeping(s)
			if test.pinned != "" {
				p.Clusters.Integration = pipelinetest.Must(version.ParseConstraint(test.pinned))
			}
			f, made, err := planned(t, p, nil)
			if got := s.fates(f, made); err != nil || got != test.want {
				t.Errorf("got %s\nwant %s\n%v %v", got, test.want, err, made.keeps)
			}
		})
	}
}

// TestKeptTags: a registry that names with a tag what it has deleted is told of, and nothing more is deleted.
func TestKeptTags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t, live("a b c d"))
		p := applying(s)
		p.Deleter = &keeper{s}
		r, err := p.Run(t.Context())
		var refused *pipeline.Refusal
		if !errors.As(err, &refused) || s.letters(t) != "a b c d" || r.Retention.Deleted != 1 {
			t.Errorf("%v, %+v", err, r.Retention)
		}
	})
}

// keeper takes a deletion, and does nothing.
type keeper struct{ *store }

func (keeper) Delete(context.Context, digest.Digest, []string) (bool, error) { return false, nil }

// TestLateList: a list may show for a while what is deleted.
func TestLateList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t, live("a b c d"))
		p := applying(s)
		late := &lagging{store: s, trail: 2}
		p.Repo = late
		mustRun(t, s, p, "d")
	})
}

// lagging is a store whose list shows, so often, what a list before it did.
type lagging struct {
	*store
	trail int
	seen  [][]string
}

func (l *lagging) Tags(ctx context.Context, last string, fn func([]string) error) error {
	var now []string
	if err := l.store.Tags(ctx, last, func(tags []string) error { now = append(now, tags...); return nil }); err != nil {
		return err
	}
	l.seen = append(l.seen, now)
	return fn(l.seen[max(0, len(l.seen)-1-l.trail)])
}

// TestNothingThere: a name that is mistyped would end well every week.
func TestNothingThere(t *testing.T) {
	s := newStore(t, "")
	r := mustRun(t, s, applying(s), "")
	if r.Outcome != pipeline.Unchanged || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "has no tags: is the name right?") || !strings.Contains(r.Warnings[0], pipelinetest.Name) {
		t.Errorf("%s, %q", r.Outcome, r.Warnings)
	}
}
