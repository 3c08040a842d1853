package promote

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
)

// TestWait has a build go on while a promotion waits for it.
func TestWait(t *testing.T) {
	for _, row := range []struct {
		name, tags, subject, manual string
		wait, after                 time.Duration // after: when the rest comes
		rest                        string        // see pipelinetest.NewShelf, of TAG=LETTER only
		outcome                     pipeline.Outcome
		least, most                 time.Duration // that it takes
	}{
		{"for integration-", sha("a") + "=a 0.0.1-rc.1=a", "commit a", "", time.Minute, 5 * time.Second, pipelinetest.Tag(pipeline.IntegrationPrefix, "a") + "=a", pipeline.Promoted, 5 * time.Second, 8 * time.Second},
		{"for the whole build", "", "commit a", "", time.Minute, 5 * time.Second, "0.0.1-rc.1=a " + sha("a") + "=a " + pipelinetest.Tag(pipeline.IntegrationPrefix, "a") + "=a", pipeline.Promoted, 5 * time.Second, 8 * time.Second},
		{"for a candidate", "@a", "a", "", time.Minute, 5 * time.Second, "0.0.1-rc.1=a", pipeline.Promoted, 5 * time.Second, 8 * time.Second},
		{"for tags that follow the candidate", "@a 0.0.1-rc.1=a " + pipelinetest.Tag(pipeline.IntegrationPrefix, "a") + "=a'", "commit a", "", time.Minute, 5 * time.Second, pipelinetest.Tag(pipeline.IntegrationPrefix, "a") + "=a", pipeline.Promoted, 5 * time.Second, 8 * time.Second},
		{"for a candidate that comes too late", "@a", "a", "", time.Minute, time.Hour, "", pipeline.Pending, time.Minute, time.Minute},
		{"less than a pause", "@a", "a", "", time.Second, time.Hour, "", pipeline.Pending, time.Second, time.Second},
		{"not at all", "@a", "a", "", 0, time.Hour, "", pipeline.Pending, 0, 0},
		{"not for the second artifact of a commit", "@a 0.0.1-rc.1=a' 0.0.2-rc.1=a", "commit a", "", time.Minute, time.Hour, "", pipeline.Pending, 0, 0},
		{"not for what is older than the stable's", "@a 0.0.1-rc.2=b 0.0.1=b", "a", "", time.Minute, time.Hour, "", pipeline.Superseded, 0, 0},
		{"not for a version of what is not built", "@b 0.0.1-rc.2=b", "by hand commit a", "1.0.0", time.Minute, time.Hour, "", "", 0, 0},
		{"not for what a person named and is not built", "@b 0.0.1-rc.2=b", "by hand commit a", "", time.Minute, time.Hour, "", "", 0, 0},
		{"for a build that a person named and is not complete", sha("a") + "=a 0.0.1-rc.1=a", "by hand commit a", "", time.Minute, 5 * time.Second, pipelinetest.Tag(pipeline.IntegrationPrefix, "a") + "=a", pipeline.Promoted, 5 * time.Second, 8 * time.Second},
		{"for a candidate of a digest that a person named", "@a", "by hand a", "", time.Minute, 5 * time.Second, "0.0.1-rc.1=a", pipeline.Promoted, 5 * time.Second, 8 * time.Second},
		{"till another promotion took the base", "@b 0.0.1-rc.1=a", "b", "", time.Minute, 5 * time.Second, "0.0.1=a 0.0.1-rc.2=b", pipeline.Promoted, 5 * time.Second, 8 * time.Second},
		{"till a newer one is live", "@a 0.0.1-rc.2=b", "a", "", time.Minute, 5 * time.Second, "0.0.1=b 0.0.1-rc.1=a", pipeline.Superseded, 5 * time.Second, 8 * time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := pipelinetest.NewShelf(t, row.tags)
				for _, letter := range []string{"a", "b"} {
					s.Put(t, letter)
				}
				go func() {
					time.Sleep(row.after)
					for word := range strings.FieldsSeq(row.rest) {
						tag, letter, _ := strings.Cut(word, "=")
						s.Put(t, letter, tag)
					}
				}()
				run := promotion(s, subject(s, row.subject), manual(row.manual))
				run.Wait = row.wait
				var said []string
				run.Log = func(step string) { said = append(said, step) }
				dry := run
				dry.DryRun = true
				began := time.Now()
				if _, err := dry.Run(t.Context()); time.Since(began) > 0 || err != nil && row.outcome != "" {
					t.Errorf("the dry run took %s: %v", time.Since(began), err)
				}
				began, said = time.Now(), nil
				r, err := run.Run(t.Context())
				took := time.Since(began)
				if took < row.least || took > row.most {
					t.Errorf("took %s, want %s to %s", took, row.least, row.most)
				}
				if waits := strings.Contains(strings.Join(said, "\n"), "waiting up to"); waits != (row.least > 0) {
					t.Errorf("said %q", said)
				}
				if row.outcome == "" {
					checkRefusal(t, err, "is not built")
				} else if err != nil || r.Outcome != row.outcome {
					t.Errorf("%s (%s), %v, want %s", r.Outcome, r.Reason, err, row.outcome)
				}
				time.Sleep(2 * time.Hour) // for the rest
			})
		})
	}
}

