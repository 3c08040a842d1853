package prune

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
	"github.com/oci-promote/oci-promote/internal/version"
)

// TestRules has a row for each rule, and for its border.
func TestRules(t *testing.T) {
	integration := func(constraint string) func(*store, *Prune) {
		return func(_ *store, p *Prune) {
			p.Clusters.Integration = pipelinetest.Must(version.ParseConstraint(constraint))
		}
	}
	const stables = ">= 0.0.0" // only those
	tests := []struct {
		name, tags, want string
		change           func(*store, *Prune)
	}{
		{"nothing is there", "", "", nil},
		{"the last stable", live("a b c"), "a:goes b:goes c:stable", nil},
		{"the last two stables", live("a b c"), "a:goes b:stable c:stable", func(_ *store, p *Prune) { p.KeepStables = 2 }},
		{"the last three stables of three", live("a b c"), "a:stable b:stable c:stable", func(_ *store, p *Prune) { p.KeepStables = 3 }},
		{"stables are counted by version, not by artifact", live("a b") + " 0.0.3=b", "a:goes b:stable", func(_ *store, p *Prune) { p.KeepStables = 2 }},
		{"somebody else's stables are none of them", live("a b c") + " 1.0.0=0 2.0.0=0", "0:stable a:goes b:stable c:stable", func(_ *store, p *Prune) { p.KeepStables = 2 }},
		{"one with somebody's tag is none of them", live("a b c") + " latest=c", "a:goes b:stable c:stable", nil},

		{"live selects an old one", live("a b c"), "a:goes b:selected c:stable", func(_ *store, p *Prune) {
			p.Clusters.Live = pipelinetest.Must(version.ParseConstraint("0.0.2"))
		}},
		{"integration selects an old one", live("a b c"), "a:selected b:goes c:stable", integration("<= 0.0.1-rc.1")},
		{"integration selects the candidate of a stable", live("a b c"), "a:goes b:selected c:stable", integration("0.0.2-rc.2")},
		{"a tag that is not ours wins", live("a b c") + " v2.0.0=a", "a:selected b:goes c:stable", nil},
		{"a tag that is not ours loses", live("a b c") + " v0.0.1-x=a", "a:foreign b:goes c:stable", nil},

		{"the newest candidate", live("a b") + built("0.0.3", "c"), "a:goes b:stable c:newest", integration(stables)},
		{"the newest candidate, that will not go live", live("a b c") + " 0.1.0-rc.1=a 0.1.1=c", "a:newest b:goes c:stable", integration(stables)},

		{"open, and contained in the newest candidate", live("a") + built("0.0.2", "b") + built("0.0.2", "c"), "a:stable b:goes c:selected", nil},
		{"open, and diverged", live("a") + built("0.0.2", "b") + built("0.0.2", "c"), "a:stable b:open c:selected", history(past("diverged"))},
		{"open, and unknown", live("a") + built("0.0.2", "b") + built("0.0.2", "c"), "a:stable b:open c:selected", history(past(""))},
		{"open, and nobody can be asked", live("a") + built("0.0.2", "b") + built("0.0.2", "c"), "a:stable b:open c:selected", history(nil)},
		{"passed by a stable, and newer than it", live("b") + built("0.0.1", "c") + built("0.0.1", "d"), "b:stable c:goes d:selected", integration("0.0.1-rc.4")},
		{"passed by a stable, newer than it, and diverged", live("b") + built("0.0.1", "c") + built("0.0.1", "d"), "b:stable c:open d:selected", func(s *store, p *Prune) {
			integration("0.0.1-rc.4")(s, p)
			p.History = past("diverged")
		}},
		{"passed by a stable, and older than it", live("b") + built("0.0.1", "a") + built("0.0.2", "c"), "a:goes b:stable c:selected", history(nil)},
		{"held back by a rollback", live("a b") + built("0.0.3", "c") + " 0.0.4=a" + built("0.0.5", "d"), "a:stable b:rollback c:goes d:selected", nil},

		{"validated without a stable", live("a") + built("0.0.2", "b") + " +b" + built("0.0.2", "c"), "a:stable b:in-flight c:selected", nil},
		{"validated, of a commit that was built twice", live("c") + built("0.0.1", "a") + " 0.0.2-rc.1=a' +a'" + built("0.0.3", "d"), "a':in-flight a:goes c:stable d:selected", nil},
		{"no candidate", "@a" + live("b"), "a:in-flight b:stable", nil},
		{"no sha-", "integration-" + pipelinetest.CommitOf("a")[:7] + "=a 0.0.1-rc.1=a" + live("b"), "a:in-flight b:stable", nil},
		{"no integration-", "sha-" + pipelinetest.CommitOf("a")[:7] + "=a 0.0.1-rc.1=a" + live("b"), "a:in-flight b:stable", nil},
		{"neither", "0.0.1-rc.1=a" + live("b"), "a:in-flight b:stable", nil},
		{"tags with more digits", "0.0.1-rc.1=a sha-" + pipelinetest.CommitOf("a")[:12] + "=a integration-" + pipelinetest.CommitOf("a") + "=a" + live("b"), "a:goes b:stable", nil},
		{"two candidates", "0.0.1-rc.1=a 0.0.1-rc.2=a @a" + live("c") + built("0.0.3", "d"), "a:goes c:stable d:selected", nil},
		{"built twice, and the tags are the other's", "0.0.1-rc.1=a 0.0.2-rc.1=a' @a'" + live("c") + built("0.0.3", "d"), "a':goes a:goes c:stable d:selected", nil},
		{"built twice, one tag is nobody's", "0.0.1-rc.1=a 0.0.2-rc.1=a' sha-" + pipelinetest.CommitOf("a")[:7] + "=a'" + live("c") + built("0.0.3", "d"), "a':in-flight a:in-flight c:stable d:selected", nil},
		{"a stable without the rest", "0.0.0=a" + live("b"), "a:goes b:stable", nil},

		{"young", live("a b"), "a:young b:stable", age(time.Hour - 1)},
		{"just old enough", live("a b"), "a:goes b:stable", age(time.Hour)},
		{"created in the future", live("a b"), "a:young b:stable", age(-time.Second)},
		{"created in the future, and nothing is kept for its age", live("a b"), "a:young b:stable", func(s *store, p *Prune) {
			age(-time.Second)(s, p)
			p.KeepFor = 0
		}},
		{"nothing is kept for its age", live("a b"), "a:goes b:stable", func(s *store, p *Prune) {
			age(0)(s, p)
			p.KeepFor = 0
		}},
		{"written late", live("a b"), "a:young b:stable", func(s *store, p *Prune) {
			s.written = map[digest.Digest]time.Time{s.Digests["a"]: p.Now.Add(-time.Minute)}
		}},
		{"written before it was created", live("a b"), "a:young b:stable", func(s *store, p *Prune) {
			age(time.Minute)(s, p)
			s.written = map[digest.Digest]time.Time{s.Digests["a"]: p.Now.Add(-time.Hour * 500)}
		}},

		{"running", live("a b c"), "a:running b:goes c:stable", func(s *store, p *Prune) { p.Running = map[digest.Digest]string{s.Digests["a"]: "live"} }},
		{"somebody's tag on ours", live("a b c") + " latest=a", "a:foreign b:goes c:stable", nil},
		{"somebody's image with our tags", live("b") + " 0.0.0-rc.9=0 sha-1234567=0", "0:foreign b:stable", nil},
		{"somebody's image as a stable", "0.0.0=0" + live("b"), "0:foreign b:stable", nil},
		{"no annotations", "0.0.0=a~" + live("b"), "a~:foreign b:stable", nil},
		{"no commit", "0.0.0=a?" + live("b"), "a?:foreign b:stable", nil},
		{"no height", "0.0.0=a*" + live("b"), "a*:goes b:stable", nil},

		{"a rollback", live("a b c") + " 0.0.4=a" + built("0.0.5", "d"), "a:stable b:goes c:rollback d:selected", nil},
		{"a rollback, and on from it", live("a b c") + " 0.0.4=a 0.0.5=d" + built("0.0.5", "d"), "a:goes b:goes c:goes d:stable", nil},
		{"a rollback among those that are kept", live("a b c") + " 0.0.4=a 0.0.5=d" + built("0.0.5", "d"), "a:stable b:goes c:rollback d:stable", func(_ *store, p *Prune) { p.KeepStables = 2 }},
		{"a rollback to what was live just before", live("a b") + " 0.0.3=b", "a:goes b:stable", nil},
		{"what shows the rollback shows another one", live("a b c") + " 0.0.4=b 0.0.5=a" + built("0.0.6", "d"), "a:stable b:rollback c:rollback d:selected", nil},
		{"a rollback holds back what runs", live("a b") + built("0.0.3", "d") + " 0.0.4=a 0.0.5=e" + built("0.0.5", "e"), "a:rollback b:rollback d:running e:stable", func(s *store, p *Prune) {
			p.Running = map[digest.Digest]string{s.Digests["d"]: "integration"}
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newStore(t, test.tags)
			p := keeping(s)
			if test.change != nil {
				test.change(s, &p)
			}
			f, made, err := planned(t, p, nil)
			if err != nil {
				t.Fatal(pipeline.WithHint(err))
			}
			if got := s.fates(f, made); got != test.want {
				t.Errorf("got  %s\nwant %s\n%v", got, test.want, made.keeps)
			}
		})
	}
}

