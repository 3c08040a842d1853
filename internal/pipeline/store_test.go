package pipeline_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
	"github.com/oci-promote/oci-promote/internal/version"
)

// refused is a registry's word that it will not write a tag.
type refused struct{ immutable bool }

func (refused) Error() string        { return "403 denied" }
func (refused) Refused() bool        { return true }
func (r refused) TagImmutable() bool { return r.immutable }

func storeOf(repo pipeline.Repository, history pipeline.History) (*pipeline.Store, *pipeline.Report) {
	r := &pipeline.Report{}
	return &pipeline.Store{Repo: repo, Name: pipelinetest.Name, History: history, Warn: r.Warn}, r
}

// TestRefusedWrites: a tag that the registry refuses to write is done if it names the artifact, kept where it names another,
// and else an error that is no lost race.
func TestRefusedWrites(t *testing.T) {
	for title, c := range map[string]struct {
		words    string
		refusal  error
		done     bool
		kept     bool
		claimed  string // the letter that a claim of the same tag gives
		claimErr bool
	}{
		"somebody wrote the same":        {"0.0.1-rc.1=a", refused{}, true, false, "a", false},
		"somebody wrote another":         {"0.0.1-rc.1=b x=a", refused{}, false, true, "b", false},
		"the same, in the word of many":  {"0.0.1-rc.1=a", refused{true}, true, false, "a", false},
		"another, in the word of many":   {"0.0.1-rc.1=b x=a", refused{true}, false, true, "b", false},
		"no right to write":              {"x=a", refused{}, false, false, "", true},
		"the connection was lost":        {"x=a", errors.New("reset"), false, false, "", true},
		"lost, and the tag names it now": {"0.0.1-rc.1=b x=a", errors.New("reset"), false, false, "b", false},
	} {
		t.Run(title, func(t *testing.T) {
			s := pipelinetest.NewShelf(t, c.words)
			s.Before = func(string) error { return c.refusal }
			store, _ := storeOf(s, nil)
			a := pipelinetest.Must(store.Read(t.Context(), s.Digests["a"].String()))
			err := store.Write(t.Context(), a, "0.0.1-rc.1")
			if (err == nil) != c.done || pipeline.TagImmutable(err) != c.kept {
				t.Errorf("writing: %v, kept %v", err, pipeline.TagImmutable(err))
			}
			named, err := store.Claim(t.Context(), a, "0.0.1-rc.1", false)
			if (err != nil) != c.claimErr || err == nil && named != s.Digests[c.claimed] {
				t.Errorf("claiming: %s, %v", s.Letter(named.String()), err)
			}
		})
	}
}

// lagging shows a tag only when it was asked for some times.
type lagging struct {
	*pipelinetest.Store
	hidden string
	asks   *int
}

func (l lagging) Tags(ctx context.Context, last string, fn func([]string) error) error {
	return l.Store.Tags(ctx, last, func(tags []string) error {
		if *l.asks--; *l.asks >= 0 {
			var shown []string
			for _, tag := range tags {
				if tag != l.hidden {
					shown = append(shown, tag)
				}
			}
			tags = shown
		}
		return fn(tags)
	})
}

// TestListWithWaits: an own write is waited for, and where it never shows it is believed, or the list is not.
func TestListWithWaits(t *testing.T) {
	for asks, want := range map[int]bool{0: true, 3: true, 1000: false} {
		s := pipelinetest.NewShelf(t, "0.0.1-rc.1=a 0.0.1=a")
		synctest.Test(t, func(t *testing.T) {
			left := asks
			store, _ := storeOf(lagging{s.Store, "0.0.1", &left}, nil)
			now, shown, err := store.ListWith(t.Context(), pipeline.NewSnapshot(nil), "0.0.1")
			if stable, ok := now.Ladder.Stable(); err != nil || shown != want || !ok || stable.String() != "0.0.1" {
				t.Errorf("after %d lists without it: shown %v, %v, %v", asks, shown, now.Tags, err)
			}
			left = asks
			var r *pipeline.Refusal
			switch now, err := store.ListWritten(t.Context(), pipeline.NewSnapshot(nil), "0.0.1"); {
			case want && (err != nil || !now.Has("0.0.1")):
				t.Errorf("after %d lists without it: %v, %v", asks, now.Tags, err)
			case !want && (!errors.As(err, &r) || !strings.Contains(err.Error(), `took tag "0.0.1" and does not list it`) || r.Hint() == ""):
				t.Errorf("after %d lists without it: %v", asks, err)
			}
		})
	}
}

// TestUnreadable: what is listed and cannot be read is no reason to go on as if it were not there.
func TestUnreadable(t *testing.T) {
	s := pipelinetest.NewShelf(t, "0.0.1-rc.1=a 0.0.1=a")
	synctest.Test(t, func(t *testing.T) {
		store, _ := storeOf(gone{s.Store, "0.0.1"}, nil)
		_, err := store.ReadStable(t.Context(), pipelinetest.Must(store.List(t.Context())))
		var r *pipeline.Refusal
		if !errors.As(err, &r) || !strings.Contains(err.Error(), "lists the stable 0.0.1, which cannot be read") || r.Hint() == "" {
			t.Errorf("%v", err)
		}
		if _, err := store.ResolveWritten(t.Context(), "0.0.2"); !errors.As(err, &r) || !strings.Contains(err.Error(), `took tag "0.0.2" and does not show it`) {
			t.Errorf("%v", err)
		}
	})
}

