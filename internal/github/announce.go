package github

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/google/go-github/v60/github"
)

// Announcement is a comment that each of some pull requests gets once.
type Announcement struct {
	About  string // what it tells, as no other does; a hidden marker made of it finds the comment again
	Text   func(Pull) string
	Dir    string // only those that touch this directory; "." for any
	Most   int    // how many are written by this call
	DryRun bool   // write none
}

// Announced is what became of an announcement: the numbers of the pull requests, in the order in which they were given.
type Announced struct {
	Written []int // by this call; in a dry run, would be
	Left    []int // have none yet, since Most were written
	Unseen  []int // were not looked at: more than 100 were given, or the call was stopped
	Skipped []Skipped
	Stopped bool // an error ended it that others would meet too; the next call goes on
}

// Skipped are pull requests that can have no comment, or of which it is not known that they want one.
type Skipped struct {
	Why   string
	Pulls []int
}

// Announce lets each of pulls have one comment, those first that are given first. What has it already is left alone, so that
// calling it again writes what is missing and nothing else. The error joins one for each pull request that failed; such a
// failure is never taken for "no comment there". Comments are written one after the other, a second apart.
func (r *Repository) Announce(ctx context.Context, a Announcement, pulls []Pull) (Announced, error) {
	const (
		most     = 100 // that are looked at
		patience = 3   // failures, after which GitHub is left alone
	)
	var (
		done Announced
		errs []error
	)
	for i, p := range pulls {
		done.Stopped = done.Stopped || len(errs) == patience
		if i == most || done.Stopped {
			done.Unseen = numbers(pulls[i:])
			break
		}
		became, err := r.announce(ctx, a, p, len(done.Written) < a.Most)
		switch became {
		case written:
			done.Written = append(done.Written, p.Number)
		case left:
			done.Left = append(done.Left, p.Number)
		}
		if why := skips(err); why != "" {
			done.skip(why, p.Number)
		} else if err != nil {
			errs = append(errs, err)
			done.Stopped = ctx.Err() != nil || limited(err) || answered(err) == http.StatusUnauthorized || answered(err) == http.StatusForbidden
		}
	}
	return done, errors.Join(errs...)
}

// outcome is what became of one pull request.
type outcome int

const (
	untouched outcome = iota // it has its comment, or wants none; or it failed
	written
	left // it has no comment, and this call may write no more
)

func (r *Repository) announce(ctx context.Context, a Announcement, p Pull, room bool) (outcome, error) {
	wants, err := r.touches(ctx, p.Number, a.Dir)
	if err != nil || !wants {
		return untouched, err
	}
	there, err := r.remarks(ctx, p.Number, marker(a.About))
	switch {
	case err != nil || len(there) > 0:
		return untouched, err
	case !room:
		return left, nil
	case a.DryRun:
		return written, nil
	}
	said, err := r.remark(ctx, p.Number, marker(a.About), a.Text(p))
	if said {
		return written, err
	}
	return untouched, err
}

func (d *Announced) skip(why string, number int) {
	i := slices.IndexFunc(d.Skipped, func(s Skipped) bool { return s.Why == why })
	if i < 0 {
		i = len(d.Skipped)
		d.Skipped = append(d.Skipped, Skipped{Why: why})
	}
	d.Skipped[i].Pulls = append(d.Skipped[i].Pulls, number)
}

// skips says why a pull request is passed over; empty where err is another failure, or none. GitHub knows a locked one by
// its words only, and answers 403 to who may not comment at all, too.
func skips(err error) string {
	var resp *github.ErrorResponse
	isGitHub := errors.As(err, &resp) && resp.Message != "" // and no proxy
	switch status := answered(err); {
	case errors.Is(err, errManyFiles):
		return errManyFiles.Error()
	case errors.Is(err, errManyRemarks):
		return errManyRemarks.Error()
	case !isGitHub || limited(err):
		return ""
	case status == http.StatusForbidden && strings.Contains(strings.ToLower(resp.Message), "is locked"):
		return "the conversation is locked"
	case status == http.StatusGone:
		return "deleted"
	case status == http.StatusNotFound:
		return "deleted, or not for this token: the job needs `permissions: " + writePulls + "`"
	}
	return ""
}

func numbers(pulls []Pull) (all []int) {
	for _, p := range pulls {
		all = append(all, p.Number)
	}
	return all
}