func history(h pipeline.History) func(*store, *Prune) {
	return func(_ *store, p *Prune) { p.History = h }
}

// age has a, the first commit, be so old; the others are younger, as is no matter for what is live.
func age(d time.Duration) func(*store, *Prune) {
	return func(_ *store, p *Prune) { p.Now = pipelinetest.Epoch.Add(time.Minute).Add(d) }
}

// TestWithoutAge: what does not tell when it was made is kept, whenever it was written.
func TestWithoutAge(t *testing.T) {
	s := newStore(t, live("a b"))
	s.written = map[digest.Digest]time.Time{s.Digests["a"]: pipelinetest.Epoch}
	f, made, err := planned(t, keeping(s), func(f *facts) { f.items[s.Digests["a"]].Created = time.Time{} })
	if got := s.fates(f, made); err != nil || got != "a:young b:stable" {
		t.Error(got, err)
	}
}

// TestBounds: one run deletes so many, the oldest first, and what is kept does not stop the rest.
func TestBounds(t *testing.T) {
	for name, row := range map[string]struct {
		tags string
		most int
		want string
	}{
		"as many as there are":         {live("a b c d"), 3, "a:goes b:goes c:goes d:stable"},
		"one less":                     {live("a b c d"), 2, "a:goes b:goes c:left d:stable"},
		"one":                          {live("a b c d"), 1, "a:goes b:left c:left d:stable"},
		"the oldest is kept":           {live("a b c d") + " latest=a", 1, "a:foreign b:goes c:left d:stable"},
		"candidates are counted too":   {live("b") + built("0.0.1", "a") + built("0.0.2", "c") + built("0.0.2", "d"), 1, "a:goes b:stable c:left d:selected"},
		"the oldest may go live":       {live("a") + built("0.0.2", "b") + built("0.0.2", "c") + built("0.0.2", "d"), 1, "a:stable b:goes c:left d:selected"},
		"the oldest is in flight":      {live("a") + built("0.0.2", "b") + " +b" + built("0.0.2", "c") + built("0.0.2", "d"), 1, "a:stable b:in-flight c:goes d:selected"},
		"the oldest shows a rollback":  {live("c a b") + " 0.0.4=b" + built("0.0.5", "d"), 1, "a:goes b:stable c:rollback d:selected"},
		"the oldest has another's tag": {live("a b c d") + " sha256-x=a", 1, "a:foreign b:goes c:left d:stable"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t, row.tags)
			p := keeping(s)
			p.MaxDeletes = row.most
			f, made, err := planned(t, p, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.fates(f, made); got != row.want {
				t.Errorf("got  %s\nwant %s", got, row.want)
			}
		})
	}
}

