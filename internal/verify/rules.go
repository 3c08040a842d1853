package verify

import (
	"context"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/version"
)

// passing is why an artifact does not go live by itself. The zero value is that it may.
type passing struct {
	by      string // the version that goes on in its place
	held    bool   // by is a rollback; else it is of a newer commit
	unknown bool   // whether it has a number and needs one would cost too much to tell
}

// due is the candidate that promise 9 asks for and nobody has written.
type due struct {
	ok       bool
	to, from version.Candidate
	artifact version.Artifact
}

// fewStables is what it may cost to tell a rollback: names of candidates. The stables below cost
// more, and mostly tell nothing new.
const fewStables = 4

// rule puts a question to the rules of the ladder, for which at most so many requests may be
// made. Where that is too few the answer is not known, and nothing is made of it.
func (r *reading) rule(ctx context.Context, most int, rule func(*version.Ladder) version.Need) (known bool, err error) {
	for most = min(most, r.left); ; {
		need := rule(r.snap.Ladder)
		if need.None() {
			return true, nil
		}
		cost := len(need.Names) + len(need.Read) + len(need.Compare)
		if cost > most {
			return false, nil
		}
		most, r.left = most-cost, r.left-cost
		if err := r.learn(ctx, need); err != nil {
			return false, err
		}
	}
}

// learn asks what a rule needs. An order of commits that cannot be told is a finding
// (checkReading), and the rules go by heights.
func (r *reading) learn(ctx context.Context, need version.Need) error {
	if err := r.resolveAll(ctx, need.Names); err != nil {
		return err
	}
	if err := r.inspectAll(ctx, need.Read); err != nil {
		return err
	}
	for _, pair := range need.Compare {
		relation := version.Unasked
		if r.Host != nil && !r.heard.orderLost {
			word, err := r.Host.Compare(ctx, pair[0], pair[1])
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case err != nil:
				r.heard.orderLost, r.heard.unread = true, append(r.heard.unread, err)
			default:
				relation = version.Relation(word)
			}
		}
		r.snap.Ladder.Relate(pair[0], pair[1], relation)
	}
	return nil
}

// rank asks for the candidates of an artifact, of which highestOn then knows.
func (r *reading) rank(ctx context.Context, a *pipeline.Artifact) (ranked, known bool, err error) {
	known, err = r.rule(ctx, r.left, func(l *version.Ladder) (need version.Need) {
		_, ranked, need = l.Rank(a.Known())
		return need
	})
	return ranked, known, err
}

// readStable asks what is known of the stable: its rank, and whether what was read of those
// below it tells that live went back.
func (r *reading) readStable(ctx context.Context) (err error) {
	s, ok := r.snap.Ladder.Stable()
	if !ok || r.artifacts[r.stable.tag] == nil {
		return nil
	}
	r.stable.artifact = r.artifacts[r.stable.tag]
	ranked, known, err := r.rank(ctx, r.stable.artifact)
	if err != nil {
		return err
	}
	r.stable.ranked = ranked || !known
	back := false
	known, err = r.rule(ctx, fewStables, func(l *version.Ladder) (need version.Need) {
		back, need = l.Rollback(s)
		return need
	})
	r.stable.rollback = known && back
	return err
}

// judgeAll tells whether the subject may go live, what is due, and which of the open candidates
// may go live: in that order, since each leaves less to ask for.
func (r *reading) judgeAll(ctx context.Context) error {
	if err := r.judge(ctx, r.subject.artifact); err != nil {
		return err
	}
	if len(r.snap.Ladder.Candidates) > 0 {
		var d due
		known, err := r.rule(ctx, r.left, func(l *version.Ladder) (need version.Need) {
			d.to, d.artifact, d.from, d.ok, need = l.Due()
			return need
		})
		if err != nil {
			return err
		}
		d.ok = d.ok && known
		r.due = d
	}
	for _, tag := range append(pipeline.Descending(r.open()), r.unfinished()...) {
		if err := r.judge(ctx, r.artifacts[tag]); err != nil {
			return err
		}
	}
	return nil
}

// judge tells whether an artifact may go live.
func (r *reading) judge(ctx context.Context, a *pipeline.Artifact) (err error) {
	if a == nil {
		return nil
	}
	if _, done := r.passed[a.Desc.Digest]; !done {
		r.passed[a.Desc.Digest], err = r.passingOf(ctx, a)
	}
	return err
}

func (r *reading) passingOf(ctx context.Context, a *pipeline.Artifact) (passing, error) {
	live := r.stable.artifact
	if live != nil && live.Desc.Digest == a.Desc.Digest {
		return passing{}, nil
	}
	if live != nil {
		newer, held := false, false
		known, err := r.rule(ctx, r.left, func(l *version.Ladder) (need version.Need) {
			newer, need = l.Newer(a.Known(), live.Known())
			return need
		})
		if err != nil || known && !newer || !known && a.Height < live.Height {
			return passing{by: r.stable.tag}, err
		}
		known, err = r.rule(ctx, r.left, func(l *version.Ladder) (need version.Need) {
			held, need = l.HeldBack(a.Known())
			return need
		})
		if err != nil || known && held {
			return passing{by: r.stable.tag, held: true}, err
		}
	}
	ranked, known, err := r.rank(ctx, a)
	if err != nil || ranked || !known {
		return passing{unknown: !known}, err
	}
	return r.contained(ctx, a)
}

// contained tells which version's commit contains that of an artifact without a candidate, so
// that its build would get no tag either (promise 10).
func (r *reading) contained(ctx context.Context, a *pipeline.Artifact) (p passing, err error) {
	known, err := r.rule(ctx, r.left, func(l *version.Ladder) version.Need {
		c, found, need := l.Containing(a.Known())
		if found {
			p.by = c.String()
			return version.Need{}
		}
		s, ok := l.Stable()
		if !ok || !need.None() {
			return need
		}
		follows, need := l.Follows(s, a.Known())
		if follows {
			p.by = s.String()
		}
		return need
	})
	p.unknown = !known
	return p, err
}