// TestPendingTellsHowToGoOn: a warning with the command that would promote it by hand.
func TestPendingTellsHowToGoOn(t *testing.T) {
	const (
		byItself = "a run of mode tag on a schedule promotes it when its build is complete"
		byStatus = "run this again when its build is complete; a schedule promotes it only where integration leaves a commit status too"
		byHand   = "run this again when its build is complete: a schedule promotes only what integration reports healthy"
	)
	for _, row := range []struct {
		name, tags, subject string
		kept                bool // the proof is a commit status
		next, again         string
	}{
		{"no candidate", "@a", "a", true, "--version next --allow-unvalidated", byItself},
		{"no candidate, by dispatch", "@a", "a", false, "--version next --allow-unvalidated", byStatus},
		{"no candidate, by hand", "@a", "by hand a", false, "--version next --allow-unvalidated", byHand},
		{"not built", two, "commit c", true, "run the build of commit", byItself},
		{"not complete", sha("a") + "=a 0.0.1-rc.1=a", "commit a", true, "run the build of commit", byItself},
		{"not complete, by hand", sha("a") + "=a 0.0.1-rc.1=a", "by hand commit a", false, "run the build of commit", byHand},
		{"gone", two, "c", true, "build its commit again", ""},
		{"two artifacts", "@a 0.0.1-rc.1=a' 0.0.2-rc.1=a", "commit a", true, "--digest sha256:", ""},
		{"two artifacts, by hand", "@a 0.0.1-rc.1=a' 0.0.2-rc.1=a", "by hand commit a", false, "--digest sha256:", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := pipelinetest.NewShelf(t, row.tags)
			before := pipelinetest.Tags(t, s)
			sub := subject(s, row.subject)
			sub.Kept = row.kept
			r := mustRun(t, promotion(s, sub, nil), pipeline.Pending, "")
			if !strings.Contains(r.Next, row.next) || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], r.Next) {
				t.Errorf("next %q, warnings %q", r.Next, r.Warnings)
			}
			for _, text := range []string{byItself, byStatus, byHand} {
				if strings.Contains(r.Next, text) != (text == row.again) {
					t.Errorf("next %q, want %q", r.Next, row.again)
				}
			}
			if changed := s.Added(t, before); changed != "" {
				t.Errorf("wrote %q", changed)
			}
		})
	}
}

// hidden has a tag that is listed and cannot be read.
type hidden struct {
	*pipelinetest.Shelf
	tag string
}

func (h hidden) Resolve(ctx context.Context, tag string) (ocispec.Descriptor, error) {
	if tag == h.tag {
		return ocispec.Descriptor{}, errdef.ErrNotFound
	}
	return h.Shelf.Resolve(ctx, tag)
}

// TestListedAndUnreadable: a registry whose readings lag is no reason to tell a person that nothing is there.
func TestListedAndUnreadable(t *testing.T) {
	for words, tag := range map[string]string{"latest": "0.0.1-rc.2", "by hand commit b": sha("b")} {
		s := pipelinetest.NewShelf(t, two+" @b")
		r := mustRun(t, promotion(hidden{s, tag}, subject(s, words), nil), pipeline.Pending, "")
		if !strings.Contains(r.Reason, fmt.Sprintf("the tag %q of %s is listed and cannot be read", tag, pipelinetest.Name)) || !strings.Contains(r.Next, "run this again") {
			t.Errorf("%s: %s; %s", words, r.Reason, r.Next)
		}
	}
}
