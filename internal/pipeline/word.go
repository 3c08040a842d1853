package pipeline

import "time"

// Word is what integration said of one artifact at one time.
type Word struct {
	At      time.Time
	Healthy bool   // it proves health
	Named   bool   // it names the artifact's digest, not only its commit
	Tag     string // by which integration selected the artifact; empty where a word does not tell
	Text    string // the word in one line; text from outside
}

// Unbroken is the run of words for health, the newest first, that the newest of some words ends, which come in
// that order too; empty where the newest is none. Where the artifact is known by its digest and not only by its commit, a
// word for health of the commit alone may be another artifact's, and does not count; any other word ends the run.
func Unbroken(words []Word, byCommit bool) (run []Word) {
	for _, w := range words {
		if !w.Healthy {
			break
		}
		if w.Named || byCommit {
			run = append(run, w)
		}
	}
	return run
}
