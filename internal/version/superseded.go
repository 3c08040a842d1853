package version

// Superseded reports whether a, which no stable names, goes live no more by itself: it is not newer than what the
// stable names, a rollback holds it back, or the newest candidate's commit contains its own. Without a word of GitHub's
// on the order of two commits nothing contains another.
func (l *Ladder) Superseded(a Artifact) (bool, Need) {
	if s, promoted := l.Stable(); promoted {
		var need Need
		live, ok := l.artifact(s.String(), &need)
		if !ok {
			return false, need
		}
		newer, need := l.Newer(a, live)
		if !newer {
			return need.None(), need
		}
		if held, need := l.HeldBack(a); held || !need.None() {
			return held, need
		}
	}
	newest, ok := l.Newest()
	if !ok {
		return false, Need{}
	}
	var need Need
	last, ok := l.artifact(newest.String(), &need)
	if !ok || last.Commit == a.Commit {
		return false, need
	}
	relation, _ := l.relation(last.Commit, a.Commit, &need)
	return relation == Ahead, need
}