// TestNobodyTells: where it hangs on the order of two commits which stable was a rollback, and nobody can be asked, nothing
// is deleted, and the error says what is missing.
func TestNobodyTells(t *testing.T) {
	const tags = " 0.1.0-rc.1=a 0.0.2-rc.2=b 0.0.2=b @a @b +a +b 0.0.3=a"
	s := newStore(t, tags+built("0.2.0", "c"))
	p := applying(s)
	p.History = nil
	_, err := p.Run(t.Context())
	var refused *pipeline.Refusal
	if !errors.As(err, &refused) || !strings.Contains(refused.Hint(), "github-token") || s.letters(t) != "a b c" {
		t.Errorf("%v, there is %s", err, s.letters(t))
	}
	p.History = pipelinetest.Line{Err: errors.New("503")}
	if _, err := p.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "503") || s.letters(t) != "a b c" {
		t.Errorf("%v, there is %s", err, s.letters(t))
	}
}

// passed is a line in which a rollback to a holds d back, and c is live, which was never before and is older than d.
const passed = " 0.0.1-rc.1=a @a +a 0.0.1-rc.2=b @b 0.0.1=b +b 0.0.2-rc.3=c @c 0.0.2-rc.4=d @d 0.0.2=a 0.0.3=c +c 0.0.4-rc.5=e @e"

// TestHeldBackGoesFirst: what a rollback holds back must not be left behind without it, wherever a run ends: what shows the
// rollback goes in a later run.
func TestHeldBackGoesFirst(t *testing.T) {
	for most := 1; most <= 3; most++ {
		s := newStore(t, passed)
		p := keeping(s)
		p.MaxDeletes = most
		f, made, err := planned(t, p, nil)
		if got := s.fates(f, made); err != nil || got != "a:left b:left c:stable d:goes e:selected" {
			t.Errorf("%d at most: %s; %v", most, got, err)
		}
	}
	s := newStore(t, passed)
	p := applying(s)
	p.Progress = func(what string, done, _ int) {
		if what == "deleting" && done == 0 {
			s.Put(t, "c", pipelinetest.Tag(pipeline.SHAPrefix, "d")) // so that d is kept
		}
	}
	mustRun(t, s, p, "a b c d e")
}

// TestReasons tells why what goes does.
func TestReasons(t *testing.T) {
	for tags, want := range map[string]string{
		live("a b"): "not among the last stables",
		live("b") + built("0.0.1", "a") + built("0.0.2", "c"): "superseded (the stable is 0.0.1)",
		built("0.0.1", "a") + built("0.0.1", "b"):             "superseded (nothing is live yet)",
	} {
		s := newStore(t, tags)
		r, err := keeping(s).Run(t.Context())
		if err != nil || len(r.Retention.Delete) != 1 || r.Retention.Delete[0].Reason != want {
			t.Errorf("%s: %+v, %v", tags, r.Retention, err)
		}
	}
}
