package promote

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
	"github.com/oci-promote/oci-promote/internal/version"
)

// TestStories tells random stories of one line of commits: builds, some of which are slow and some
// of another tool; what integration runs, and reports of it, late and in any order; promotions
// by hand to anything; catch-ups; clean-ups; and kills. After each step the promises hold:
//
//   - a stable never names another artifact, and the highest never goes down;
//   - what is live never becomes older but by hand;
//   - what had a number when live went back does not go live after that, but by hand;
//   - a report is true, and the same run once more changes nothing;
//
// and in the end, when integration validates whatever it runs, the newest commit that may is live.
func TestStories(t *testing.T) {
	rounds := 60
	if testing.Short() {
		rounds = 15
	}
	for seed := range rounds {
		synctest.Test(t, func(t *testing.T) { tell(t, uint64(seed)) })
	}
}

// story is a repository, and what a person knows of it who has watched.
type story struct {
	*pipelinetest.Shelf
	t       *testing.T
	dice    *rand.Rand
	past    pipeline.History
	lines   []string // what happened
	commits string   // the letters of all, the oldest first
	foreign int      // so many of them are of another tool
	slow    []string // TAG=LETTER that a slow build will write
	seen    string   // letters that integration ran
	live    []string // TAG=LETTER of the stables, in their order
	held    string   // letters that had a number when live went back
}

func tell(t *testing.T, seed uint64) {
	s := &story{Shelf: pipelinetest.NewShelf(t, ""), t: t, dice: rand.New(rand.NewPCG(seed, 3)), past: pipelinetest.Line{}}
	s.AutoSaveIndex = false
	if s.one(4) {
		s.foreign = s.dice.IntN(4)
	}
	if s.one(5) {
		s.past = nil
	}
	for range 6 + s.dice.IntN(20) {
		switch s.dice.IntN(12) {
		case 0, 1, 2:
			s.build()
		case 3:
			s.finishSlow()
		case 4, 5, 6, 7:
			s.report()
		case 8:
			s.byHand()
		case 9, 10:
			s.catchUp()
		case 11:
			s.cleanUp()
		}
		if t.Failed() {
			break
		}
	}
	s.settle()
	if t.Failed() {
		t.Logf("seed %d, asked: %v\n%s\n%s", seed, s.past != nil, strings.Join(s.lines, "\n"), s.Added(t, nil))
	}
}

func (s *story) one(in int) bool { return s.dice.IntN(in) == 0 }

func (s *story) say(format string, args ...any) {
	s.lines = append(s.lines, fmt.Sprintf(format, args...))
}

func (s *story) list() pipeline.Snapshot {
	return pipelinetest.Must((&pipeline.Store{Repo: s.Shelf}).List(s.t.Context()))
}

// letterOf is the letter of what a tag names, without the mark of another tool.
func (s *story) letterOf(tag string) string {
	return s.Letter(pipelinetest.Must(s.Resolve(s.t.Context(), tag)).Digest.String())[:1]
}

// shelved is how the shelf calls a letter.
func (s *story) shelved(letter string) string {
	if pipelinetest.Number(letter) <= s.foreign {
		return letter + "*"
	}
	return letter
}

// build numbers the next commit by the base rule; a slow one is written later.
func (s *story) build() {
	if len(s.commits) == 20 {
		return
	}
	letter := string(rune('a' + len(s.commits)))
	s.commits += letter
	l := s.list().Ladder
	base, _ := l.Stable()
	base = base.Bump([]version.Bump{version.Patch, version.Patch, version.Patch, version.Minor}[s.dice.IntN(4)])
	c := version.Candidate{Base: base, N: uint64(len(s.commits))}
	if top, open := l.Top(); open {
		if base.Compare(top.Base) < 0 {
			c.Base = top.Base
		}
		if len(s.commits) <= s.foreign {
			c.N = top.N + uint64(s.dice.IntN(3)) + 1
		}
		if c.Compare(top) <= 0 {
			c.Base = c.Base.Bump(version.Patch)
		}
	}
	if s.one(4) && len(s.commits) > s.foreign {
		s.say("a slow build of %s, as %s", letter, c)
		s.slow = append(s.slow, c.String()+"="+letter)
		return
	}
	s.write(c.String() + "=" + letter)
}

func (s *story) finishSlow() {
	if len(s.slow) > 0 {
		s.write(s.slow[0])
		s.slow = s.slow[1:]
	}
}