// gone lists a tag that cannot be read.
type gone struct {
	*pipelinetest.Store
	tag string
}

func (g gone) Resolve(ctx context.Context, tag string) (ocispec.Descriptor, error) {
	if tag == g.tag {
		tag = "nothing"
	}
	return g.Store.Resolve(ctx, tag)
}

// TestDue: what is due is written until nothing is, each time by the same rule, and foreseen by a dry run; a history that
// cannot be asked is warned of once.
func TestDue(t *testing.T) {
	for title, c := range map[string]struct {
		words   string
		history pipeline.History
		want    string // TAG=LETTER
		warned  bool
	}{
		"nothing":                    {"0.0.1-rc.1=a 0.0.1-rc.2=b", pipelinetest.Line{}, "", false},
		"a rescue":                   {"0.0.1-rc.1=a 0.0.1-rc.2=b 0.0.1=a", pipelinetest.Line{}, "0.0.2-rc.2=b", false},
		"a rescue, nobody to ask":    {"0.0.1-rc.1=a 0.0.1-rc.2=b 0.0.1=a", nil, "0.0.2-rc.2=b", false},
		"a larger bump":              {"0.0.1-rc.2=b 0.1.0-rc.1=a", pipelinetest.Line{}, "0.1.0-rc.2=b", false},
		"a larger bump, unordered":   {"0.0.1-rc.2=b 0.1.0-rc.1=a", pipelinetest.Line{Err: errors.New("403")}, "", true},
		"what is live, by its bump":  {"0.0.1-rc.2=b 0.0.1=b 0.1.0-rc.1=a", pipelinetest.Line{}, "0.1.0-rc.2=b", false},
		"after a rollback":           {"0.0.1-rc.1=a 0.0.1=a 0.0.2-rc.2=b 0.0.2=b 0.0.3-rc.3=c 0.0.4=a", pipelinetest.Line{}, "", false},
		"no version at all":          {"latest=a", pipelinetest.Line{}, "", false},
		"without a height, as above": {"0.0.1-rc.7=a* 0.0.1-rc.8=b* 0.0.1=a*", pipelinetest.Line{}, "0.0.2-rc.8=b*", false},
	} {
		t.Run(title, func(t *testing.T) {
			s := pipelinetest.NewShelf(t, c.words)
			before := pipelinetest.Tags(t, s)
			for _, dry := range []bool{true, false} {
				store, report := storeOf(s, c.history)
				due, now, err := store.WriteDue(t.Context(), pipelinetest.Must(store.List(t.Context())), dry)
				var words []string
				for _, d := range due {
					words = append(words, d.Candidate+"="+s.Letter(d.Digest.String()))
					if !now.Has(d.Candidate) {
						t.Errorf("the list lacks %s", d.Candidate)
					}
				}
				wrote := s.Added(t, before)
				if err != nil || strings.Join(words, " ") != c.want || (len(report.Warnings) == 1) != c.warned || wrote != map[bool]string{false: c.want}[dry] {
					t.Errorf("dry run %v: %q, wrote %q, warned %q, %v; want %q", dry, words, wrote, report.Warnings, err, c.want)
				}
			}
		})
	}
}

// TestCommitTag: a few digits are enough where one commit begins so.
func TestCommitTag(t *testing.T) {
	snap := pipeline.NewSnapshot([]string{"sha-aaaaaaa1", "sha-aaaaaaa2", "sha-bbbbbbb1", "validated-aaaaaaa9", "sha-xyz"})
	for commit, want := range map[string]string{
		"bbbbbbb": "sha-bbbbbbb1", "ccccccc": "sha-ccccccc", "aaaaaaa1ff": "sha-aaaaaaa1", "aaaaaaa": "",
	} {
		tag, err := snap.CommitTag(pipeline.SHAPrefix, commit, 8)
		if tag != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", commit, tag, err)
		}
	}
}

// TestWithKeeps: a longer list knows what the shorter one learnt.
func TestWithKeeps(t *testing.T) {
	snap := pipeline.NewSnapshot([]string{"0.0.1-rc.1"})
	snap.Ladder.Learn("0.0.1-rc.1", version.Artifact{Digest: digest.FromString("a"), Height: 1})
	longer := snap.With("0.0.1-rc.1", "0.0.1-rc.2")
	if !longer.Has("0.0.1-rc.2") || len(longer.Tags) != 2 || longer.Ladder.Named("0.0.1-rc.1") != digest.FromString("a") || snap.Has("0.0.1-rc.2") {
		t.Errorf("%v", longer.Tags)
	}
}