// write ends a build: its number and tags, and what is due, unless it is killed before that.
func (s *story) write(word string) {
	tag, letter, _ := strings.Cut(word, "=")
	for now := s.list(); now.Has(tag); { // it is read as absent just before
		c := pipelinetest.Must(version.ParseCandidate(tag))
		c.Base = c.Base.Bump(version.Patch)
		tag = c.String()
	}
	s.Put(s.t, s.shelved(letter), tag, pipelinetest.Tag(pipeline.SHAPrefix, letter), pipelinetest.Tag(pipeline.IntegrationPrefix, letter))
	s.say("build %s=%s", tag, letter)
	s.selects()
	if s.foreign >= pipelinetest.Number(letter) || s.one(4) {
		return
	}
	store := &pipeline.Store{Repo: s.Shelf, Name: pipelinetest.Name, History: s.past, Warn: s.t.Logf}
	lifted, _, err := store.WriteDue(s.t.Context(), s.list(), false)
	if err != nil {
		s.t.Error(err)
	}
	for _, r := range lifted {
		s.say("  due was %s=%s", r.Candidate, s.Letter(r.Digest.String()))
	}
	s.selects()
}

// selects has integration run the highest version.
func (s *story) selects() {
	now := s.list()
	if tag := pipelinetest.Clusters().Integration.Select(now.Tags); tag != "" {
		if letter := s.letterOf(tag); !strings.Contains(s.seen, letter) {
			s.seen += letter
		}
	}
}

// report promotes what integration ran at any time.
func (s *story) report() {
	if s.seen == "" {
		return
	}
	letter := string(s.seen[s.dice.IntN(len(s.seen))])
	words := s.shelved(letter)
	switch now := s.list(); s.dice.IntN(3) {
	case 0:
		words = "commit " + words
	case 1: // by one of its tags
		tags := slices.DeleteFunc(now.Tags, func(tag string) bool {
			return !pipeline.IsCandidate(tag) && !pipeline.IsStable(tag) || s.letterOf(tag) != letter
		})
		if len(tags) > 0 {
			words += " via " + tags[s.dice.IntN(len(tags))]
		}
	}
	s.run(words, promotion(s.Shelf, subject(s.Shelf, words), nil), false)
}

// byHand promotes anything that was built.
func (s *story) byHand() {
	built := slices.Sorted(maps.Keys(s.Digests))
	if len(built) == 0 || s.one(2) {
		return
	}
	letter, as := built[s.dice.IntN(len(built))], "!next"
	if s.one(3) {
		top, _ := s.list().Ladder.Stable()
		as = "!" + top.Bump(version.Bump(s.dice.IntN(2))).String()
	}
	s.run("by hand "+letter+" as "+as, promotion(s.Shelf, subject(s.Shelf, "by hand "+letter), manual(as)), true)
}

// catchUp asks for the health of whatever integration ran; some of it is healthy.
func (s *story) catchUp() {
	says, asked := map[string]string{}, ""
	for _, letter := range s.seen {
		if !s.one(3) {
			says[s.shelved(string(letter))] = "ok"
		}
	}
	run := promotion(s.Shelf, nil, nil)
	run.Health = words(s.Shelf, says, &asked)
	s.run("catch-up", run, false)
}

// cleanUp deletes candidates of what live has passed, but those that alone tell an order.
func (s *story) cleanUp() {
	if len(s.live) == 0 || s.one(2) {
		return
	}
	now := s.list()
	for _, c := range now.Ladder.Candidates {
		if letter := s.letterOf(c.String()); !now.Ladder.Open(c) && letter <= s.now() && pipelinetest.Number(letter) > s.foreign && s.one(2) {
			s.say("clean-up of %s=%s", c, letter)
			if err := s.Untag(s.t.Context(), c.String()); err != nil {
				s.t.Error(err)
			}
		}
	}
}

// now is the letter that is live; "" for none.
func (s *story) now() string {
	if len(s.live) == 0 {
		return ""
	}
	return s.live[len(s.live)-1][len(s.live[len(s.live)-1])-1:]
}

// run promotes, sometimes till it is killed, and checks the promises.
func (s *story) run(what string, run Promotion, byHand bool) {
	run.History = s.past
	killed := s.one(5)
	if killed {
		run.Repo = &mortal{Store: s.Store, left: 1 + s.dice.IntN(3), effect: s.one(2)}
	}
	built := s.built()
	r, err := run.Run(s.t.Context())
	s.say("%s: %s %s (%s) %v, due was %v", what, r.Outcome, r.Version, r.Reason, err, r.Rescued)
	var refused *pipeline.Refusal
	if err != nil && !errors.Is(err, errKilled) && (!byHand || !errors.As(err, &refused)) {
		s.t.Error(err)
	}
	s.check(byHand, built)
	s.selects()
	if err != nil || killed {
		return
	}
	checkTold(s.t, s.Shelf, r)
	before := pipelinetest.Tags(s.t, s)
	lowest := s.past == nil && run.Subject == nil // nothing is lifted, so that a catch-up may begin with an older one
	again, err := run.Run(s.t.Context())
	if changed := s.Added(s.t, before); err != nil || (changed != "" || again.Outcome == pipeline.Promoted) && !lowest {
		s.t.Errorf("%s once more: %s (%s), %v, wrote %q", what, again.Outcome, again.Reason, err, changed)
	}
	if left := due(s.t, s.Shelf, s.past); left != "" && (r.Outcome == pipeline.Promoted || r.Outcome == pipeline.Unchanged) {
		s.t.Errorf("%s: due is %s", what, left)
	}
}

// built are the letters of all that is there.
func (s *story) built() (letters string) {
	for letter := range s.Digests {
		letters += letter[:1]
	}
	return letters
}

// check holds the stables against those before.
func (s *story) check(byHand bool, built string) {
	var live []string
	for _, v := range s.list().Ladder.Stables {
		live = append(live, v.String()+"="+s.letterOf(v.String()))
	}
	if len(live) < len(s.live) || !slices.Equal(live[:len(s.live)], s.live) {
		s.t.Errorf("stables were %v and are %v", s.live, live)
	}
	for _, word := range live[len(s.live):] {
		_, letter, _ := strings.Cut(word, "=")
		back := slices.ContainsFunc(s.live, func(was string) bool { return was[len(was)-1:] >= letter })
		switch {
		case byHand:
			if back {
				s.held += built + s.tooLow(word)
			}
			s.held = strings.ReplaceAll(s.held, letter, "")
		case letter <= s.now():
			s.t.Errorf("live went from %s back to %s", s.now(), word)
		case strings.Contains(s.held, letter):
			s.t.Errorf("%s undoes a rollback", word)
		}
		s.live = append(s.live, word)
	}
}

// tooLow are the letters whose builds are slow and will have a number below a stable.
func (s *story) tooLow(word string) (letters string) {
	tag, _, _ := strings.Cut(word, "=")
	stable := pipelinetest.Must(version.ParseStable(tag))
	for _, word := range s.slow {
		tag, letter, _ := strings.Cut(word, "=")
		if pipelinetest.Must(version.ParseCandidate(tag)).Base.Compare(stable) <= 0 {
			letters += letter
		}
	}
	return letters
}

// settle ends all slow builds, and has integration validate what it runs till nothing changes.
func (s *story) settle() {
	s.say("in the end")
	for len(s.slow) > 0 && !s.t.Failed() {
		s.finishSlow()
	}
	for range 30 {
		if s.t.Failed() {
			return
		}
		before := pipelinetest.Tags(s.t, s)
		scheduled := promotion(s.Shelf, nil, nil) // it completes what a kill left out
		scheduled.Health = words(s.Shelf, nil, new(string))
		s.settled(scheduled)
		if top := pipelinetest.Clusters().Integration.Select(s.list().Tags); top != "" {
			s.settled(promotion(s.Shelf, subject(s.Shelf, s.shelved(s.letterOf(top))+" via "+top), nil))
		}
		if s.Added(s.t, before) == "" {
			break
		}
	}
	newest := s.now()
	was := strings.Join(s.live, " ") // letters are in no version
	for _, letter := range s.commits {
		if !strings.ContainsRune(s.held+was, letter) && s.Digests[s.shelved(string(letter))] != "" {
			newest = max(newest, string(letter))
		}
	}
	if newest != s.now() && s.past != nil {
		s.t.Errorf("in the end live is %s, not %s", s.now(), newest)
	}
}

func (s *story) settled(run Promotion) {
	run.History = s.past
	r, err := run.Run(s.t.Context())
	s.say("%+v: %s %s (%s) %v, due was %v", run.Subject, r.Outcome, r.Version, r.Reason, err, r.Rescued)
	if err != nil {
		s.t.Error(err)
	}
	s.check(false, "")
}
